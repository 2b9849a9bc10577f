"""The engine's own benchmarks, tiny; they need `liftgate engine`."""

from __future__ import annotations

import pytest

from liftgate.bench.idle import TooFewFiles, idle
from liftgate.bench.load import Shape
from liftgate.bench.recovery import recovery
from liftgate.bench.relay import relay
from liftgate.bench.rules import rules
from liftgate.bench.sizes import sizes


def test_sizes_tiny() -> None:
    """Lots of two sizes are both measured."""
    result = sizes(rounds=1, seconds=0.1, spots=(20, 200), shape=Shape(4, 5))
    assert set(result.rates) == {"20", "200"}
    assert all(rate > 0 for rate in result.rates.values())


def test_idle_tiny() -> None:
    """Silent readers are all signed on, and a scan among them is answered."""
    result = idle(readers=50, seconds=0.1, shape=Shape(4, 1))
    assert result.readers == 50
    assert result.among.count > 0


def test_idle_needs_enough_files() -> None:
    """More readers than files that may be open are refused before anything starts."""
    with pytest.raises(TooFewFiles, match="ulimit"):
        idle(readers=10_000_000)


def test_recovery_tiny() -> None:
    """Everything written before the kill is counted, and the engine that comes back answers."""
    result = recovery(scans=20, shape=Shape(4, 4), rounds=2)
    assert result.scans == 320
    assert result.ratio == max(result.ratios)


def test_relay_tiny() -> None:
    """A backlog is carried whole, and scans are answered beside it."""
    result = relay(events=320, seconds=0.5, rate=100.0, writers=Shape(4, 4), live=Shape(4, 1))
    assert result.catching["null"].events >= 320
    assert 0 < result.catching["null"].first_mib <= result.catching["null"].memory_mib
    assert result.live.catching_p99_ms > 0


def test_rules_tiny() -> None:
    """A lot with every theme answers as the simplest one does, and an open stay in it is 1 KiB at most."""
    result = rules(rounds=1, seconds=0.1, shapes=(Shape(4, 5),), stays=200)
    assert result.shapes["4x5"].plain_rate > 0
    assert result.shapes["4x5"].rules_rate > 0
    assert 100 < result.plain_stay.memory < result.rules_stay.memory <= 1024
