"""Reasons, access and anti-passback: no barrier opens against a rule, and no refusal is made up."""

from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, INNER, ONE, TWO, A, B, C, Stream

CARD = b"\x02"


def test_an_untrue_reason_is_found() -> None:
    """Nothing spoke against the first card of the day."""
    for reason in (100, 101, 200, 201, 210, 211, 300, 301, 402, 500):
        day = Stream()
        day.scan(A, s.IN, reason=reason)
        assert day.kinds == ["wrongly refused"]


def prepare(day: Stream, *events: list[Any]) -> None:
    """What operators did before; each with a command of its own."""
    orders = {0x32: "set_lane", 0x35: "deny_credential", 0x37: "register_credential", 0x39: "reset_passback"}
    args = {
        "set_lane": lambda e: {"reader": e[1], "lane": e[2], "mode": e[3], "actor": "ann"},
        "deny_credential": lambda e: {"kind": 2, "token": e[1][1:], "actor": "ann"},
        "register_credential": lambda e: {"kind": 2, "token": e[1][1:], "classes": e[2], "actor": "ann"},
        "reset_passback": lambda e: {"kind": 2, "token": e[1][1:], "actor": "ann"},
    }
    for event in events:
        name = orders[event[0]]
        lot = day.audit.lots[s.LOT]
        inside = any(stay.credential == event[1] for stay in lot.stays.open.values())
        body: dict[str, Any] = {"inside": inside}
        if event[0] == 0x32:
            body = {"before": lot.mode(lot.layout.lanes[event[1], event[2]]), "after": event[3]}
        elif event[0] == 0x37:
            body = {"new": event[1] not in lot.known}
        day.order(day.position.to_bytes(16, "big"), name, args[name](event), event, body)
    assert day.audit.findings == []


def closed(lane: int, mode: int) -> list[Any]:
    return [0x32, s.READER, lane, mode, "ann", ""]


RESET = [0x39, CARD + A, "ann", ""]
DENIED = [0x35, CARD + A, "ann", ""]


@pytest.mark.parametrize(("before", "lane", "true"), [
    ([closed(s.IN, 4)], s.IN, 100),
    ([closed(s.IN, 3)], s.IN, 100),
    ([closed(s.IN, 2)], s.IN, 0),
    ([closed(s.IN, 5)], s.IN, 200),
    ([DENIED], s.IN, 201),
    ([], s.INNER_IN, 211),
    ([], s.OUT, 211),
    ([RESET], s.OUT, 0),
])  # fmt: skip
def test_access_and_whereabouts_of_a_car_outside(before: list[Any], lane: int, true: int) -> None:
    """The true reason refuses, and an opened barrier against it is found; and the other way round."""
    refused, opened = Stream(), Stream()
    effect = "adrift" if lane == s.OUT else "moved"
    for day in (refused, opened):
        prepare(day, *before)
    refused.scan(A, lane, reason=true or 100)
    assert refused.kinds == ([] if true else ["wrongly refused"])
    spot = {s.IN: A1, s.INNER_IN: INNER}.get(lane)
    opened.scan(A, lane, spot, ONE if effect == "moved" else None)
    assert opened.kinds == ([] if not true else ["wrongly opened"])


@pytest.mark.parametrize(("before", "lane", "true"), [
    ([], s.IN, 210),
    ([], s.OUT, 0),
    ([DENIED], s.OUT, 0),
    ([closed(s.OUT, 3)], s.OUT, 0),
    ([closed(s.OUT, 4)], s.OUT, 100),
    ([], s.INNER_IN, 0),
    ([], s.INNER_OUT, 211),
    ([RESET], s.INNER_OUT, 0),
])  # fmt: skip
def test_access_and_whereabouts_of_a_car_inside(before: list[Any], lane: int, true: int) -> None:
    """The way out is closed by mode 4 alone; the deny list locks nobody in."""
    refused, opened = Stream(), Stream()
    for day in (refused, opened):
        day.scan(A, s.IN, A1, ONE)
        prepare(day, *before)
    refused.scan(A, lane, session=ONE, reason=true or 211)
    assert refused.kinds == ([] if true else ["wrongly refused"])
    opened.scan(A, lane, INNER if lane == s.INNER_IN else None, ONE)
    assert opened.kinds[:1] == ([] if not true else ["wrongly opened"])


def test_a_reset_lets_a_car_in_twice_as_another_stay() -> None:
    """Its old stay ends; forgiven once, not twice."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    prepare(day, RESET)
    day.scan(A, s.IN, A2, TWO)
    day.scan(B, s.IN, A1, s.THREE)
    assert day.kinds == []
    day.scan(A, s.IN, "P1-A-001", s.session(9))
    assert day.kinds[0] == "wrongly opened"


def test_a_kind_that_the_lane_does_not_take() -> None:
    """NTAG 424 is taken nowhere, a plate is."""
    day = Stream()
    day.scan(A, s.IN, reason=101, kind=3)
    day.scan(A, s.IN, A1, ONE, kind=4)
    assert day.kinds == []
    day.scan(B, s.IN, A2, TWO, kind=3)
    assert day.kinds == ["wrongly opened"]


def test_full_is_true_only_where_no_spot_is_left() -> None:
    """300 by count, 301 while a spot of another class is free."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(B, s.IN, A2, TWO)
    day.scan(C, s.IN, reason=301)
    prepare(day, [0x37, CARD + C, ["standard", "permit"], "ann"])
    day.scan(C, s.IN, "P1-B-001", s.THREE)
    day.scan(b"d", s.IN, reason=300)
    assert day.kinds == []
    day.scan(b"d", s.IN, reason=301)
    assert day.kinds == ["wrongly refused"]


def test_who_is_let_out_of_an_inner_area_holds_no_place_outside() -> None:
    """At the entry to the outer area it needs room like anybody else."""
    for reason, kinds in ((300, []), (0, ["wrongly opened"])):
        day = Stream()
        day.scan(A, s.IN, A1, ONE)
        day.scan(A, s.INNER_IN, INNER, ONE)
        day.scan(B, s.IN, A1, TWO)
        day.scan(C, s.IN, A2, s.THREE)
        day.passage(s.IN, 3, "adrift", None)
        day.scan(A, s.INNER_OUT_LATER, None, ONE)
        prepare(day, RESET)
        day.scan(A, s.IN, None, ONE if reason else s.session(4), reason=reason)
        assert day.kinds[:1] == kinds


@pytest.mark.parametrize(("lane", "verdict", "finding", "kinds"), [
    (s.IN, 1, 0, []),
    (s.IN, 1, 300, ["wrong finding"]),
    (s.IN, 2, 500, []),
    (s.IN, 2, 0, ["wrong finding"]),
    (s.OUT, 1, 211, []),
    (s.OUT, 1, 0, ["wrong finding"]),
    (s.OUT, 2, 0, []),
    (s.OUT, 2, 500, ["wrong finding"]),
])  # fmt: skip
def test_findings_of_history_are_what_the_rules_say(
    lane: int, verdict: int, finding: int, kinds: list[str]
) -> None:
    """History is taken as it happened; what the rules would have decided otherwise is its finding."""
    day = Stream()
    effect, session, spot = ("moved", ONE, A1) if lane == s.IN else ("adrift", None, None)
    if verdict == 2:
        effect, session, spot = "", None, None
    day.history(A, lane, effect, session, spot, verdict=verdict, finding=finding)
    assert day.kinds == kinds
