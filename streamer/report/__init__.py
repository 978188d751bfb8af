"""One page about a session or a whole profile, to keep, print or send: no sound is in it."""
