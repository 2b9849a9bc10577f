"""Spots: each car the nearest free one, and no spot twice."""

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, INNER, ONE, TWO, A, B, Stream


@pytest.mark.parametrize("spot", ["P1-A-001", "P1-B-001", "P2-A-001", "P1-A-003", None])
def test_a_spot_that_is_not_the_nearest_free_one_is_found(spot: str | None) -> None:
    """Taken, of another class, of another area, not there, or none at all."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(B, s.IN, spot, TWO)
    assert day.kinds[0] == "wrong spot"


def test_a_scan_again_at_the_barrier_keeps_the_spot() -> None:
    """The same session and spot, not the next one."""
    day = Stream()
    day.scan(A, s.IN_LATER, A1, ONE)
    day.scan(A, s.IN_LATER, A1, ONE)
    assert day.kinds == []
    day.scan(A, s.IN_LATER, A2, ONE)
    assert day.kinds == ["wrong spot"]


def test_a_held_spot_is_nobody_elses_until_it_lapses() -> None:
    """Promised is taken; after the lapse it is free."""
    day = Stream()
    day.scan(A, s.IN_LATER, A1, ONE)
    day.scan(B, s.IN, A2, TWO)
    day.at_ms += 60_000
    day.write([s.LAPSED, ONE])
    day.scan(b"c", s.IN, A1, s.THREE)
    day.passage(s.IN_LATER, 1, "moved", ONE, told=ONE)
    assert day.kinds == []
    day.scan(b"d", s.IN, A1, s.session(4))
    assert day.kinds[0] == "wrongly opened"


def test_a_spot_released_too_early_is_found() -> None:
    """Who is in the inner area has given up the spot outside; who is promised one there has not."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(A, s.OUT_LATER, None, ONE)
    day.scan(B, s.IN, A1, TWO)
    assert day.kinds[0] == "wrong spot"
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(A, s.INNER_IN, INNER, ONE)
    day.scan(B, s.IN, A1, TWO)
    assert day.kinds == []
