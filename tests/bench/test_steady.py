from __future__ import annotations

from liftgate.bench.load import Shape
from liftgate.bench.steady import steady


def test_steady_tiny() -> None:
    """A tiny steady stream sends exactly the scans of its timetable to every server."""
    result = steady(rounds=1, seconds=0.2, rate=500, shape=Shape(20, 4))
    assert result.servers["limit"].count == 100
    assert "engine" in result.servers and result.p99_ratio > 0
