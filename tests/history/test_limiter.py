"""The limit on what is in flight follows latency: up by one, down by a part, never to nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.history.limiter import LEAST, MOST, START, Limiter

QUICK_S, SLOW_S = 0.01, 2.0


def fill(limiter: Limiter) -> int:
    """Begin as many as there is room for; how many are in flight then."""
    while limiter.has_room():
        limiter.begin()
    return limiter.in_flight


def turn(limiter: Limiter, latency_s: float, failed: bool = False) -> None:
    """One limit's worth of writes come back after so long; in place of each the next goes out, if it may."""
    for _ in range(fill(limiter)):
        limiter.end(latency_s, failed)
        fill(limiter)


def test_quick_answers_raise_the_limit_by_one_a_turn() -> None:
    """Additive increase, once it was cut; up to the bound and not beyond."""
    limiter = Limiter(start=8)
    turn(limiter, SLOW_S, failed=True)
    assert limiter.limit == 4
    turn(limiter, QUICK_S)
    for _ in range(3):
        before = limiter.limit
        turn(limiter, QUICK_S)
        assert before <= limiter.limit <= before + 1
    for _ in range(2 * MOST):
        turn(limiter, QUICK_S)
    assert limiter.limit == MOST


def test_until_the_first_cut_every_answer_raises_it() -> None:
    """A backlog finds out within a few turns what the store can take."""
    limiter = Limiter()
    turn(limiter, QUICK_S)
    assert limiter.limit == 2 * START
    for _ in range(3):
        turn(limiter, QUICK_S)
    assert limiter.limit == MOST


def test_a_limit_that_is_not_reached_does_not_grow() -> None:
    """One write at a time says nothing about what thirty would do."""
    limiter = Limiter()
    for _ in range(1000):
        limiter.begin()
        limiter.end(QUICK_S)
    assert limiter.limit == START


@pytest.mark.parametrize(("failed", "kept"), [(False, 0.75), (True, 0.5)])
def test_a_slow_turn_cuts_the_limit_once(failed: bool, kept: float) -> None:
    """Sixteen slow answers of one turn tell of one queue: the limit is not cut sixteen times."""
    limiter = Limiter(start=16)
    turn(limiter, SLOW_S, failed)
    assert limiter.limit == int(16 * kept)
    turn(limiter, SLOW_S, failed)
    assert limiter.limit == int(16 * kept * kept)


def test_one_is_always_in_flight() -> None:
    """However often it fails: only a write finds out that the store is well again, and then it grows."""
    limiter = Limiter()
    for _ in range(50):
        turn(limiter, SLOW_S, failed=True)
    assert (limiter.limit, fill(limiter)) == (LEAST, 1)
    turn(limiter, SLOW_S)
    assert limiter.limit == LEAST
    turn(limiter, QUICK_S)
    assert limiter.limit == LEAST + 1


def test_no_room_means_no_more() -> None:
    """Who does not wait, or ends what never began, has a bug."""
    limiter = Limiter(start=1)
    limiter.begin()
    with pytest.raises(RuntimeError, match="1 writes in flight, 1 may be"):
        limiter.begin()
    limiter.end(QUICK_S)
    with pytest.raises(RuntimeError, match="more writes ended than began"):
        limiter.end(QUICK_S)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 60), st.booleans()), max_size=200))
def test_the_bounds_hold_whatever_happens(steps: list[tuple[bool, float, bool]]) -> None:
    """The limit stays from LEAST to MOST, and what is in flight from 0 to what the limit was."""
    limiter = Limiter()
    for begins, latency_s, failed in steps:
        if begins and limiter.has_room():
            limiter.begin()
        elif limiter.in_flight:
            limiter.end(latency_s, failed)
        assert LEAST <= limiter.limit <= MOST
        assert 0 <= limiter.in_flight <= MOST
