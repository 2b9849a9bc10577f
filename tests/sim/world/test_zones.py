"""Where worlds are and when they begin."""

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from liftgate.sim.world.loop import START_MS
from liftgate.sim.world.plan import draw_plan
from liftgate.sim.world.shape import Shape
from liftgate.sim.world.zones import CHANGES, MINUTE_MS, clock, draw_days, today, unix_ms, weekday, where

SHAPES = [draw_plan(seed, ()).shape for seed in range(200)]


@pytest.mark.parametrize(("zone", "when"), CHANGES)
def test_clocks_change_then(zone: str, when: str) -> None:
    """A second earlier they are otherwise ahead of UTC."""
    change_s = unix_ms(when) / 1000
    before, after = (datetime.fromtimestamp(at_s, ZoneInfo(zone)) for at_s in (change_s - 1, change_s))
    assert before.utcoffset() != after.utcoffset()


def test_many_lots_are_not_in_utc() -> None:
    """About half of them, in several zones."""
    zones = [lot.timezone for shape in SHAPES for lot in shape.lots]
    assert 0.3 < sum(zone == "UTC" for zone in zones) / len(zones) < 0.6
    assert len(set(zones)) >= 5


def test_some_worlds_begin_shortly_before_clocks_change() -> None:
    """About a third, most of their lots where it happens; the others begin as ever."""
    near = [shape for shape in SHAPES if shape.start_ms != START_MS]
    times = {unix_ms(when) for _, when in CHANGES}
    assert 0.2 < len(near) / len(SHAPES) < 0.4
    for shape in near:
        assert any(0 < time - shape.start_ms <= 60 * MINUTE_MS for time in times)


def test_a_story_says_where_it_plays() -> None:
    """Its beginning in UTC, and each lot's zone."""
    shape = msgspec.structs.replace(SHAPES[0], start_ms=unix_ms("2027-03-28T00:30"))
    lots = ", ".join(f"{lot.id} in {lot.timezone}" for lot in shape.lots)
    assert where(shape) == f"Sun 2027-03-28 00:30 UTC; {lots}"


def test_times_of_day_are_those_of_a_clock_that_nobody_sets() -> None:
    """So that rules name times that come twice, or not at all."""
    change_ms = unix_ms("2027-03-28T01:00")
    shape = next(one for one in SHAPES if one.lots[0].timezone == "Europe/Berlin" and _before(one, change_ms))
    lot = shape.lots[0]
    begun = datetime.fromtimestamp(shape.start_ms / 1000, UTC)
    at = (change_ms - shape.start_ms) // MINUTE_MS + 30
    assert clock(shape, lot, at) == "02:30"
    assert (weekday(shape, lot, at, 0), weekday(shape, lot, at, -1)) == ("sun", "sat")
    assert today(shape, lot) == begun.date()
    drawn = [draw_days(random.Random(seed), shape, lot, at) for seed in range(20)]
    assert all(days in drawn for days in (["sun"], ["sat", "sun"], ["wed"]))


def _before(shape: Shape, change_ms: int) -> bool:
    return 0 < change_ms - shape.start_ms <= 60 * MINUTE_MS
