"""The history's benchmark runs, so it cannot rot."""

from __future__ import annotations

from liftgate.bench.history import history


def test_it_measures_and_stores_the_same_each_time() -> None:
    """Figures above nothing, and a hash of what was stored that says whether it was right."""
    first, second = history(1, 9000), history(1, 9000)
    assert first.rows > first.events == 9000
    assert min(first.rows_rate, first.recorded_rate, first.bytes_per_event) > 0
    assert first.hash == second.hash
