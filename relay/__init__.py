"""The relay: a process that follows the engine's feed and carries it on, one pipeline for each sink."""
