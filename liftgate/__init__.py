"""Liftgate: the engine behind the barrier of a car park."""
