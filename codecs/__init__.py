"""Bytes in, named events out. No I/O in this room."""
