"""The commands of `liftgate`, a module each: `arguments(parser)` says what it takes, and sets `run`."""
