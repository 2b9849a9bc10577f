"""Fold and recovery: the state is a fold over the journal, from the start or from a snapshot."""

import random

import pytest

from liftgate.codecs import messages as m
from liftgate.engine.core import state
from liftgate.engine.journal.journal import Journal
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.segments import segment_names
from liftgate.engine.journal.snapshot import covered_position, newest, snapshot_names
from liftgate.engine.replay import Replay, fold, open_engine
from tests.gateways.network import (
    ENTRY,
    EXIT,
    SEGMENT_BYTES,
    SLOW_ENTRY,
    START_MS,
    Peer,
    World,
    make_config,
    scan,
)


def busy(world: World, segments: int, seed: int = 1) -> None:
    """Traffic of every kind until the journal has so many segments: cars in and out, passages that come and
    that lapse, history, reports, orders, new boots."""
    draws = random.Random(seed)
    service = world.service()
    while len(world.engine.journal.catalogue.all()) < segments:
        reader = world.reader(f"r{draws.randrange(4)}", boot=draws.randrange(1, 40))
        for _ in range(draws.randrange(1, 10)):
            reader.ask(*requests(reader, draws))
        if not reader.ended:
            world.hang_up(reader)
        order = {"area": "north", "to": draws.randrange(60), "actor": "op", "reason": "counted"}
        service.ask(m.CommandMessage(draws.randbytes(16), "north", "correct_count", order))
        world.wait(draws.randrange(0, 3))
        if service.ended:
            service = world.service()


def requests(reader: Peer, draws: random.Random) -> list[m.Message]:
    """Some requests under the next numbers, now and then with a gap."""
    numbering = reader.link.own_numbering()
    no = max([numbering.done_to, *(high for _, high in numbering.ranges)]) + 1
    if numbering.retired:
        return [m.Ping()]
    no += len(numbering.ranges) < 20 and draws.random() < 0.05
    asked: list[m.Message] = []
    for number in range(no, no + draws.randrange(1, 30)):
        token = b"car-%d" % draws.randrange(80) + bytes(draws.randrange(400))
        kind = draws.random()
        if kind < 0.7:
            asked.append(scan(number, token, draws.choice((ENTRY, EXIT, SLOW_ENTRY)), reader.world.now_ms))
        elif kind < 0.85:
            moving = list(reader.world.lot.moving)
            session = draws.choice(moving) if moving else None
            asked.append(m.Passage(number, START_MS, SLOW_ENTRY, draws.randrange(1, 5), session))
        else:
            asked.append(m.LaneStatus(number, START_MS, ENTRY, draws.randrange(4), True, ("loop",)))
    return asked


def replayed(storage: MemoryStorage, from_snapshot: bool) -> bytes:
    """The lot's state as recovery makes it."""
    storage.restart()
    replay = Replay(newest(storage) if from_snapshot else None)
    journal = Journal(storage, segment_bytes=SEGMENT_BYTES)
    journal.recover(replay.record, replay.position)
    journal.close()
    return state.dump(replay.lots["north"])


@pytest.mark.parametrize("seed", range(3))
def test_replay_equals_memory(seed: int) -> None:
    """After traffic of every kind, full replay, and snapshot with tail, both give the state in memory."""
    world = World(make_config(spots=40))
    busy(world, 4, seed)
    position = fold(world.storage)
    assert position == world.engine.journal.catalogue.all()[-2].last
    live = world.dump()
    assert replayed(world.storage, from_snapshot=False) == live
    assert replayed(world.storage, from_snapshot=True) == live


def test_folds_on_folds() -> None:
    """A snapshot folded from the one before it is the one folded from the start."""
    world = World(make_config(spots=40))
    for segments in (2, 3, 5):
        busy(world, segments)
        fold(world.storage)
    assert len(snapshot_names(world.storage.names())) == 2
    found = newest(world.storage)
    assert found is not None
    for name in snapshot_names(world.storage.names()):
        world.storage.remove(name)
    assert fold(world.storage) == found.position
    again = newest(world.storage)
    assert again is not None and again.payload == found.payload


def test_nothing_new_to_fold() -> None:
    """Without a closed segment, or without a new one, no snapshot is written."""
    world = World()
    assert fold(world.storage) == 0
    busy(world, 2)
    assert fold(world.storage) > 0
    assert fold(world.storage) == 0


def test_recovery_reads_only_the_tail() -> None:
    """With a snapshot recovery reads what follows it; retired segments are not missed."""
    world = World()
    busy(world, 3)
    fold(world.storage)
    busy(world, 5)
    fold(world.storage)
    world.engine.journal.retire(covered_position(world.storage))
    world.engine.journal.maintain()
    assert len(segment_names(world.storage.names())) < 5
    live = world.dump()
    total = world.engine.position
    world.restart()
    assert world.dump() == live and world.engine.position == total
    assert 0 < world.recovery.records < 100_000


def test_damaged_snapshot() -> None:
    """A damaged newest snapshot is passed over for the one before it."""
    world = World()
    busy(world, 3)
    fold(world.storage)
    busy(world, 5)
    fold(world.storage)
    world.engine.journal.retire(covered_position(world.storage))
    world.engine.journal.maintain()
    live = world.dump()
    world.storage.flip(snapshot_names(world.storage.names())[-1], 100, 1)
    world.restart()
    assert world.dump() == live


def test_fold_finds_rot() -> None:
    """Damage in a closed segment is found by the fold, which leaves no snapshot of it."""
    world = World()
    busy(world, 3)
    world.storage.flip(segment_names(world.storage.names())[0], 300_000, 4)
    with pytest.raises(JournalRotten):
        fold(world.storage)
    assert snapshot_names(world.storage.names()) == []


def test_the_clock_goes_on_from_the_journal() -> None:
    """An engine whose wall clock fell back starts at the time of its last event."""
    world = World()
    busy(world, 3)
    fold(world.storage)
    at_ms = world.engine.now_ms
    world.storage.restart()
    engine, _ = open_engine(world.storage, SEGMENT_BYTES)
    assert at_ms - 5000 <= engine.now_ms <= at_ms
    engine.begin(1000)
    assert engine.now_ms >= at_ms - 5000
