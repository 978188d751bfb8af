"""What is heard, told to a broker of the user's own; only where it is asked for."""
