"""Readers over MQTT 5: a listener of the engine's own, and a gateway to somebody else's broker."""
