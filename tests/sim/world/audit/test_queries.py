"""Queries: answers show the lot as it was between question and answer."""

from typing import Any

import pytest

from liftgate.sim.world.audit.queries import VIEWS
from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, ONE, TWO, A, B, Stream

SESSION = {"credential": A, "kind": 2}


def view(day: Stream, name: str, args: dict[str, Any]) -> Any:
    return VIEWS[name](day.audit.lots[s.LOT], args)


def changes(day: Stream) -> None:
    """Something that each of the three questions sees."""
    day.scan(A, s.IN, A1, ONE)
    no = day.make(s.LANE, [s.IN, 1, True, ["hot"]])
    day.write([s.LANE, s.READER, s.BOOT, no, s.IN, 1, True, ["hot"]])


@pytest.mark.parametrize(("name", "args"), [("occupancy", {}), ("session", SESSION), ("lanes", {})])
def test_an_answer_is_from_between_question_and_answer(name: str, args: dict[str, Any]) -> None:
    """Before the question is too early."""
    for asked_first, kinds in ((True, []), (False, ["query otherwise"])):
        day = Stream()
        before = view(day, name, args)
        if asked_first:
            day.audit.asked(s.DESK, s.LOT, name, args)
        changes(day)
        if not asked_first:
            day.audit.asked(s.DESK, s.LOT, name, args)
        day.audit.answer(s.DESK, s.LOT, name, args, *before)
        assert day.kinds == kinds


@pytest.mark.parametrize(("name", "args"), [("occupancy", {}), ("session", SESSION), ("lanes", {})])
def test_what_was_at_no_time_is_found(name: str, args: dict[str, Any]) -> None:
    """One thing more in the body than there is."""
    day = Stream()
    day.audit.asked(s.DESK, s.LOT, name, args)
    changes(day)
    ok, code, body = view(day, name, args)
    day.audit.answer(s.DESK, s.LOT, name, args, ok, code, {**body, "more": 1})
    assert day.kinds == ["query otherwise"]


def test_who_waits_is_moving() -> None:
    """An open stay before the barrier has its held spot."""
    day = Stream()
    day.scan(A, s.IN_LATER, A1, ONE)
    assert view(day, "session", SESSION)[2] == {
        "session": ONE,
        "entered_at_ms": day.at_ms,
        "area": None,
        "spot": A1,
        "moving": True,
        "paid_until_ms": 0,
    }


def test_why_explains_the_recorded_decision() -> None:
    """Live by verdict and reason, history by what was given and its finding."""
    day = Stream()
    day.scan(A, s.OUT, reason=211)
    day.history(B, s.OUT, "adrift", None, finding=211)
    for no, verdict, reason in ((1, 2, 211), (2, 1, 211)):
        asked = {"reader": s.READER, "boot": s.BOOT, "no": no}
        body = {"verdict": verdict, "reason": reason, "trace": []}
        day.audit.answer(s.DESK, s.LOT, "why", asked, True, "", body)
        assert day.kinds == []
    day.audit.answer(s.DESK, s.LOT, "why", asked, True, "", {**body, "reason": 0})
    assert day.kinds == ["query otherwise"]


def test_two_questions_are_answered_in_turn() -> None:
    """The second by what is there after the second."""
    day = Stream()
    empty = view(day, "occupancy", {})
    day.audit.asked(s.DESK, s.LOT, "occupancy", {})
    day.scan(A, s.IN, A1, ONE)
    day.audit.asked(s.DESK, s.LOT, "occupancy", {})
    day.scan(B, s.IN, A2, TWO)
    day.audit.answer(s.DESK, s.LOT, "occupancy", {}, *empty)
    assert day.kinds == []
    day.audit.answer(s.DESK, s.LOT, "occupancy", {}, *empty)
    assert day.kinds == ["query otherwise"]
