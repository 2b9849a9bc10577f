"""Simulated devices: they do what firmware built from docs/protocol.md does, never more than it allows."""
