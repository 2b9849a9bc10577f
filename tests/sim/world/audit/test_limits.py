"""Limits: stays that are too long, closing times, turning round."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, A, Stream
from tests.sim.world.audit.test_books import FINDING, set_rules

MINUTE_MS = 60_000
CLOSED = [{"from": "09:00", "to": "10:00"}]
"""An hour after a journal by hand begins."""


def limited(**rules: Any) -> Stream:
    day = Stream()
    set_rules(day, {"limits": rules})
    return day


def overstay(day: Stream, limit_s: int = 600, **other: Any) -> list[Any]:
    about = {"session": ONE.hex(), "credential": (b"\2" + A).hex(), "area": "out", "spot": A1}
    about |= {"entered_at_ms": s.START_MS, "limit_s": limit_s} | other
    return [FINDING, "overstay", "…", about]


@pytest.mark.parametrize(("after_ms", "often", "other", "kinds"), [
    (600_000, 1, {}, []), (599_999, 1, {}, ["wrong overstay"]), (600_000, 2, {}, ["wrong overstay"]),
    (600_000, 1, {"area": "in"}, ["wrong overstay"]),
    (600_000, 1, {"session": "00" * 16}, ["wrong overstay"]),
])  # fmt: skip
def test_an_overstay_is_told_once_and_not_before(
    after_ms: int, often: int, other: dict[str, Any], kinds: list[str]
) -> None:
    """Of a car that is inside."""
    day = limited(longest_stay_s=600)
    day.scan(A, s.IN, A1, ONE)
    day.at_ms += after_ms
    for _ in range(often):
        day.write(overstay(day, **other))
    assert day.kinds == kinds


def test_an_overstay_that_nobody_tells_is_found() -> None:
    """After some seconds of an engine that runs."""
    day = limited(longest_stay_s=600)
    day.scan(A, s.IN, A1, ONE)
    day.at_ms += 600_000
    report(day)
    day.at_ms += 6_000
    report(day)
    assert day.kinds == ["no overstay"]


def report(day: Stream) -> None:
    """Something that has nothing to do with it."""
    day.make(s.LANE, [s.IN, 0, False, []])
    day.write([s.LANE, s.READER, s.BOOT, day.no, s.IN, 0, False, []])


@pytest.mark.parametrize(("minutes", "reason", "kinds"), [
    (60, 220, []), (60, 0, ["wrongly opened"]), (59, 220, ["wrongly refused"]), (119, 220, []),
    (120, 220, ["wrongly refused"]),
])  # fmt: skip
def test_no_car_comes_in_from_the_street_in_a_closed_span(
    minutes: int, reason: int, kinds: list[str]
) -> None:
    """And none is refused for it before or after."""
    day = limited(closed=CLOSED)
    day.at_ms += minutes * MINUTE_MS
    day.scan(A, s.IN, None if reason else A1, None if reason else ONE, reason=reason)
    assert day.kinds == kinds


@pytest.mark.parametrize(("utc_minute", "reason", "kinds"), [
    (80, 0, []), (80, 220, ["wrongly refused"]), (95, 0, []), (40, 220, []), (40, 0, ["wrongly opened"]),
])  # fmt: skip
def test_closing_times_are_those_of_the_lots_clock(utc_minute: int, reason: int, kinds: list[str]) -> None:
    """In Berlin, in the night when 02:00 is 03:00: one that would end before it began is none."""
    closed = [{"from": "02:30", "to": "03:10"}, {"from": "01:30", "to": "02:00"}]
    day = limited(closed=closed)
    day.audit.lots[s.LOT].layout.spec["timezone"] = "Europe/Berlin"
    midnight_ms = int(datetime(2027, 3, 28, tzinfo=UTC).timestamp()) * 1000
    day.at_ms = midnight_ms + utc_minute * MINUTE_MS
    day.scan(A, s.IN, None if reason else A1, None if reason else ONE, reason=reason)
    assert day.kinds == kinds


def test_no_exit_is_refused_for_closing_times() -> None:
    """Whoever is in gets out."""
    day = limited(closed=CLOSED)
    day.scan(A, s.IN, A1, ONE)
    day.at_ms += 60 * MINUTE_MS
    day.scan(A, s.OUT, None, ONE, reason=220)
    assert day.kinds == ["wrongly refused"]


def closing(from_min: int = 60, to_min: int = 120, stays: int = 1) -> list[Any]:
    from_ms, to_ms = s.START_MS + from_min * MINUTE_MS, s.START_MS + to_min * MINUTE_MS
    about = {"from_ms": from_ms, "to_ms": to_ms, "stays": stays, "occupancy": 1, "sessions": []}
    return [FINDING, "closing", "…", about]


@pytest.mark.parametrize(("minutes", "events", "kinds"), [
    (60, [closing()], []), (59, [closing()], ["wrong closing"]), (60, [closing()] * 2, ["closing twice"]),
    (60, [closing(stays=2)], ["wrong closing"]), (60, [closing(to_min=121)], ["wrong closing"]),
])  # fmt: skip
def test_a_closing_is_told_once_a_span(minutes: int, events: list[Any], kinds: list[str]) -> None:
    """With who is still in."""
    day = limited(closed=CLOSED)
    day.scan(A, s.IN, A1, ONE)
    day.at_ms += minutes * MINUTE_MS
    for event in events:
        day.write(event)
    assert day.kinds == kinds


def test_a_closing_that_nobody_tells_is_found() -> None:
    """After some seconds of an engine that runs."""
    day = limited(closed=CLOSED)
    day.at_ms += 60 * MINUTE_MS
    report(day)
    day.at_ms += 6_000
    report(day)
    assert day.kinds == ["no closing"]


def test_an_engine_whose_disk_was_full_may_tell_late() -> None:
    """What is due while nothing can be written is told once it can; then it must be."""
    day = limited(closed=CLOSED)
    day.at_ms += 60 * MINUTE_MS
    report(day)
    day.at_ms += 60_000
    day.disk.struck += 240
    report(day)
    assert day.kinds == []
    day.at_ms += 6_000
    report(day)
    assert day.kinds == ["no closing"]


@pytest.mark.parametrize(("after_ms", "marked", "kinds"), [
    (60_000, True, []), (60_000, False, ["turned round"]), (60_001, False, []),
    (60_001, True, ["turned round"]),
])  # fmt: skip
def test_who_leaves_within_the_grace_is_marked(after_ms: int, marked: bool, kinds: list[str]) -> None:
    """And nobody else."""
    day = limited(turn_round_s=60)
    day.scan(A, s.IN, A1, ONE)
    day.at_ms += after_ms
    leave(day, marked)
    assert day.kinds[:1] == kinds


def leave(day: Stream, marked: bool) -> None:
    no = day.make(s.SCAN, [s.OUT, 2, A])
    rare = [None, None, {"turned_round": True}] if marked else None
    day.write([s.SCAN, s.READER, s.BOOT, no, s.OUT, 2, A, 0, 2, 1, 0, 1, "out", ONE, None, rare])


@pytest.mark.parametrize("reason", [402, 403])
def test_who_turns_round_owes_nothing(reason: int) -> None:
    """Whatever the tariff says."""
    day = limited(turn_round_s=60)
    day.scan(A, s.IN, A1, ONE)
    day.scan(A, s.OUT, None, ONE, reason=reason)
    assert day.kinds[0] == "turned round"
