"""Drivers before barriers that belong to the real engine."""

import random

import pytest

from liftgate.sim.world.cars import Driver, Step, credential, population
from liftgate.sim.world.devices.lanes import QUEUE_MAX
from tests.sim.world.devices.bench import ENTRY, EXIT, Bench, make_shape

MINUTE_MS = 60_000


class Draws(random.Random):
    """Chance that always falls the same way: `chance` where a share is asked for, the lowest number else."""

    def __init__(self, chance: float) -> None:
        super().__init__(0)
        self.chance = chance

    def random(self) -> float:
        return self.chance

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return 0 if stop is None else start


def visit(bench: Bench, *steps: Step, card: int = 2, chance: float = 0.99) -> None:
    """Somebody sets off."""
    Driver(bench.world, card, steps, Draws(chance)).go()


def whats(bench: Bench) -> list[int]:
    """What the lanes saw: the `what` of every PASSAGE."""
    return [args[4][2] for args in bench.told.of("event_made") if args[3] == 0x12]


def test_a_visit_goes_in_and_out() -> None:
    """A driver scans, passes, stays, and leaves by the exit."""
    bench = Bench()
    visit(bench, Step("r", ENTRY, 0), Step("r", EXIT, MINUTE_MS, out=True))
    bench.run(30_000)
    assert bench.occupancy() == 1
    bench.run(2 * MINUTE_MS)
    assert bench.occupancy() == 0 and bench.barriers() == ["decision", "decision"]
    assert whats(bench) == [1, 1]


def test_who_is_refused_at_the_entry_leaves() -> None:
    """A full lot: the visit is over, the lane is free for the next car."""
    bench = Bench(make_shape(spots=1))
    for card in (2, 4):
        visit(bench, Step("r", ENTRY, 0), Step("r", EXIT, MINUTE_MS, out=True), card=card)
    bench.run(50_000)
    assert bench.occupancy() == 1 and not bench.reader.lanes[ENTRY].busy
    bench.run(5 * MINUTE_MS)
    assert bench.occupancy() == 0 and len(bench.barriers()) == 2


def test_who_cannot_get_out_comes_back() -> None:
    """A car that was never seen coming in tries the exit more than once, then stays."""
    bench = Bench()
    visit(bench, Step("r", EXIT, 0, out=True))
    bench.run(60 * MINUTE_MS)
    assert [args[3][:2] for args in bench.told.of("decision")] == [[2, 211]] * 3
    assert not bench.reader.lanes[EXIT].busy


def test_help_lets_a_car_through() -> None:
    """A driver who waits at the barrier passes when a desk raises it."""
    bench = Bench()
    visit(bench, Step("r", EXIT, 0, out=True), chance=0.3)
    bench.run(10_000)
    args = {"reader": "r", "lane": EXIT, "cause": "lost card", "actor": "me"}
    bench.desk.order(b"1" * 16, "lot", "open_lane", args)
    bench.run(30_000)
    assert bench.barriers() == ["vend"] and whats(bench) == [1]


def test_nobody_helps_for_ever() -> None:
    """Without help the lane is free after a minute."""
    bench = Bench()
    visit(bench, Step("r", EXIT, 0, out=True), chance=0.3)
    bench.run(10_000)
    assert bench.reader.lanes[EXIT].busy
    bench.run(MINUTE_MS + 10_000)
    assert not bench.reader.lanes[EXIT].busy


@pytest.mark.parametrize(("chance", "seen"), [(0.02, []), (0.08, [1, 3]), (0.99, [1])])
def test_sensors_miss_cars_and_cars_follow(chance: float, seen: list[int]) -> None:
    """What the lane reports of a car that was let in depends on chance: nothing, the car, one behind it."""
    bench = Bench()
    visit(bench, Step("r", ENTRY, 0), chance=chance)
    bench.run(10 * MINUTE_MS)
    assert whats(bench) == seen


def test_cars_wait_in_line() -> None:
    """One car at a time stands before a barrier; who finds too long a line drives on."""
    bench = Bench()
    for card in range(0, 2 * (QUEUE_MAX + 5), 2):
        visit(bench, Step("r", ENTRY, 0), card=card)
    bench.run(1)
    assert bench.told.of("event_made") == []
    bench.run(10 * MINUTE_MS)
    assert len(bench.told.of("event_made")) <= 2 * (QUEUE_MAX + 1)
    assert not bench.reader.lanes[ENTRY].busy


def test_there_are_more_cards_than_spots() -> None:
    """A lot can fill up, and cards differ."""
    shape = make_shape(spots=7)
    cards = population(shape.lots[0])
    assert cards > 7
    assert len({credential(card) for card in range(cards)}) == cards
    assert max(len(credential(card)[1]) for card in range(cards)) == 512
