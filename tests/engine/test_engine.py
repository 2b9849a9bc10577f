"""The engine between core and journal: records, positions, rounds and failures."""

from typing import Any

import pytest

from liftgate.engine.configured import configure
from liftgate.engine.core.commands import Order, ReadCredential
from liftgate.engine.engine import SEAL_BYTES, Engine
from liftgate.engine.journal.journal import JournalFailed
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.recovery import Reader
from liftgate.engine.replay import open_engine
from tests.gateways.network import ENTRY, START_MS, make_config


def make_engine(storage: MemoryStorage | None = None) -> Engine:
    engine, _ = open_engine(storage or MemoryStorage(), 1 << 20)
    engine.begin(START_MS)
    configure(engine, make_config(spots=5000))
    engine.commit()
    return engine


def read(engine: Engine, no: int, token: bytes = b"") -> Any:
    reader = engine.lots["north"].readers["r0"]
    scan = ReadCredential(reader.lanes[ENTRY], reader.numbering(7))
    scan.no, scan.at_ms, scan.kind, scan.token = no, START_MS, 2, token or b"car-%d" % no
    return engine.read(engine.lots["north"], scan)


def counts(storage: MemoryStorage) -> list[tuple[int, int]]:
    """(first position, events) of each record."""
    found: list[tuple[int, int]] = []
    Reader(storage, lambda first, at_ms, count, payload: found.append((first, count)), 0).read()
    return found


def test_positions_follow_each_other() -> None:
    """Each event has the next position, which the journal agrees with after the commit."""
    storage = MemoryStorage()
    engine = make_engine(storage)
    start = engine.position
    assert [read(engine, no).position for no in (1, 2, 3)] == [start + 1, start + 2, start + 3]
    assert engine.journal.durable_position == start
    engine.commit()
    assert engine.journal.durable_position == engine.position == start + 3
    assert counts(storage)[-1] == (start + 1, 3)


def test_a_round_of_any_size() -> None:
    """A large round becomes several records of limited size, one commit, and no hole."""
    storage = MemoryStorage()
    engine = make_engine(storage)
    for no in range(1, 1001):
        read(engine, no, b"%d" % no + bytes(300))
    engine.commit()
    records = counts(storage)
    assert len(records) > 5 and sum(count for _, count in records) == engine.position
    ends = [first + count for first, count in records]
    assert [first for first, _ in records[1:]] == ends[:-1]
    assert 1000 * 300 / len(records) < SEAL_BYTES * 2


def test_an_order_shares_a_record() -> None:
    """The events of one order and its CommandDone are in one record: all of it survives or none."""
    storage = MemoryStorage()
    engine = make_engine(storage)
    before = len(counts(storage))
    args = {"area": "north", "to": 3, "actor": "op", "reason": "counted"}
    order = Order(START_MS, bytes(16), "api", "correct_count", args, False)
    outcome = engine.order(engine.lots["north"], order)
    assert engine.order(engine.lots["north"], order) == outcome and outcome[0]
    engine.commit()
    assert [count for _, count in counts(storage)[before:]] == [2]


def test_failed_commit_is_for_good() -> None:
    """After a failed sync every commit fails, and nothing undurable counts as durable."""
    storage = MemoryStorage()
    engine = make_engine(storage)
    durable = engine.journal.durable_position
    read(engine, 1)
    storage.faults.failing_sync = 1
    for _ in range(2):
        with pytest.raises(JournalFailed):
            engine.commit()
    assert engine.journal.durable_position == durable
    engine.begin(START_MS + 1)
    assert not engine.accepting


def test_configured_once() -> None:
    """The same file again changes nothing; a file that lacks a reader takes its lanes, not its memory."""
    engine = make_engine()
    read(engine, 1)
    position = engine.position
    configure(engine, make_config(spots=5000))
    assert engine.position == position
    configure(engine, make_config(spots=5000, readers=0))
    reader = engine.lots["north"].readers["r0"]
    assert reader.lanes == {} and reader.numbering(7).has(1)
