"""Plans: all from the seed, each theme from its own."""

import random

import pytest

from liftgate.configs.schema import SpotsConfig
from liftgate.sim.world.plan import Happening, all_drawers, draw_plan
from liftgate.sim.world.shape import Shape, draw_shape


def test_one_seed_is_one_plan() -> None:
    """Drawn twice it is the same, and another seed gives another."""
    assert draw_plan(5) == draw_plan(5)
    assert draw_plan(5) != draw_plan(6)


def test_another_theme_changes_none_of_the_others() -> None:
    """A drawer that is added or left out leaves the happenings of the others as they were."""
    drawers = list(all_drawers())
    some = draw_plan(3, drawers[1:]).happenings
    assert [one for one in draw_plan(3, drawers).happenings if one in some] == list(some)


def test_happenings_come_in_the_order_of_their_times() -> None:
    """And within the span."""
    plan = draw_plan(8)
    times = [happening.at_ms for happening in plan.happenings]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= plan.span_ms


def test_a_happening_says_what_it_is_in_one_line() -> None:
    """Every kind that some seeds bring up."""
    kinds: dict[type[Happening], str] = {}
    for seed in range(60):
        for happening in draw_plan(seed).happenings:
            kinds.setdefault(type(happening), happening.line())
    assert len(kinds) >= 30
    assert all(line and "\n" not in line for line in kinds.values())


@pytest.mark.parametrize("seed", range(50))
def test_a_shape_is_a_lot_that_cars_can_enter_and_leave(seed: int) -> None:
    """Ways in and out, lanes of areas that exist, everybody's id once."""
    shape = draw_shape(random.Random(seed))
    owners = shape.owners()
    assert len(set(owners)) == len(owners)
    for lot in shape.lots:
        lanes = [lane for reader in shape.readers if reader.lot == lot.id for lane in reader.lanes]
        assert {lane.area for lane in lanes} <= {area.id for area in lot.areas}
        directions = {lane.direction for lane in lanes if lane.area == lot.areas[0].id}
        assert {"entry", "exit"} <= directions


def test_a_changed_shape_differs_in_that_only() -> None:
    """Another key, or more spots; the rest stays."""
    shape = draw_shape(random.Random(1))
    first = shape.readers[0].id
    changed = shape.with_reader(first, key=b"k" * 32)
    assert changed.reader(first).key == b"k" * 32
    assert changed.readers[1:] == shape.readers[1:]
    more = shape.with_spots(shape.lots[0].id, 2)
    assert spots(more).count == spots(shape).count + 2
    assert shape.with_spots(shape.lots[0].id, -1_000).lots[0].areas[0].spots[0].count == 1


def spots(shape: Shape) -> SpotsConfig:
    """The first block of the first lot."""
    return shape.lots[0].areas[0].spots[0]
