"""A reader under test: what is required of it, and the scenarios that find out."""
