"""Terminal output of a session's events: JSON lines, plain lines, or a live panel."""
