"""Tests of sim/city/."""
