"""Snapshots: the newest whole one wins, and enough is kept to do without it."""

from random import Random

import pytest

from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.snapshot import (
    Snapshot,
    covered_position,
    newest,
    snapshot_name,
    snapshot_names,
    write_snapshot,
)
from liftgate.engine.journal.storage import DiskFull


def test_the_newest_is_read_back(tmp_path: str) -> None:
    """Written on a real disk, the snapshot with the highest position comes back as it was."""
    storage = DiskStorage(tmp_path)
    assert newest(storage) is None
    for position in (900, 1000):
        write_snapshot(storage, Snapshot(position, 5 * position, b"state" * position))
    assert newest(storage) == Snapshot(1000, 5000, b"state" * 1000)


def test_all_but_two_are_removed() -> None:
    """The two newest stay, and segments are covered up to the older of them."""
    storage = MemoryStorage()
    covered = []
    for position in (10, 20, 30):
        write_snapshot(storage, Snapshot(position, 0, b"s"))
        covered.append(covered_position(storage))
    assert snapshot_names(storage.names()) == [snapshot_name(20), snapshot_name(30)]
    assert covered == [0, 10, 20]


def test_a_damaged_snapshot_is_skipped() -> None:
    """Any damaged byte makes the one before it the newest; all damaged is none."""
    storage = MemoryStorage()
    write_snapshot(storage, Snapshot(10, 1, b"old"))
    write_snapshot(storage, Snapshot(20, 2, b"new"))
    name = snapshot_name(20)
    for offset in [*range(36), *range(40, len(storage.read_whole(name)))]:
        storage.flip(name, offset, 4)
        assert newest(storage) == Snapshot(10, 1, b"old")
        storage.flip(name, offset, 4)
    assert newest(storage) == Snapshot(20, 2, b"new")
    storage.write_whole(name, b"half")
    storage.flip(snapshot_name(10), 0, 4)
    assert newest(storage) is None


def test_half_a_snapshot_is_none() -> None:
    """A file cut at any byte is never taken for whole."""
    storage = MemoryStorage()
    write_snapshot(storage, Snapshot(20, 2, b"state"))
    whole = storage.read_whole(snapshot_name(20))
    for size in range(len(whole)):
        storage.write_whole(snapshot_name(20), whole[:size])
        assert newest(storage) is None


def test_a_snapshot_is_there_whole_after_any_crash() -> None:
    """Once write_snapshot() returned, no crash takes it; without room the old one stays."""
    storage = MemoryStorage()
    write_snapshot(storage, Snapshot(20, 2, b"state"))
    for seed in range(20):
        storage.crash(Random(seed))
        assert newest(storage) == Snapshot(20, 2, b"state")
    storage.faults.bytes_max = storage.free_bytes() and 60
    with pytest.raises(DiskFull):
        write_snapshot(storage, Snapshot(30, 3, b"later"))
    assert newest(storage) == Snapshot(20, 2, b"state")
