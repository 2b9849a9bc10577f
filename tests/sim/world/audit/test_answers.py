"""Answers: from what is durable, as on record, and the same to the same event."""

from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, A, Stream


def decided() -> Stream:
    """One scan on record, number 1, position 3."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    return day


def answer(**other: Any) -> list[Any]:
    """The right DECISION to it, but for what is given."""
    right = {"verdict": 1, "reason": 0, "session": ONE, "spot": A1, "text": "Welcome", "price": None}
    return list({**right, "durable": 1, "position": 3, **other}.values())


def test_the_recorded_answer_is_right_as_often_as_it_is_given() -> None:
    """A resend gets the first answer."""
    day = decided()
    for _ in range(3):
        day.audit.decision(s.READER, s.BOOT, 1, answer())
    assert day.kinds == []


@pytest.mark.parametrize(
    "other",
    [{"verdict": 2}, {"reason": 300}, {"session": None}, {"spot": "P1-A-002"}, {"price": [1, "EUR"]},
     {"durable": 2}, {"position": 4}],
)  # fmt: skip
def test_any_other_answer_is_found(other: dict[str, Any]) -> None:
    """Each field of a DECISION says what is on record."""
    day = decided()
    day.audit.decision(s.READER, s.BOOT, 1, answer(**other))
    assert "answered otherwise" in day.kinds


def test_another_text_the_second_time_is_found() -> None:
    """The same answer, to the letter."""
    day = decided()
    day.audit.decision(s.READER, s.BOOT, 1, answer())
    day.audit.decision(s.READER, s.BOOT, 1, answer(text="Goodbye"))
    assert day.kinds == ["another answer"]


def test_an_answer_before_it_is_durable_is_found() -> None:
    """DECISION and ACK of what is on no disk."""
    day = decided()
    day.audit.decision(s.READER, s.BOOT, 2, answer())
    day.audit.ack(s.READER, s.BOOT, 2, 4)
    assert day.kinds == ["answered, not durable"] * 2


def test_history_gets_no_verdict() -> None:
    """A scan out of a REPLAY that comes again live gets 205, not the recorded opening."""
    day = Stream()
    day.history(A, s.IN, "moved", ONE, A1)
    day.audit.decision(s.READER, s.BOOT, 1, answer(verdict=2, reason=205, position=0))
    assert day.kinds == []
    day.audit.decision(s.READER, s.BOOT, 1, answer())
    assert day.kinds == ["history answered"]


def test_a_young_answer_is_not_forgotten() -> None:
    """205 for one of the last 256 answers breaks the promise; after 256 more it is right."""
    day = decided()
    forgotten = answer(verdict=2, reason=205, position=0)
    for _ in range(256):
        no = day.make(s.LANE, [s.IN, 0, False, []])
        day.write([s.LANE, s.READER, s.BOOT, no, s.IN, 0, False, []])
    day.audit.decision(s.READER, s.BOOT, 1, forgotten)
    assert day.kinds == []
    day.audit.decision(s.READER, s.BOOT, 2, forgotten)
    assert day.kinds == ["answer forgotten"]


def test_an_ack_names_the_records_position() -> None:
    """Position 0 says that the answer is no longer kept, which is too early here."""
    day = Stream()
    no = day.passage(s.IN, 3, "adrift", None)
    day.audit.ack(s.READER, s.BOOT, no, 3)
    assert day.kinds == []
    day.audit.ack(s.READER, s.BOOT, no, 0)
    assert day.kinds == ["answered otherwise"]


@pytest.mark.parametrize(("done_to", "gaps", "kinds"), [
    (1, [], []),
    (0, [(1, 1)], []),
    (2, [], ["answered, not durable"]),
    (1, [(3, 4)], ["answered, not durable"]),
])  # fmt: skip
def test_welcome_names_what_is_durable(done_to: int, gaps: list[Any], kinds: list[str]) -> None:
    """A reader throws away what WELCOME and REPLAYED call durable."""
    for told in ("welcomed", "replayed"):
        day = decided()
        rest: tuple[Any, ...] = ([], 3) if told == "replayed" else ()
        getattr(day.audit, told)(s.READER, s.BOOT, done_to, gaps, *rest)
        assert day.kinds == kinds


def test_findings_of_a_replay_are_those_on_record() -> None:
    """And its position is durable."""
    day = Stream()
    day.history(A, s.OUT, "adrift", None, finding=211)
    day.audit.replayed(s.READER, s.BOOT, 1, [], [(1, 211)], 3)
    assert day.kinds == []
    day.audit.replayed(s.READER, s.BOOT, 1, [], [(1, 300)], 3)
    day.audit.replayed(s.READER, s.BOOT, 1, [], [], 4)
    assert day.kinds == ["answered otherwise", "answered, not durable"]
