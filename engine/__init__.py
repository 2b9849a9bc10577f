"""Commands decided, events applied, every one on stable storage before its answer."""
