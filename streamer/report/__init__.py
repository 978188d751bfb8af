"""The report: one page about a session or a whole profile, without audio."""
