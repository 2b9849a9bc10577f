"""The journal: the one log that state is a fold over."""
