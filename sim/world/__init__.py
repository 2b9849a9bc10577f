"""A whole engine in a world of virtual time, drawn from one seed, that tries to break it."""
