"""The books of areas: the sum is made of what is on record, and what it shows is said once."""

from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, INNER, ONE, TWO, A, B, Stream
from tests.sim.world.audit.test_passback import CARD, FOLLOWED, SOFT, lost, ruled

RULES_SET, FINDING, RECOUNTED, REPORTED = 0x3A, 0x3B, 0x70, 0x71


def kept(**rules: Any) -> Stream:
    """A lot whose ledger began with a car in the outer area, one in the inner one, and one that followed."""
    day = Stream()
    set_rules(day, {"ledger": rules})
    day.scan(A, s.IN, A1, ONE)
    day.scan(A, s.INNER_IN, INNER, ONE)
    day.scan(B, s.IN, A1, TWO)
    day.passage(s.IN, 3, "adrift", None)
    assert day.kinds == []
    return day


def set_rules(day: Stream, rules: dict[str, Any], id: bytes = b"r" * 16) -> None:
    """As a service orders it."""
    args = {"rules": rules, "actor": "ann"}
    day.order(id, "set_rules", args, [RULES_SET, rules, "ann", ""], {"themes": sorted(rules)})


def ledger(day: Stream) -> dict[str, Any]:
    """What the auditor expects QUERY ledger to say."""
    answer: dict[str, Any] = day.audit.lots[s.LOT].themes["ledger"]()
    return answer


def ask(day: Stream, body: Any) -> None:
    """A service asks, and is answered so."""
    day.audit.asked(s.DESK, s.LOT, "ledger", {})
    day.audit.answer(s.DESK, s.LOT, "ledger", {}, True, "", body)


def recount(day: Stream, before: int, after: int, *findings: list[Any]) -> None:
    """Somebody counted the outer area."""
    args = {"counted": {"out": after}, "actor": "ann"}
    day.audit.command(s.DESK, b"c" * 16, s.LOT, "recount", args)
    body = {"areas": {"out": {"before": before, "after": after, "drift": before - after}}}
    done = [s.DONE, b"c" * 16, s.DESK, "recount", True, "", body]
    day.write([RECOUNTED, [["out", before, after]], "ann", ""], *findings, done)


def drift(**areas: int) -> list[Any]:
    return [FINDING, "drift", "…", {"areas": areas}]


def state(kind: str, occupancy: int, area: str = "out", capacity: int = 3) -> list[Any]:
    return [FINDING, kind, "…", {"area": area, "occupancy": occupancy, "capacity": capacity}]


def test_each_way_in_and_out_has_its_line() -> None:
    """What followed is beside what entered, a car in an inner area left the outer one."""
    areas = ledger(kept())["areas"]
    totals = {name: areas["out"][name] for name in ("base", "entered", "left", "followed_in", "occupancy")}
    assert totals == {"base": 0, "entered": 2, "left": 1, "followed_in": 1, "occupancy": 2}
    assert areas["in"]["entered"] == areas["in"]["occupancy"] == 1


@pytest.mark.parametrize(("other", "kinds"), [
    ({}, []), ({"entered": 1, "configured": 1}, ["query otherwise"]), ({"late_in": 1}, ["query otherwise"]),
])  # fmt: skip
def test_an_answer_with_other_lines_is_found(other: dict[str, int], kinds: list[str]) -> None:
    """Also where they make the same sum."""
    day = kept()
    body = ledger(day)
    body["areas"]["out"] |= other
    ask(day, body)
    assert day.kinds == kinds


@pytest.mark.parametrize(("before", "findings", "kinds"), [
    (2, [], []), (1, [], ["wrong recount"]), (2, [drift(out=2)], ["wrong drift"]),
])  # fmt: skip
def test_a_recount_begins_at_the_sum(before: int, findings: list[Any], kinds: list[str]) -> None:
    """From then on only what came after it counts."""
    day = kept()
    recount(day, before, 0, *findings)
    assert day.kinds[:1] == kinds
    if not kinds:
        assert ledger(day)["areas"]["out"]["entered"] == ledger(day)["areas"]["out"]["base"] == 0


@pytest.mark.parametrize(("findings", "kinds"), [
    ([drift(out=2)], []), ([], ["no drift"]), ([drift(out=1)], ["wrong drift"]),
])  # fmt: skip
def test_a_drift_beyond_the_rules_is_said(findings: list[Any], kinds: list[str]) -> None:
    """Right after the number that shows it."""
    day = kept(drift_cars=1)
    recount(day, 2, 0, *findings)
    assert day.kinds[:1] == kinds


def test_a_reported_number_changes_no_count() -> None:
    """It is compared with the ledger's."""
    for expected, kinds in ((2, []), (3, ["wrong recount"])):
        day = kept()
        args = {"area": "out", "counted": 3, "source": "loop", "actor": "ann"}
        body = {"expected": expected, "counted": 3, "drift": expected - 3}
        day.order(b"c" * 16, "report_count", args, [REPORTED, "out", expected, 3, "loop", "ann"], body)
        assert day.kinds[:1] == kinds
        assert ledger(day)["areas"]["out"]["occupancy"] == 2


