"""Utterances, published to the user's own MQTT broker; only with --mqtt."""
