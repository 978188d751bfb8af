"""The label page and the live view, in a browser on this machine.

`serving` is the door: it starts a thread with a web server and stops it again.
"""
