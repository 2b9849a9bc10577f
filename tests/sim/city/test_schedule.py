from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from liftgate.sim.city.schedule import HOUR_MS, Schedule, busiest, inside_at, plan
from liftgate.sim.city.stays import Stay, parse, recorded
from liftgate.sim.city.traffic import Direction, Movement
from tests.sim.city.stories import HEADER, MINUTE_MS, line, stay_lists, story

TRAFFIC = recorded()
NOW_MS = 5_000


def _plain_count(moves: list[Movement]) -> dict[str, int]:
    """What an engine that refuses nothing would hold after these movements; empty lots left out."""
    inside: defaultdict[str, set[bytes]] = defaultdict(set)
    for move in moves:
        (inside[move.lot].add if move.direction is Direction.ENTRY else inside[move.lot].remove)(move.token)
    return {lot: len(tokens) for lot, tokens in inside.items() if tokens}


def _positive(counts: dict[str, int]) -> dict[str, int]:
    return {lot: inside for lot, inside in counts.items() if inside}


@given(stay_lists, st.integers(0, 79), st.integers(1, 60), st.integers(1, 200_000))
def test_opening_and_movements_end_at_the_truth(
    stays: list[Stay], start: int, length: int, speed: int
) -> None:
    """For any stretch and speed, those inside at its start plus its movements are those inside at its end."""
    traffic = story(stays)
    start_ms = traffic.from_ms + start * MINUTE_MS
    assume(start_ms < traffic.to_ms)
    schedule = Schedule(traffic, start_ms, min(start_ms + length * MINUTE_MS, traffic.to_ms), speed)
    schedule.begin(NOW_MS)
    driven = [*schedule.opening]
    while (next_ms := schedule.next_due_ms()) is not None:
        assert schedule.due(next_ms - 1) == ()
        due = schedule.due(next_ms)
        assert due
        driven += due
        assert _plain_count(driven) == _positive(schedule.expected())
    assert _plain_count(driven) == _positive(schedule.final())
    assert not _plain_count([*driven, *schedule.closing])


@pytest.mark.parametrize("for_s", [2, 20, 60])
def test_recorded_stretch_starts_and_ends_busy(for_s: int) -> None:
    """A run of some seconds at 3600 times begins with cars to drive in and has hundreds of movements."""
    schedule = plan(TRAFFIC, 3600, for_s * 1000)
    assert schedule.end_ms - schedule.start_ms == for_s * HOUR_MS
    assert len(schedule.opening) == sum(
        TRAFFIC.truth.inside(lot.id, schedule.start_ms - 1) for lot in TRAFFIC.lots
    )
    assert schedule.opening
    assert schedule.remaining > 25 * for_s
    assert sum(schedule.final().values()) >= 10


def test_everything_is_due_once_and_in_order() -> None:
    """However seldom the caller asks, it gets each movement of the stretch once, in the story's order."""
    schedule = plan(TRAFFIC, 3600, 20_000)
    schedule.begin(NOW_MS)
    total = schedule.remaining
    got = [move for now_ms in range(NOW_MS, NOW_MS + 20_001, 777) for move in schedule.due(now_ms)]
    got += schedule.due(schedule.ends_at_ms())
    assert len(got) == total
    assert got == [m for m in TRAFFIC.movements if schedule.start_ms <= m.at_ms < schedule.end_ms]
    assert (schedule.remaining, schedule.next_due_ms(), schedule.due(NOW_MS + 99_999)) == (0, None, ())


def test_expected_is_the_opening_before_anything_is_due() -> None:
    """Before the first movement the truth is what was driven in."""
    schedule = plan(TRAFFIC, 3600, 20_000)
    schedule.begin(NOW_MS)
    assert _positive(schedule.expected()) == _plain_count([*schedule.opening])


def test_clocks_meet() -> None:
    """start_ms is now_ms at begin; speed ms of data pass in one; the end is never passed."""
    schedule = plan(TRAFFIC, 3600, 20_000)
    schedule.begin(NOW_MS)
    assert schedule.data_ms(NOW_MS) == schedule.start_ms
    assert schedule.data_ms(NOW_MS + 2) == schedule.start_ms + 7_200
    assert schedule.ends_at_ms() == NOW_MS + 20_000
    assert schedule.data_ms(NOW_MS + 30_000) == schedule.end_ms


@pytest.mark.parametrize("for_ms", [None, 10_000_000])
def test_without_a_length_the_whole_story_runs(for_ms: int | None) -> None:
    """No length, or one beyond the data, takes the complete part of the story from its beginning."""
    schedule = plan(TRAFFIC, 3600, for_ms)
    assert (schedule.start_ms, schedule.end_ms) == (TRAFFIC.from_ms, TRAFFIC.to_ms)


def test_busiest_takes_the_fullest_hours() -> None:
    """Of stretches with enough cars at both ends the one with most movements wins."""
    quiet = [line("A", 0, 600)]
    busy = [line("A", 130 + i, 250 + i) for i in range(40)] + [line("B", 120 + i, 1000) for i in range(20)]
    traffic = story(parse([HEADER, *quiet, *busy]))
    assert busiest(traffic, HOUR_MS) == traffic.from_ms + 4 * HOUR_MS


def test_inside_at_takes_the_state_before_the_instant() -> None:
    """Who leaves at the instant is still inside, who comes at it is not yet."""
    traffic = story(parse([HEADER, line("A", 0, 5), line("A", 5, 9), line("B", 1, 4)]))
    at_five = traffic.from_ms + 5 * MINUTE_MS
    assert [(m.lot, m.at_ms) for m in inside_at(traffic.movements, at_five)] == [("A", traffic.from_ms)]


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "speed"),
    [
        (TRAFFIC.from_ms, TRAFFIC.to_ms, 0),
        (TRAFFIC.from_ms, TRAFFIC.from_ms, 1),
        (TRAFFIC.from_ms - 1, TRAFFIC.to_ms, 1),
        (TRAFFIC.from_ms, TRAFFIC.to_ms + 1, 1),
    ],
)
def test_impossible_stretches_are_refused(start_ms: int, end_ms: int, speed: int) -> None:
    """Speed 0, an empty stretch, and one outside the complete data are errors of the caller."""
    with pytest.raises(ValueError, match="speed|stretch"):
        Schedule(TRAFFIC, start_ms, end_ms, speed)


def test_a_schedule_begins_once() -> None:
    """Asking before the beginning, or beginning twice, would shift the story unnoticed."""
    schedule = plan(TRAFFIC, 3600, 20_000)
    with pytest.raises(RuntimeError, match="has not begun"):
        schedule.due(NOW_MS)
    schedule.begin(NOW_MS)
    with pytest.raises(RuntimeError, match="begins once"):
        schedule.begin(NOW_MS)


def test_no_stretch_longer_than_the_story() -> None:
    """A stretch that the story doesn't hold is refused."""
    with pytest.raises(ValueError, match="no stretch"):
        busiest(TRAFFIC, TRAFFIC.to_ms - TRAFFIC.from_ms + 1)
