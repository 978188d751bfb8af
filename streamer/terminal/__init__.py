"""Where a session's events are shown: JSON lines, plain lines, or a live panel."""
