"""The journal in service: positions, groups, rolling over, failing for good, full disks, housekeeping."""

from pathlib import Path
from random import Random

import pytest

from liftgate.codecs.records import RECORD_BYTES_MAX, record_bytes
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.journal import GroupTooLarge, Journal, JournalFailed
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.segments import GROUP_BYTES_MAX, SPARE_NAME
from liftgate.engine.journal.storage import DiskFull, FolderLocked, StorageError
from tests.engine.journal.journals import SMALL, fill, opened, put, replayed, segment_files


def test_positions_count_events() -> None:
    """The first event has position 1; each append takes as many positions as it has events."""
    journal, _, recovery = opened(MemoryStorage())
    assert (recovery.position, journal.next_position, journal.durable_position) == (0, 1, 0)
    assert [journal.append(b"a", 3, 1), journal.append(b"b", 1, 1), journal.append(b"c", 2, 1)] == [1, 4, 5]
    assert (journal.next_position, journal.durable_position) == (7, 0)
    assert journal.commit() == journal.durable_position == 6


def test_pending_bytes_are_those_not_committed() -> None:
    """Appending counts up what the disk will take, committing counts it down to nothing."""
    journal, _, _ = opened(MemoryStorage())
    journal.append(b"abc", 1, 1)
    journal.append(b"defgh" * 5, 1, 1)
    assert journal.pending_bytes == record_bytes(3) + record_bytes(25)
    journal.commit()
    assert journal.pending_bytes == 0
    assert journal.commit() == 2


def test_what_was_committed_is_replayed(tmp_path: Path) -> None:
    """A journal closed and opened again, on a real disk, gives back every record across segments."""
    journal, _, _ = opened(DiskStorage(tmp_path))
    entries = fill(journal, 4)
    journal.close()
    again, found, recovery = opened(DiskStorage(tmp_path))
    assert found == entries
    assert recovery.position == entries[-1][0] + entries[-1][2] - 1
    assert recovery.at_ms == entries[-1][1]
    assert recovery.cut_bytes == 0
    again.close()


def test_what_was_not_committed_is_gone() -> None:
    """Appended but not committed is neither on disk nor in the numbering after a restart."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entry = put(journal)
    journal.append(b"never", 1, 1)
    storage.restart()
    journal, entries, _ = opened(storage)
    assert entries == [entry]
    assert journal.next_position == 2


@pytest.mark.parametrize("payload", [b"", bytes(RECORD_BYTES_MAX + 1)])
def test_a_record_of_the_wrong_size_is_refused(payload: bytes) -> None:
    """An empty record, or one that no EVENTS frame could carry, is refused and nothing appended."""
    journal, _, _ = opened(MemoryStorage(), segment_bytes=1 << 20)
    with pytest.raises(ValueError, match=str(RECORD_BYTES_MAX)):
        journal.append(payload, 1, 1)
    assert (journal.next_position, journal.pending_bytes) == (1, 0)
    journal.append(bytes(RECORD_BYTES_MAX), 1, 1)


def test_a_group_grows_beyond_the_buffer_up_to_its_bound() -> None:
    """One commit may hold megabytes; it is replayed whole. What goes beyond is refused with nothing added."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage, segment_bytes=16 << 20)
    rng = Random(1)
    payload = rng.randbytes(60_000)
    entries = []
    while journal.pending_bytes + record_bytes(len(payload)) <= GROUP_BYTES_MAX:
        entries.append((journal.append(payload, 7, 5), 5, 7, payload))
    with pytest.raises(GroupTooLarge):
        journal.append(payload, 7, 5)
    journal.commit()
    entries.append(put(journal, b"after"))
    storage.crash(rng)
    assert replayed(storage) == entries


def test_a_group_may_go_on_in_the_next_segment() -> None:
    """What doesn't fit the rest of a segment goes to the next one in the same commit."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = [(journal.append(bytes(900), 2, 9), 9, 2, bytes(900)) for _ in range(15)]
    journal.commit()
    assert journal.durable_position == 30
    assert len(segment_files(storage)) == 2
    storage.crash(Random(3))
    assert replayed(storage) == entries


def test_a_group_larger_than_two_segments_is_refused() -> None:
    """The bound is said before anything is appended, and a commit makes room."""
    journal, _, _ = opened(MemoryStorage())
    with pytest.raises(GroupTooLarge):
        for _ in range(100):
            journal.append(bytes(900), 1, 1)
    appended = journal.next_position - 1
    assert journal.commit() == appended
    journal.append(bytes(900), 1, 1)


@pytest.mark.parametrize("prepared", [True, False])
def test_rolling_over_uses_the_segment_made_ahead(prepared: bool) -> None:
    """With maintain() a spare is always ready; without, a commit makes the segment."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    while len(journal.catalogue.all()) < 3:
        put(journal, bytes(1000))
        if prepared:
            journal.maintain()
    assert len(segment_files(storage)) == 3
    for _ in range(4):
        put(journal, bytes(1000))
    if prepared:
        journal.maintain()
    assert (SPARE_NAME in storage.names()) is prepared


