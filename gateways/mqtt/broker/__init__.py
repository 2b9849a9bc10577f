"""Readers that publish to somebody else's broker: a process between it and the engine, on asyncio."""
