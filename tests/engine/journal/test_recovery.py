"""Recovery under damage: exact, or refused with the place; never a silent loss of what was proven durable."""

from pathlib import Path
from random import Random

import pytest

from liftgate.codecs.records import HEADER_BYTES
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.journal import JournalFailed
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.recovery import Reader
from liftgate.engine.journal.repair import repair
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.segments import HEADER_BYTES as SEGMENT_HEADER_BYTES
from liftgate.engine.journal.segments import SPARE_NAME
from liftgate.engine.journal.storage import SECTOR_BYTES, SyncFailed
from tests.engine.journal.journals import Entry, fill, opened, put, replayed, segment_files


def journal_of_groups(sizes: list[list[int]]) -> tuple[MemoryStorage, list[list[Entry]], list[int]]:
    """Return a journal with these records in these commits, the groups, the byte where each begins."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    groups, starts = [], []
    for at_ms, group in enumerate(sizes, 1):
        starts.append(journal.catalogue.all()[0].end)
        groups.append([(journal.append(b"p" * size, 2, at_ms), at_ms, 2, b"p" * size) for size in group])
        journal.commit()
    starts.append(journal.catalogue.all()[0].end)
    storage.restart()
    return storage, groups, starts


def entries_of(groups: list[list[Entry]]) -> list[Entry]:
    return [entry for group in groups for entry in group]


def test_cut_at_every_byte_of_the_last_group() -> None:
    """Zeros from any byte of the last commit on: what is before it is exact, and the cut is told."""
    sizes = [[20], [30, 5], [40, 1, 60]]
    _, groups, starts = journal_of_groups(sizes)
    for cut in range(starts[-2], starts[-1]):
        storage, _, _ = journal_of_groups(sizes)
        name = segment_files(storage)[0]
        for offset in range(cut, starts[-1]):
            storage.flip(name, offset, storage.read_whole(name)[offset])
        journal, found, recovery = opened(storage)
        assert found == entries_of(groups)[: len(found)]
        assert len(found) >= 3
        assert recovery.position == found[-1][0] + 1 == journal.durable_position
        if recovery.cut_bytes:
            assert recovery.cut_place is not None
            assert recovery.cut_place.position == recovery.position + 1
            assert recovery.cut_place.offset <= cut


@pytest.mark.parametrize("mask", [0x01, 0x80, 0xFF])
def test_damage_in_any_byte_is_exact_or_refused(mask: int) -> None:
    """Flip each byte: all is there, or the last group ends there, or the place is refused."""
    sizes = [[20], [30, 5], [40, 1, 60]]
    _, groups, starts = journal_of_groups(sizes)
    everything = entries_of(groups)
    for offset in range(starts[-1] + 64):
        storage, _, _ = journal_of_groups(sizes)
        name = segment_files(storage)[0]
        storage.flip(name, offset, mask)
        proven = offset < starts[-2]
        try:
            _, found, recovery = opened(storage)
        except JournalRotten as rotten:
            assert proven
            assert (rotten.segment, rotten.offset <= offset) == (name, True)
            assert str(rotten.position) in str(rotten)
            continue
        assert not proven or found == everything
        assert found == everything[: len(found)]
        assert len(found) >= 3
        assert bool(recovery.cut_bytes) is (offset >= starts[-2])


def test_a_torn_tail_is_cut_once() -> None:
    """After the cut the tail is zeros: the next recovery ends clean and numbering goes on."""
    storage, groups, starts = journal_of_groups([[20], [30, 8]])
    name = segment_files(storage)[0]
    storage.flip(name, starts[1] + 50, 0xFF)
    journal, found, recovery = opened(storage)
    assert recovery.cut_bytes == starts[2] - starts[1]
    assert storage.read_whole(name)[starts[1] :].strip(b"\0") == b""
    entry = put(journal, b"again")
    assert entry[0] == recovery.position + 1
    storage.crash(Random(1))
    _, found, recovery = opened(storage)
    assert found == [*groups[0], entry]
    assert recovery.cut_bytes == 0


def test_a_cut_tail_stays_cut_though_the_sync_of_its_zeros_failed() -> None:
    """The second start reads zeros out of the kernel's memory where the disk still has a record of the torn
    commit. It must not come to life behind a new record as long as the one that was before it.
    """
    whole = 2 * SECTOR_BYTES - HEADER_BYTES  # of a record: then no write touches another's sectors
    cut = 0
    for seed in range(100):
        storage, rng = MemoryStorage(), Random(seed)
        journal, _, _ = opened(storage)
        put(journal, bytes(whole - SEGMENT_HEADER_BYTES))
        journal.append(b"a" * whole, 1, 2)
        journal.append(b"b" * whole, 1, 2)
        storage.faults.interruption = 2  # the sync, after the write
        with pytest.raises(JournalFailed):
            journal.commit()
        storage.crash(rng)
        storage.faults.failing_sync = 1
        with pytest.raises(SyncFailed):
            opened(storage)
        storage.restart()
        journal, found, _ = opened(storage)
        cut += len(found) == 1
        found.append(put(journal, b"n" * whole))
        storage.crash(rng)
        assert replayed(storage) == found
    assert 0 < cut < 100


def test_a_later_record_of_the_same_group_proves_nothing() -> None:
    """The first record of the last commit is lost and its second one whole: torn, not rot."""
    storage, groups, starts = journal_of_groups([[20], [30, 5]])
    storage.flip(segment_files(storage)[0], starts[1] + 8, 0xFF)
    _, found, recovery = opened(storage)
    assert found == groups[0]
    assert recovery.cut_bytes > 0


def test_zeroed_records_with_later_ones_are_rot() -> None:
    """A whole middle turned to zeros isn't taken for the end."""
    storage, _, starts = journal_of_groups([[20], [30], [40]])
    name = segment_files(storage)[0]
    for offset in range(starts[1], starts[2]):
        storage.flip(name, offset, storage.read_whole(name)[offset])
    with pytest.raises(JournalRotten) as rotten:
        opened(storage)
    assert (rotten.value.offset, rotten.value.position) == (starts[1], 3)


