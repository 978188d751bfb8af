"""Where the doctests of modules that need an extra are left out."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("torch") else ["streamer/training"]
