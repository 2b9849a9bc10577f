"""The simulated folder: crashes and faults behave as the worst of real disks."""

from random import Random

import pytest

from liftgate.engine.journal.memory import Interrupted, MemoryStorage
from liftgate.engine.journal.storage import SECTOR_BYTES, DiskFull, StorageError, SyncFailed


def crashed_contents(synced: bool) -> set[bytes]:
    """Return what a write of three sectors has become after crashes with many seeds."""
    contents = set()
    for seed in range(200):
        storage = MemoryStorage()
        file = storage.create("a", 3 * SECTOR_BYTES)
        file.write_at(b"x" * 3 * SECTOR_BYTES, 0)
        if synced:
            file.sync()
        storage.crash(Random(seed))
        contents.add(storage.read_whole("a")[::SECTOR_BYTES])
    return contents


def test_a_crash_keeps_any_subset_of_unsynced_sectors() -> None:
    """Every combination of lost and kept sectors comes up."""
    assert len(crashed_contents(synced=False)) == 8


def test_a_crash_never_takes_what_was_synced() -> None:
    """Synced writes survive every crash."""
    assert crashed_contents(synced=True) == {b"xxx"}


def test_a_crash_may_undo_a_rename_that_was_not_synced() -> None:
    """Both names come up after crashes; a synced one stays."""
    names = set()
    for seed in range(50):
        storage = MemoryStorage()
        storage.write_whole("a", b"1")
        storage.rename("a", "b", sync=False)
        storage.crash(Random(seed))
        names.update(storage.names())
    assert names == {"a", "b"}


def test_a_failed_sync_forgets_what_it_lost() -> None:
    """After a failed sync the next one succeeds and keeps nothing of before: so do real kernels."""
    storage = MemoryStorage()
    file = storage.create("a", SECTOR_BYTES)
    file.write_at(b"x", 0)
    storage.faults.failing_sync = 1
    with pytest.raises(SyncFailed):
        file.sync()
    file.sync()
    assert file.read_at(1, 0) == b"x"
    storage.crash(Random(1))
    assert storage.read_whole("a")[:1] == b"\0"


def test_faults_strike_when_due() -> None:
    """The second write fails, and a short one leaves its first half."""
    storage = MemoryStorage()
    file = storage.create("a", SECTOR_BYTES)
    storage.faults.failing_write = 2
    file.write_at(b"one", 0)
    with pytest.raises(StorageError):
        file.write_at(b"two", 0)
    storage.faults.short_write = 1
    with pytest.raises(StorageError):
        file.write_at(b"four", 0)
    assert file.read_at(4, 0) == b"foe\0"


def test_a_full_disk_refuses_new_files_only() -> None:
    """Files that are there can be written; new ones raise DiskFull until there is room."""
    storage = MemoryStorage()
    storage.faults.bytes_max = 1000
    file = storage.create("a", 800)
    with pytest.raises(DiskFull):
        storage.create("b", 300)
    file.write_at(b"x", 799)
    storage.faults.bytes_max = 1100
    storage.create("b", 300)


def test_handles_and_locks_end_with_the_process() -> None:
    """After a restart old handles are dead and the folder can be locked again."""
    storage = MemoryStorage()
    file = storage.create("a", 10)
    old = storage.lock()
    storage.restart()
    with pytest.raises(StorageError):
        file.read_at(1, 0)
    storage.lock()
    old.release()
    assert storage.locked


@pytest.mark.parametrize("power", [False, True])
def test_a_process_may_end_within_an_operation(power: bool) -> None:
    """Half of the write is there, nothing works any more, and after a restart everything does."""
    storage = MemoryStorage()
    file = storage.create("a", 4)
    storage.faults.interruption = 2
    storage.faults.cuts_power = power
    file.write_at(b"1", 0)
    with pytest.raises(Interrupted):
        file.write_at(b"xxxx", 0)
    with pytest.raises(Interrupted):
        file.sync()
    assert storage.faults.power_off is power
    storage.restart()
    assert storage.read_whole("a") == b"xx\0\0"
    storage.open("a", writable=True).sync()


def test_a_file_half_written_is_never_the_file() -> None:
    """It has another name, which goes when the folder is locked next."""
    storage = MemoryStorage()
    storage.write_whole("a", b"old!")
    storage.faults.interruption = 1
    with pytest.raises(Interrupted):
        storage.write_whole("a", b"new!")
    storage.restart()
    assert (storage.read_whole("a"), storage.names()) == (b"old!", ["a", "a.new"])
    storage.lock()
    assert storage.names() == ["a"]


def test_a_lying_snapshot_is_torn_by_a_crash_only() -> None:
    """Until then it is whole; files that are no snapshots are never lied about."""
    storage = MemoryStorage()
    storage.faults.lying_snapshot = 1
    storage.write_whole("cursors", b"1234")
    storage.write_whole("1.snap", b"1234")
    assert storage.read_whole("1.snap") == b"1234"
    storage.crash(Random(1))
    assert (storage.read_whole("cursors"), storage.read_whole("1.snap")) == (b"1234", b"12\0\0")


def test_a_fault_that_struck_is_counted() -> None:
    """Those to come are not."""
    storage = MemoryStorage()
    file = storage.create("a", 4)
    storage.faults.failing_write = 1
    storage.faults.failing_sync = 2
    with pytest.raises(StorageError):
        file.write_at(b"x", 0)
    storage.faults.bytes_max = 0
    with pytest.raises(DiskFull):
        storage.create("b", 1)
    assert storage.faults.struck == 2


def test_what_a_crash_leaves_for_certain_can_be_read_beside_it() -> None:
    """kept() has what was synced, under the name that was."""
    storage = MemoryStorage()
    file = storage.create("a", 4)
    file.write_at(b"x", 0)
    storage.rename("a", "b", sync=False)
    assert (storage.kept_names(), storage.kept("a"), storage.kept("b")) == (["a"], bytearray(4), None)
    file.sync()
    storage.sync_names()
    assert (storage.kept_names(), storage.kept("b")) == (["b"], bytearray(b"x\0\0\0"))
