"""Answered: at the end nothing waits."""

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, A, Stream


def test_an_event_without_an_answer_is_found_at_the_end() -> None:
    """What is recorded but was never answered too."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.rest()
    assert day.kinds == ["never answered"]


@pytest.mark.parametrize("how", ["decision", "ack", "welcomed", "replayed", "dropped", "lost", "rebooted"])
def test_each_kind_of_answer_counts(how: str) -> None:
    """By name, by range, given up as the engine said, or gone with the reader's log."""
    day = Stream()
    no = day.scan(A, s.IN, A1, ONE)
    name = (s.READER, s.BOOT, no)
    match how:
        case "decision":
            day.audit.decision(*name, [1, 0, ONE, A1, "Welcome", None, 1, 3])
        case "ack":
            day.audit.ack(*name, 3)
        case "welcomed":
            day.audit.welcomed(s.READER, s.BOOT, 1, [])
        case "replayed":
            day.audit.replayed(s.READER, s.BOOT, 1, [], [], 3)
        case "dropped":
            day.audit.dropped(*name, 13)
        case "lost":
            day.audit.lost(s.READER, s.BOOT)
        case "rebooted":
            day.audit.welcomed(s.READER, 8, 0, [])
    day.rest()
    assert day.kinds == []
