"""The limit follows latency: up while answers come in good time, down when they queue or fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.relay.limiter import Bounds, Limiter


class Server:
    """Answers `capacity` at once in 10 ms; what is more waits its turn."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity

    def run(self, limiter: Limiter, rounds: int) -> list[int]:
        """Keep it as full as the limiter lets; the limits seen."""
        seen = []
        for _ in range(rounds):
            while limiter.room():
                limiter.begin()
            taken_ms = 10.0 * max(limiter.in_flight / self.capacity, 1.0)
            for _ in range(limiter.in_flight):
                limiter.end(taken_ms)
            seen.append(limiter.limit)
        return seen


def test_it_finds_what_a_server_can_do_and_stays_about_there() -> None:
    """From 1 it grows past the capacity, until answers take twice as long; then it falls, and so on."""
    seen = Server(16).run(Limiter(Bounds(1, 1000)), 300)
    settled = seen[100:]
    assert min(settled) >= 16 * 2 // 3
    assert max(settled) <= 16 * 5 // 2


def test_a_server_that_got_slower_for_good_is_judged_anew() -> None:
    """Ten times slower at the same capacity: it shrinks first, then finds its way back."""
    limiter, server = Limiter(Bounds(1, 64)), Server(1000)
    assert server.run(limiter, 200)[-1] == 64
    low = 64
    for _ in range(400):
        while limiter.room():
            limiter.begin()
        for _ in range(limiter.in_flight):
            limiter.end(100.0)
        low = min(low, limiter.limit)
    assert low < 32
    assert limiter.limit == 64


def test_failures_shrink_it_once_for_all_that_were_in_flight() -> None:
    """Sixteen that fail together saw one outage, and shrink it once."""
    limiter = Limiter(Bounds(1, 64))
    Server(1000).run(limiter, 200)
    while limiter.room():
        limiter.begin()
    for _ in range(limiter.in_flight):
        limiter.fail()
    assert limiter.limit == 25


def test_a_limit_that_nobody_reaches_does_not_grow() -> None:
    """One at a time says nothing about two."""
    limiter = Limiter(Bounds(4, 64))
    for _ in range(100):
        limiter.begin()
        limiter.end(5.0)
    assert limiter.limit == 4


@given(st.lists(st.sampled_from(["begin", "good", "slow", "fail"]), max_size=300))
def test_it_stays_within_its_bounds(steps: list[str]) -> None:
    """Whatever happens in whatever order: within the bounds, and never more in flight than was allowed."""
    limiter, most = Limiter(Bounds(2, 8)), 0
    for step in steps:
        if step == "begin" and limiter.room():
            limiter.begin()
            most = max(most, limiter.in_flight)
        elif step != "begin" and limiter.in_flight:
            if step == "fail":
                limiter.fail()
            else:
                limiter.end(1.0 if step == "good" else 50.0)
        assert 2 <= limiter.limit <= 8
    assert most <= 8


def test_misuse_is_a_bug() -> None:
    """Beyond the limit, below nothing, or with bounds that are none."""
    limiter = Limiter(Bounds(1, 1))
    limiter.begin()
    with pytest.raises(RuntimeError):
        limiter.begin()
    limiter.end(1.0)
    with pytest.raises(RuntimeError):
        limiter.end(1.0)
    with pytest.raises(ValueError):
        Limiter(Bounds(0, 1))
