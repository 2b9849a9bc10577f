"""Moves: what an opened barrier and a passage do, and promises that end in time."""

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, TWO, A, B, Stream


@pytest.mark.parametrize(("lane", "effect", "kinds"), [
    (s.IN, 1, []), (s.IN, 2, ["wrong move"]), (s.IN, 0, ["wrong move"]),
    (s.IN_LATER, 2, []), (s.IN_LATER, 1, ["wrong move"]),
])  # fmt: skip
def test_a_lane_that_confirms_promises(lane: int, effect: int, kinds: list[str]) -> None:
    """Another one moves at once."""
    day = Stream()
    day.scan(A, lane, A1, ONE, effect=effect)
    assert day.kinds == kinds


def test_a_refusal_moves_nobody() -> None:
    """Whatever the refusal says about where the car was going."""
    day = Stream()
    day.scan(A, s.OUT, reason=211, effect=1)
    assert day.kinds == ["wrong move"]


def test_a_lane_for_both_takes_who_is_inside_as_leaving() -> None:
    """In for one who is outside."""
    for way, kinds in ((2, []), (1, ["wrong move"])):
        day = Stream()
        day.scan(A, s.BOTH, A1, ONE)
        day.scan(A, s.BOTH, None, ONE, way=way)
        assert day.kinds == kinds


@pytest.mark.parametrize(("what", "effect", "session", "kinds"), [
    (1, "moved", ONE, []), (2, "withdrawn", ONE, []), (3, "adrift", None, []), (4, "", None, []),
    (1, "moved", TWO, ["wrong move"]), (1, "adrift", None, ["wrong move"]),
    (1, "withdrawn", ONE, ["wrong move"]),
    (2, "", None, ["wrong move"]), (2, "moved", ONE, ["wrong move"]), (3, "", None, ["wrong move"]),
    (3, "moved", ONE, ["wrong move"]), (4, "adrift", None, ["wrong move"]),
])  # fmt: skip
def test_a_passage_is_about_the_one_that_waits_longest(
    what: int, effect: str, session: bytes | None, kinds: list[str]
) -> None:
    """And counts what its kind counts."""
    day = Stream()
    day.scan(A, s.IN_LATER, A1, ONE)
    day.scan(B, s.IN_LATER, "P1-A-002", TWO)
    day.passage(s.IN_LATER, what, effect, session)
    assert day.kinds == kinds


def test_a_passage_names_its_stay() -> None:
    """The one that it names, not the one that waits longest."""
    for session, kinds in ((TWO, []), (ONE, ["told otherwise", "wrong move"])):
        day = Stream()
        day.scan(A, s.IN_LATER, A1, ONE)
        day.scan(B, s.IN_LATER, "P1-A-002", TWO)
        day.passage(s.IN_LATER, 1, "moved", session, told=TWO)
        assert day.kinds == kinds


@pytest.mark.parametrize(("lane", "effect", "kinds"), [
    (s.IN_LATER, "adrift", []), (s.IN_LATER, "", ["wrong move"]),
    (s.IN, "", []), (s.IN, "adrift", ["wrong move"]),
])  # fmt: skip
def test_a_passage_of_nobody_counts_where_the_lane_confirms(lane: int, effect: str, kinds: list[str]) -> None:
    """Where it does not, the scan has counted the car already."""
    day = Stream()
    day.passage(lane, 1, effect, None)
    assert day.kinds == kinds


@pytest.mark.parametrize(("later_ms", "session", "kinds"), [
    (60_000, ONE, []), (59_999, ONE, ["wrong lapse"]), (60_000, TWO, ["wrong lapse"]),
])  # fmt: skip
def test_a_promise_lapses_after_its_time(later_ms: int, session: bytes, kinds: list[str]) -> None:
    """Not earlier, and only one that waits."""
    day = Stream()
    day.scan(A, s.IN_LATER, A1, ONE)
    day.at_ms += later_ms
    day.write([s.LAPSED, session])
    assert day.kinds == kinds


def test_a_promise_that_never_lapses_is_found_at_the_end() -> None:
    """Some seconds after its time."""
    for later_ms, kinds in ((60_000, []), (63_000, ["never lapsed"])):
        day = Stream()
        no = day.scan(A, s.IN_LATER, A1, ONE)
        day.audit.ack(s.READER, s.BOOT, no, 3)
        day.at_ms += later_ms
        day.rest()
        assert day.kinds == kinds


@pytest.mark.parametrize(("lane", "effect", "session", "spot", "kinds"), [
    (s.IN, "moved", ONE, A1, []), (s.IN, "promised", ONE, A1, ["wrong move"]),
    (s.IN, "", ONE, A1, ["wrong move"]),
    (s.IN_LATER, "promised", ONE, A1, []), (s.IN_LATER, "moved", ONE, A1, ["wrong move"]),
    (s.OUT, "adrift", None, None, []), (s.OUT, "", None, None, ["wrong move"]),
    (s.OUT_LATER, "", None, None, []), (s.OUT_LATER, "adrift", None, None, ["wrong move"]),
])  # fmt: skip
def test_history_moves_as_the_live_event_would(
    lane: int, effect: str, session: bytes | None, spot: str | None, kinds: list[str]
) -> None:
    """A car that nobody knew to be in counts at once, or by its passage where there is one."""
    day = Stream()
    day.history(A, lane, effect, session, spot, finding=211 if session is None else 0)
    assert day.kinds == kinds


def test_a_passage_of_history_is_about_who_waited_then() -> None:
    """Not about who waits at the lane now."""
    for session, kinds in ((ONE, []), (TWO, ["wrong move"])):
        day = Stream()
        day.history(A, s.IN_LATER, "promised", ONE, A1)
        day.at_ms += 61_000
        day.write([s.LAPSED, ONE])
        day.scan(B, s.IN_LATER, A1, TWO)
        then_ms = day.at_ms - 60_000
        no = day.no = day.no + 1
        day.audit.event_made(s.READER, s.BOOT, no, s.PASSAGE, [then_ms, s.IN_LATER, 1, None], True, 0)
        head = [s.HISTORY, s.LOT, day.seq + 1, then_ms, s.READER, s.BOOT, no, s.IN_LATER]
        day.write_raw([[*head, s.PASSAGE, 0, 0, 1, "out", session, None, "moved", [1, None]]])
        assert day.kinds == kinds
