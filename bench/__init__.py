"""Benchmarks: one client, several servers, one run."""
