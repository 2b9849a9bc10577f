"""Bytes moved between peers and the engine."""
