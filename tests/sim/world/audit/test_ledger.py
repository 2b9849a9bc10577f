"""The ledger: occupancy is a sum of what is on record."""

from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, INNER, ONE, TWO, A, B, Stream


def body(**out: int) -> dict[str, Any]:
    """What the lot should say with two cars outside and one inside; out: otherwise, of the outer area."""
    outer = {"capacity": 3, "occupancy": 2, "held": 0, "available": 1, **out}
    inner = {"capacity": 1, "occupancy": 1, "held": 0, "available": 0}
    whole = {name: outer[name] + inner[name] for name in outer}
    return {**whole, "areas": {"out": outer, "in": inner}}


def counted() -> Stream:
    """One car in the inner area, one outside, one more that followed without a name."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(A, s.INNER_IN, INNER, ONE)
    day.scan(B, s.IN, A1, TWO)
    day.passage(s.IN, 3, "adrift", None)
    day.audit.lost(s.READER, s.BOOT)
    return day


@pytest.mark.parametrize("other", [{"occupancy": 1}, {"held": 1}, {"capacity": 4}, {"available": 0}])
def test_counts_that_are_not_the_sum_are_found_at_the_end(other: dict[str, int]) -> None:
    """Of the whole lot and of each area."""
    day = counted()
    day.audit.rest({s.LOT: body()})
    assert day.kinds == []
    day.audit.rest({s.LOT: body(**other)})
    assert day.kinds == ["ledger"]


@pytest.mark.parametrize(("before", "after", "kinds"), [(2, 0, []), (1, 0, ["ledger"]), (2, -1, ["ledger"])])
def test_a_correction_begins_at_the_sum(before: int, after: int, kinds: list[str]) -> None:
    """And does not end below zero."""
    day = counted()
    args = {"area": "out", "to": after, "actor": "ann", "reason": ""}
    effect = [0x31, "out", before, after, "ann", ""]
    day.order(b"c" * 16, "correct_count", args, effect, {"before": before, "after": after})
    assert day.kinds == kinds


def test_a_live_admission_into_a_full_area_is_found() -> None:
    """By the reason that is missing, and by what is available after it."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.passage(s.IN, 3, "adrift", None)
    day.passage(s.IN, 3, "adrift", None)
    assert day.kinds == []
    day.scan(B, s.IN, A2, TWO)
    assert day.kinds[0] == "wrongly opened"


def test_history_may_fill_an_area_above_its_capacity() -> None:
    """A car that is in is in."""
    day = Stream()
    for number, token in enumerate((b"a", b"b", b"c", b"d"), 1):
        spot = f"P1-A-00{number}" if number < 3 else None
        finding = {3: 301, 4: 300}.get(number, 0)
        if number == 4:
            day.passage(s.IN, 3, "adrift", None)
        day.history(token, s.IN, "moved", s.session(number), spot, finding=finding)
    assert day.kinds == []
