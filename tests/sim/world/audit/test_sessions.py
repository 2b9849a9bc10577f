"""Sessions: a stay's own name from entry to exit."""

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, INNER, ONE, TWO, A, B, Stream


@pytest.mark.parametrize("session", [ONE, None, b"short"])
def test_a_new_stay_has_a_new_name(session: bytes | None) -> None:
    """Not another's, not none, 16 bytes."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(B, s.IN, A2, session)
    assert day.kinds == ["session twice"]


@pytest.mark.parametrize(("lane", "spot"), [(s.INNER_IN, INNER), (s.OUT, None), (s.OUT_LATER, None)])
def test_a_stay_keeps_its_name(lane: int, spot: str | None) -> None:
    """On the way further in and on the way out."""
    for session, kinds in ((ONE, []), (TWO, ["wrong session"]), (None, ["wrong session"])):
        day = Stream()
        day.scan(A, s.IN, A1, ONE)
        day.scan(A, lane, spot, session)
        assert day.kinds[:1] == kinds


def test_a_refusal_names_the_open_stay() -> None:
    """So that an operator finds it."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(A, s.IN, reason=210, session=ONE)
    assert day.kinds == []
    day.scan(A, s.IN, reason=210)
    assert day.kinds == ["wrong session"]