def test_a_rollover_never_waits_for_the_names() -> None:
    """With a spare ready, a rollover costs the one sync that every commit costs."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    for _ in range(7):
        put(journal, bytes(1000))
    journal.maintain()
    storage.faults.failing_sync = 2
    put(journal, bytes(1000))
    assert len(segment_files(storage)) == 2
    with pytest.raises(JournalFailed):
        put(journal)


def test_a_spare_is_used_after_a_restart() -> None:
    """A segment made ahead by the last run is not made again."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    for _ in range(5):
        put(journal, bytes(1000))
    journal.maintain()
    storage.restart()
    storage.faults.bytes_max = 0
    journal, _, _ = opened(storage)
    assert journal.writable(SMALL // 2)
    for _ in range(5):
        put(journal, bytes(1000))
    assert len(segment_files(storage)) == 2


def test_a_spare_of_another_size_is_replaced() -> None:
    """After a change of the configured size the next segment has the new one."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    for _ in range(5):
        put(journal, bytes(1000))
    journal.maintain()
    storage.restart()
    journal, _, _ = opened(storage, segment_bytes=2 * SMALL)
    for _ in range(5):
        put(journal, bytes(1000))
    assert [len(storage.read_whole(name)) for name in segment_files(storage)] == [SMALL, 2 * SMALL]


@pytest.mark.parametrize("fault", ["failing_write", "short_write", "failing_sync"])
def test_a_failed_commit_ends_the_journal(fault: str) -> None:
    """After a failed write or sync nothing is durable, nothing is tried again, and every call is refused."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entry = put(journal)
    journal.append(b"lost", 1, 1)
    setattr(storage.faults, fault, 1)
    with pytest.raises(JournalFailed, match="injected"):
        journal.commit()
    assert journal.durable_position == 1
    for call in (journal.commit, journal.maintain, lambda: journal.append(b"more", 1, 1)):
        with pytest.raises(JournalFailed, match="for good"):
            call()
    assert not journal.writable(1)
    storage.crash(Random(0))
    assert replayed(storage)[:1] == [entry]


def test_what_a_failed_sync_left_in_memory_is_written_again() -> None:
    """A restart sees the group whose sync failed; once it is replayed it survives the next power cut too."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    put(journal)
    journal.append(b"unsure", 1, 1)
    storage.faults.failing_sync = 1
    with pytest.raises(JournalFailed):
        journal.commit()
    storage.restart()
    found = replayed(storage)
    assert found[-1][3] == b"unsure"
    for seed in range(20):
        storage.crash(Random(seed))
        assert replayed(storage) == found


def disk_is_full(journal: Journal) -> bool:
    return journal.disk_full


def test_a_full_disk_is_known_before_it_hurts() -> None:
    """Without room for a next segment, writable() is False before a commit would fail; it resumes."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    storage.faults.bytes_max = SMALL + 100
    entries = []
    while journal.writable(record_bytes(500)):
        entries.append(put(journal, bytes(500)))
        journal.maintain()
    assert disk_is_full(journal)
    assert len(entries) == (SMALL - 32) // record_bytes(500)
    journal.maintain()
    assert not journal.writable(record_bytes(500))
    storage.faults.bytes_max = 10 * SMALL
    journal.maintain()
    assert not disk_is_full(journal)
    assert journal.writable(record_bytes(500))
    entries.append(put(journal, bytes(500)))
    assert len(segment_files(storage)) == 2
    storage.crash(Random(0))
    assert replayed(storage) == entries


def test_writable_makes_the_segment_that_nobody_made_ahead() -> None:
    """True is a promise: it holds even if maintain() never ran."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    while len(segment_files(storage)) < 3:
        assert journal.writable(record_bytes(1000))
        storage.faults.bytes_max = sum(len(storage.read_whole(name)) for name in storage.names())
        put(journal, bytes(1000))
        storage.faults.bytes_max = None


def test_writable_never_promises_more_than_a_segment() -> None:
    """More than one segment takes is refused, whatever is free."""
    journal, _, _ = opened(MemoryStorage())
    assert journal.writable(SMALL - 32)
    assert not journal.writable(SMALL)


def test_a_commit_that_ignores_writable_fails_for_good() -> None:
    """A commit that finds no room ends the journal, as memory is then ahead of what replay can rebuild."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    storage.faults.bytes_max = SMALL
    with pytest.raises(JournalFailed) as failed:
        for _ in range(20):
            put(journal, bytes(1000))
    assert isinstance(failed.value.__cause__, DiskFull)


def test_segments_stay_until_snapshot_and_cursors_are_past_them() -> None:
    """Only what a snapshot covers and every subscriber has goes, oldest first, and never the newest."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, 5)
    lasts = [segment.last for segment in journal.catalogue.all()]
    journal.maintain()
    assert len(segment_files(storage)) == 5
    journal.cursors.set("relay", lasts[1])
    journal.retire(lasts[2])
    journal.maintain()
    assert len(segment_files(storage)) == 3
    journal.cursors.set("relay", lasts[2] - 1)
    journal.maintain()
    assert len(segment_files(storage)) == 3
    journal.cursors.forget("relay")
    journal.retire(journal.durable_position)
    journal.maintain()
    assert len(segment_files(storage)) == 1
    storage.crash(Random(0))
    assert replayed(storage, after=lasts[3]) == entries[-1:]


def test_a_full_disk_that_keeps_cursors_from_being_stored_keeps_segments() -> None:
    """A cursor that couldn't be stored frees no segment: after a crash its subscriber would need it."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    fill(journal, 3)
    journal.cursors.set("relay", 0)
    journal.maintain()
    storage.faults.bytes_max = 0
    journal.cursors.set("relay", journal.durable_position)
    journal.retire(journal.durable_position)
    journal.maintain()
    assert len(segment_files(storage)) == 3
    storage.faults.bytes_max = None
    journal.maintain()
    assert len(segment_files(storage)) == 1


def test_a_second_engine_is_refused() -> None:
    """The second engine on a folder is refused and changes nothing; closing frees the folder."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    with pytest.raises(FolderLocked):
        opened(storage)
    put(journal)
    journal.close()
    journal.close()
    with pytest.raises(JournalFailed, match="closed"):
        journal.append(b"x", 1, 1)
    assert len(replayed(storage)) == 1


def test_a_failed_recovery_frees_the_folder() -> None:
    """An engine that can't start holds no lock."""
    storage = MemoryStorage()
    storage.faults.bytes_max = 10
    with pytest.raises(DiskFull):
        opened(storage)
    storage.faults.bytes_max = None
    opened(storage)


def test_nothing_works_before_recovery() -> None:
    """A journal that wasn't recovered takes nothing, and can be closed."""
    journal = Journal(MemoryStorage())
    with pytest.raises(JournalFailed, match="not recovered"):
        journal.append(b"x", 1, 1)
    with pytest.raises(JournalFailed, match="not recovered"):
        journal.commit()
    assert not journal.writable(1)
    journal.close()


@pytest.mark.parametrize("size", [100, 4100])
def test_segment_sizes_are_checked(size: int) -> None:
    """Too small, or not aligned, is refused at once."""
    with pytest.raises(ValueError, match="segment_bytes"):
        Journal(MemoryStorage(), segment_bytes=size)


def test_a_failing_disk_shows_in_maintain() -> None:
    """An error of the disk in housekeeping is raised to whoever runs it."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    journal.cursors.set("relay", 0)
    storage.faults.failing_write = 1
    with pytest.raises(StorageError):
        journal.maintain()


@pytest.mark.parametrize("position", [-1, 3, 1 << 60])
def test_a_cursor_beyond_the_end_is_refused(position: int) -> None:
    """A subscriber cannot have what was never durable, and its claim would stop the next start."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    put(journal, count=2)
    journal.append(b"not durable", 1, 1)
    with pytest.raises(ValueError, match="beyond"):
        journal.move_cursor("relay", position)
    journal.move_cursor("relay", 2)
    journal.maintain()
    storage.restart()
    journal, _, _ = opened(storage)
    assert journal.cursors.get("relay") == 2
