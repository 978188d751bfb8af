"""Recordings to a table: one row an utterance, the same values as `run` gives."""
