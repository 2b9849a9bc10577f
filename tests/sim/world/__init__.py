"""Tests of sim/world/."""
