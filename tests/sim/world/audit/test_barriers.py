"""Barriers: one for each open decision, vend and event of a reader alone, and none for history."""

from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, A, Stream


def opened() -> Stream:
    """A scan that was decided open, and the DECISION received."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.audit.decision(s.READER, s.BOOT, 1, [1, 0, ONE, A1, "Welcome", None, 1, 3])
    return day


def test_an_open_decision_raises_the_barrier_once() -> None:
    """However often it comes."""
    day = opened()
    day.audit.decision(s.READER, s.BOOT, 1, [1, 0, ONE, A1, "Welcome", None, 1, 3])
    day.audit.barrier(s.READER, s.IN, "decision", 1)
    assert day.kinds == []
    day.audit.barrier(s.READER, s.IN, "decision", 1)
    assert day.kinds == ["barrier"]


@pytest.mark.parametrize(
    ("lane", "why", "no"),
    [(s.OUT, "decision", 1), (s.IN, "decision", 2), (s.IN, "alone", 1), (s.IN, "vend", 0), (s.IN, "mode", 0)],
)
def test_a_barrier_without_its_reason_is_found(lane: int, why: str, no: int) -> None:
    """Another lane, another scan, no vend, no lane held open."""
    day = opened()
    day.audit.barrier(s.READER, lane, why, no)
    assert day.kinds == ["barrier"]


def test_a_refusal_raises_no_barrier() -> None:
    """Whatever the display says."""
    day = Stream()
    day.scan(A, s.OUT, reason=211)
    day.audit.decision(s.READER, s.BOOT, 1, [2, 211, None, None, "No", None, 1, 3])
    day.audit.barrier(s.READER, s.OUT, "decision", 1)
    assert day.kinds == ["barrier"]


def test_history_raises_no_barrier() -> None:
    """What a reader opened for alone went up then, once; its REPLAY moves nothing."""
    day = Stream()
    day.history(A, s.IN, "moved", ONE, A1)
    day.audit.barrier(s.READER, s.IN, "alone", 1)
    day.audit.replayed(s.READER, s.BOOT, 1, [], [], 3)
    assert day.kinds == []
    day.audit.barrier(s.READER, s.IN, "decision", 1)
    assert day.kinds == ["barrier"]


@pytest.mark.parametrize(("name", "effect", "why", "times"), [
    ("open_lane", [0x33, s.READER, s.IN, "help", "ann"], "vend", 1),
    ("set_lane", [0x32, s.READER, s.IN, 2, "ann", ""], "mode", 3),
])  # fmt: skip
def test_an_operator_raises_barriers(name: str, effect: list[Any], why: str, times: int) -> None:
    """A vend once; a lane held open as often as its reader restarts."""
    day = Stream()
    args: dict[str, Any] = {"reader": s.READER, "lane": s.IN, "actor": "ann"}
    args |= {"cause": "help"} if name == "open_lane" else {"mode": 2}
    day.order(b"v" * 16, name, args, effect, {} if name == "open_lane" else {"before": 1, "after": 2})
    for _ in range(times):
        day.audit.barrier(s.READER, s.IN, why, 0)
    assert day.kinds == []
    if why == "vend":
        day.audit.barrier(s.READER, s.IN, why, 0)
        assert day.kinds == ["barrier"]