def overfull() -> Stream:
    """Two more followed: four cars on three spots."""
    day = kept()
    day.passage(s.IN, 3, "adrift", None)
    day.passage(s.IN, 3, "adrift", None)
    return day


def test_an_impossible_count_is_found_once_and_its_end_too() -> None:
    """In seconds."""
    day = overfull()
    day.write(state("above_capacity", 4))
    day.passage(s.OUT, 3, "adrift", None, way=2)
    day.write(state("count_normal", 3))
    assert day.kinds == []


@pytest.mark.parametrize("events", [
    [state("above_capacity", 4)] * 2, [state("below_zero", 4)], [state("above_capacity", 5)],
    [state("count_normal", 4)],
])  # fmt: skip
def test_a_state_that_is_not_so_is_found(events: list[Any]) -> None:
    """Or one that was said already."""
    day = overfull()
    for event in events:
        day.write(event)
    assert day.kinds == ["wrong state"]


def test_an_impossible_count_that_nobody_says_is_found() -> None:
    """After some seconds of an engine that runs."""
    day = overfull()
    for _ in range(4):
        day.at_ms += 2_000
        day.make(0x13, [s.IN, 0, False, []])
        day.write([s.LANE, s.READER, s.BOOT, day.no, s.IN, 0, False, []])
    assert day.kinds == ["impossible count"]


def test_a_recount_is_due_when_the_rules_say() -> None:
    """A lot that was never counted at once, and not again before its time."""
    day = kept(recount_every_s=3600)
    day.write([FINDING, "recount_due", "…", {}])
    assert day.kinds == []
    day.at_ms += 3_599_000
    day.write([FINDING, "recount_due", "…", {}])
    assert day.kinds == ["recount early"]


def booked(**rules: Any) -> Stream:
    """A lot with a ledger, and A inside."""
    day = ruled(ledger={}, **rules)
    day.scan(A, s.IN, A1, ONE)
    return day


def lines(day: Stream, area: str = "out") -> dict[str, int]:
    """The lines of an area that are not 0, and its count."""
    row: dict[str, int] = ledger(day)["areas"][area]
    beside = ("capacity", "recounted_at_ms", "recounted_by", "reported", "drift", "late_in", "late_out")
    return {name: cars for name, cars in row.items() if cars and name not in beside}


def test_a_stay_that_ends_without_an_exit_is_closed() -> None:
    """By rule, by hand, or as its ticket was lost and not replaced; a replaced one goes on."""
    day = booked(identity={"close_after_s": 3600})
    entered_ms = day.at_ms
    day.at_ms += 3_600_000
    closed = [0x63, ONE, CARD + A, "out", A1, entered_ms, "presumed gone", ""]
    day.write(closed, [FINDING, "presumed gone", "1 stay", {"stays": 1}])
    assert (lines(day), day.kinds) == ({"entered": 1, "closed": 1}, [])
    for replacement, left in (
        (None, {"entered": 1, "closed": 1}),
        (CARD + B, {"entered": 1, "occupancy": 1}),
    ):
        day = booked(identity={})
        lost(day, replacement)
        assert (lines(day), day.kinds) == (left, [])


def test_a_car_that_an_attendant_names_entered_and_is_no_stranger() -> None:
    """One followed in; then it has a stay of its own."""
    day = booked(identity={})
    day.passage(s.IN, 3, "adrift", None)
    args = {"replacement": {"kind": 2, "token": B}, "entered_at_ms": s.START_MS, "create": True}
    args |= {"cause": "gone", "actor": "ann", "area": "out"}
    named = [0x65, TWO, CARD + B, "out", s.START_MS, {"unknown_entry": True}, "gone", "ann"]
    body = {"session": TWO, "entered_at_ms": s.START_MS, "area": "out", "created": True}
    day.order(b"n" * 16, "lost_ticket", args, named, body)
    assert lines(day) == {"entered": 2, "followed_in": 1, "named": -1, "occupancy": 2}
    assert day.kinds == []


@pytest.mark.parametrize(("lane", "left"), [(s.OUT, {"left": 1}), (s.OUT_LATER, {"occupancy": 1})])
def test_an_exit_of_unknown_entry_names_its_car(lane: int, left: dict[str, int]) -> None:
    """At once, or where the lane confirms it is still inside."""
    day = ruled(ledger={}, passback={"doubt": ["followed"]})
    day.passage(s.IN, 3, "adrift", None)
    day.scan(B, lane, None, TWO, reason=211, marks=FOLLOWED, **SOFT)
    assert (lines(day), day.kinds) == ({"entered": 1, "followed_in": 1, "named": -1} | left, [])


def test_a_car_that_followed_out_and_is_seen_again_was_not_another() -> None:
    """It was counted out without a name; its stay gives way, and that one car counts once."""
    day = booked(passback={"doubt": ["followed"]})
    day.passage(s.OUT, 3, "adrift", None)
    marks = {"passback": "followed", "unnamed": ["out", 1]}
    day.scan(A, s.IN, s.A2, TWO, reason=210, marks=marks, **SOFT)
    expected = {"entered": 2, "closed": 1, "followed_out": 1, "named": 1, "occupancy": 1}
    assert (lines(day), day.kinds) == (expected, [])
