"""The auditor as a whole: a day without fault has no finding, and a bad record ends the reading."""

from liftgate.sim.world.audit import records
from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, INNER, ONE, THREE, TWO, A, B, C, Stream


def test_a_good_day_has_no_finding() -> None:
    """Entries, exits, an inner area, confirmations, a lapse, a late passage, history and orders."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(A, s.INNER_IN, INNER, ONE)
    day.scan(B, s.IN_LATER, A1, TWO)
    day.passage(s.IN_LATER, 1, "moved", TWO)
    day.scan(C, s.IN, A2, THREE)
    day.scan(b"late", s.IN, reason=301)
    day.scan(A, s.OUT, None, ONE)
    day.scan(C, s.OUT_LATER, None, THREE)
    day.at_ms += 60_000
    day.write([s.LAPSED, THREE])
    day.passage(s.OUT_LATER, 1, "moved", THREE, told=THREE)
    day.history(b"gone", s.OUT, "adrift", None, finding=211)
    day.order(b"1" * 16, "correct_count", _count(1), [0x31, "out", 0, 1, "ann", "seen"], _body(0, 1))
    day.passage(s.IN, 3, "adrift", None)
    assert day.audit.findings == []


def _count(to: int) -> dict[str, object]:
    return {"area": "out", "to": to, "actor": "ann", "reason": "seen"}


def _body(before: int, after: int) -> dict[str, object]:
    return {"before": before, "after": after}


def test_a_bad_record_is_a_finding() -> None:
    """One flipped bit in a record that a commit called durable is found."""
    day = Stream()
    day.segment += s.encode([[s.LAPSED, s.LOT, 3, 5, ONE]], 3, s.START_MS)
    day.segment[-1] ^= 1
    day.commit()
    assert day.kinds == ["bad record"]


def test_an_event_of_an_unknown_type_is_a_finding() -> None:
    """What the auditor does not know it does not pass over."""
    day = Stream()
    day.write([0x7F, 1])
    assert day.kinds == ["bad record"]


def test_every_event_type_is_folded() -> None:
    """Whoever adds a type to the fields adds what it does."""
    from liftgate.sim.world.audit import facts

    assert set(facts._FOLDS) == set(records.FIELDS)
