"""The conformance kit: plays the engine for a reader under test, and a reader for an engine."""