def filled(segments: int) -> tuple[MemoryStorage, list[Entry]]:
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, segments)
    storage.restart()
    return storage, entries


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_segment_is_rot(missing: int) -> None:
    """Segments have no gaps: one that is gone, in front or in the middle, is named by its first position."""
    storage, _ = filled(4)
    names = segment_files(storage)
    storage.remove(names[missing])
    with pytest.raises(JournalRotten) as rotten:
        opened(storage)
    assert rotten.value.position == int(names[missing][:20])


def test_a_missing_segment_before_the_snapshot_is_not_looked_for() -> None:
    """Recovery reads from the segment that holds the next event, and needs nothing older."""
    storage, entries = filled(4)
    names = segment_files(storage)
    storage.remove(names[0])
    storage.remove(names[1])
    after = int(names[2][:20]) - 1
    assert replayed(storage, after) == [entry for entry in entries if entry[0] > after]


def test_replay_begins_with_the_record_that_holds_the_next_event() -> None:
    """A position inside a record gives that record, one at its end the next."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = [put(journal, bytes(10), count) for count in (3, 4, 2)]
    storage.restart()
    for after, begin in ((0, 0), (2, 0), (3, 1), (6, 1), (7, 2), (9, 3)):
        assert replayed(storage, after) == entries[begin:]


def test_damage_in_an_older_segment_is_rot() -> None:
    """Even a last group that looks torn is rot where another segment follows."""
    storage, entries = filled(3)
    name = segment_files(storage)[1]
    used = len(storage.read_whole(name).rstrip(b"\0"))
    storage.flip(name, used - 1, 0xFF)
    with pytest.raises(JournalRotten) as rotten:
        opened(storage)
    assert rotten.value.segment == name


def test_a_damaged_header_loses_nothing_in_the_newest_segment() -> None:
    """Torn with its first group, a header is written again; with later groups behind it, it is rot."""
    storage, groups, _ = journal_of_groups([[20]])
    name = segment_files(storage)[0]
    storage.flip(name, 3, 1)
    assert replayed(storage) == entries_of(groups)
    assert storage.read_whole(name)[:4] == b"LGJ1"
    storage, _, _ = journal_of_groups([[20], [30]])
    storage.flip(name, 3, 1)
    with pytest.raises(JournalRotten, match="header"):
        opened(storage)


@pytest.mark.parametrize("seed", range(40))
def test_a_rename_that_a_crash_undid_is_finished(seed: int) -> None:
    """A rollover is durable with its first commit, whether or not the new name was."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = []
    while len(segment_files(storage)) == 1:
        journal.maintain()
        entries.append(put(journal, bytes(1000)))
    storage.crash(Random(seed))
    assert replayed(storage) == entries
    assert len(segment_files(storage)) == 2
    assert SPARE_NAME not in storage.names()


def test_a_snapshot_beyond_the_end_is_proof_of_loss() -> None:
    """Positions that a snapshot covers are never given out again: a shorter journal is refused."""
    storage, entries = filled(1)
    with pytest.raises(JournalRotten, match="snapshot"):
        opened(storage, after=5)
    storage = MemoryStorage()
    with pytest.raises(JournalRotten, match="up to position 5"):
        opened(storage, after=5)


def test_a_cursor_beyond_the_end_is_proof_of_loss() -> None:
    """A subscriber has only ever seen durable events, so a journal that ends before its cursor lost some."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    put(journal)
    entry_two = put(journal)
    journal.cursors.set("relay", 2)
    journal.maintain()
    storage.restart()
    name = segment_files(storage)[0]
    end = len(storage.read_whole(name).rstrip(b"\0"))
    storage.flip(name, end - 4, 0xFF)
    with pytest.raises(JournalRotten, match="cursor") as rotten:
        opened(storage)
    assert rotten.value.position == entry_two[0]


def test_closed_segments_can_be_read_beside_the_engine() -> None:
    """The snapshot process reads all but the newest segment, without the lock."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, 3)
    seen: list[Entry] = []
    reader = Reader(storage, lambda first, at, count, data: seen.append((first, at, count, bytes(data))), 0)
    position = reader.read_closed()
    assert position == int(segment_files(storage)[2][:20]) - 1
    assert seen == [entry for entry in entries if entry[0] <= position]
    assert reader.at_ms == seen[-1][1]


def test_a_file_cut_at_any_byte_is_refused_and_repaired(tmp_path: Path) -> None:
    """A segment that lost its end is refused with the place; repair keeps every whole record."""
    _, groups, starts = journal_of_groups([[20], [30, 5], [40, 1, 60]])
    source, _, _ = journal_of_groups([[20], [30, 5], [40, 1, 60]])
    name = segment_files(source)[0]
    whole = source.read_whole(name)
    for size in range(starts[-2] - 20, starts[-1] + 20):
        storage = DiskStorage(tmp_path / str(size))
        storage.write_whole(name, whole[:size])
        with pytest.raises(JournalRotten, match="was cut") as rotten:
            opened(storage)
        assert rotten.value.offset <= size
        plan = repair(storage, confirm=True)
        assert plan is not None
        assert plan.lost is not None
        assert plan.lost[0] == rotten.value.position
        journal, found, _ = opened(storage)
        assert found == [entry for entry in entries_of(groups) if entry[0] < rotten.value.position]
        entry = put(journal, b"on")
        journal.close()
        assert replayed(storage)[-1] == entry
