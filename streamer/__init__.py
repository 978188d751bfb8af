"""Streamer: speech emotion that learns on the device."""

__version__ = "0.1.0"
