"""Once: a reader's event is on record once, as it was told."""

from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, ONE, TWO, A, B, Stream


def test_a_second_record_of_an_event_is_found() -> None:
    """A resend that is decided again stands on record twice."""
    day = Stream()
    no = day.scan(A, s.IN, A1, ONE)
    day.scan(B, s.IN, A2, TWO, no=no)
    assert day.kinds == ["recorded twice"]


def test_an_event_that_nobody_made_is_found() -> None:
    """The engine invents no scans."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE, no=99)
    assert day.kinds == ["nobody's event"]


@pytest.mark.parametrize("other", [{"token": B}, {"token": A + b"0"}])
def test_another_credential_than_was_told_is_found(other: dict[str, Any]) -> None:
    """What was read is what is recorded."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE, **other)
    assert day.kinds == ["told otherwise"]


def test_history_is_never_decided_live() -> None:
    """What a reader did while it was alone stands on record as history."""
    day = Stream()
    no = day.make(s.SCAN, [s.IN, 2, A], alone=True, verdict=1)
    day.write([s.SCAN, s.READER, s.BOOT, no, s.IN, 2, A, 0, 1, 1, 0, 1, "out", ONE, A1, None])
    assert day.kinds == ["history decided"]


def test_history_keeps_the_verdict_that_was_given() -> None:
    """A refusal of the reader's own is not recorded as an opened barrier."""
    day = Stream()
    day.history(A, s.IN, "moved", ONE, A1, verdict=2, given=1)
    assert day.kinds == ["told otherwise"]


@pytest.mark.parametrize(("told_ms", "at_ms", "skew_ms", "kinds"), [
    (-9_000, -9_000, 0, []),
    (-9_000, 0, -9_000, ["wrong time"]),
    (11_000, 0, 11_000, []),
    (11_000, 11_000, 0, ["wrong time"]),
    (11_000, 0, 0, ["wrong time"]),
])  # fmt: skip
def test_time_is_the_readers_unless_it_is_far_off(
    told_ms: int, at_ms: int, skew_ms: int, kinds: list[str]
) -> None:
    """Beyond ten seconds the engine's time decides, and the difference is recorded."""
    day = Stream()
    now_ms, day.at_ms = day.at_ms, day.at_ms + told_ms
    no = day.make(s.SCAN, [s.IN, 2, A])
    day.at_ms = now_ms
    head = [s.SCAN, s.LOT, 3, now_ms + at_ms, s.READER, s.BOOT, no, s.IN, 2, A]
    day.write_raw([[*head, skew_ms, 1, 1, 0, 1, "out", ONE, A1, None]])
    assert day.kinds == kinds
