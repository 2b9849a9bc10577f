from __future__ import annotations

from liftgate.bench.load import Shape
from liftgate.bench.storm import storm


def test_storm_tiny() -> None:
    """A tiny storm: all that readers tell is in the journal once, while live scans are answered."""
    result = storm(readers=20, events=60, seconds=0.2, rate=200, live=Shape(10, 4), batch=25)
    assert (result.lost, result.twice) == (0, 0)
    assert (result.storm.entries, result.storm.replays) == (1_200, 60)
    assert result.storm.findings == 0
    assert result.during.errors == 0 and result.during.count > 0
    assert result.memory_peak >= result.memory_before // 2
