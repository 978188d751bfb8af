"""Questions about a pool, and what was answered."""
