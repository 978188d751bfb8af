"""The same work in this process, in several of this machine, or on a cluster of machines."""
