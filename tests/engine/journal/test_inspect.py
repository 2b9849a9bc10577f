"""Verify, dump and stats: what is in a journal, also of a running or damaged one, without touching it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.inspect import OK, ROT, TORN, dump, stats, verify
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.snapshot import Snapshot, snapshot_name, write_snapshot
from liftgate.engine.journal.storage import FileMissing
from tests.engine.journal.journals import fill, opened, put, segment_files


def letters(payload: memoryview, count: int) -> Iterator[str]:
    """Take every byte of a payload for an event."""
    return iter(bytes(payload).decode())


def lettered(storage: MemoryStorage, words: str) -> None:
    journal, _, _ = opened(storage)
    for at_ms, word in enumerate(words.split()):
        put(journal, word.encode(), len(word), at_ms)


def test_a_whole_journal_is_ok_while_its_engine_runs() -> None:
    """Each segment is reported with what it holds, without the lock; the sums agree with the journal."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, 3)
    reports = verify(storage)
    assert [report.state for report in reports] == [OK] * 3
    assert [report.first for report in reports] == [segment.first for segment in journal.catalogue.all()]
    assert reports[-1].last == journal.durable_position == sum(report.events for report in reports)
    assert sum(report.records for report in reports) == len(entries)


def test_verify_names_the_place_of_rot_and_goes_on() -> None:
    """A damaged segment is named with byte and position; the others are judged all the same."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    fill(journal, 4)
    name = segment_files(storage)[1]
    storage.flip(name, 32 + 20, 1)
    reports = verify(storage)
    assert [report.state for report in reports] == [OK, ROT, OK, OK]
    rot = reports[1].rot
    assert rot is not None
    assert (rot.segment, rot.offset, rot.position) == (name, 32, reports[1].first)


def test_verify_tells_a_torn_tail_from_rot() -> None:
    """Bytes after the last good record of the newest segment are a torn tail."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    put(journal)
    end = journal.catalogue.all()[0].end
    storage.flip(segment_files(storage)[0], end + 3, 9)
    assert [(report.state, report.last) for report in verify(storage)] == [(TORN, 1)]


def test_looking_changes_nothing(tmp_path: Path) -> None:
    """Verify, dump and stats leave a folder byte for byte as it was, and make none."""
    journal, _, _ = opened(DiskStorage(tmp_path))
    fill(journal, 2)
    journal.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    storage = DiskStorage(tmp_path, make=False)
    verify(storage)
    stats(storage)
    list(dump(storage, 1, 10**9, lambda payload, count: [bytes(payload)]))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with pytest.raises(FileMissing):
        verify(DiskStorage(tmp_path / "nowhere", make=False))
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(("first", "last"), [(1, 100), (3, 6), (4, 4), (9, 9), (10, 12)])
def test_dump_gives_the_events_asked_for(first: int, last: int) -> None:
    """Positions inside records are exact at both ends."""
    storage = MemoryStorage()
    lettered(storage, "abc de fghi")
    expected = list(zip(range(1, 10), [0] * 3 + [1] * 2 + [2] * 4, "abcdefghi", strict=True))[
        first - 1 : last
    ]
    assert list(dump(storage, first, last, letters)) == expected


def test_dump_says_where_damage_ends_it() -> None:
    """The events before the damage come, then the place; what lies wholly before it needs no warning."""
    storage = MemoryStorage()
    lettered(storage, "abc de fghi")
    storage.flip(segment_files(storage)[0], 32 + 48 + 3, 1)
    events = dump(storage, 1, 9, letters)
    assert [next(events)[2] for _ in range(3)] == ["a", "b", "c"]
    with pytest.raises(JournalRotten):
        next(events)
    assert len(list(dump(storage, 1, 3, letters))) == 3


def test_stats_sum_up() -> None:
    """Counts, bytes, snapshots, and what each cursor holds back."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, 3)
    segments = journal.catalogue.all()
    journal.cursors.set("done", journal.durable_position)
    journal.cursors.set("lags", segments[1].first)
    journal.maintain()
    write_snapshot(storage, Snapshot(5, 1, b"state"))
    write_snapshot(storage, Snapshot(6, 1, b"state"))
    storage.flip(snapshot_name(6), 2, 1)
    found = stats(storage)
    assert (found.segments, found.records, found.events) == (3, len(entries), journal.durable_position)
    assert (found.first, found.last) == (1, journal.durable_position)
    assert found.events_per_record == pytest.approx(found.events / len(entries))
    assert found.bytes_files == 3 * 8192 > found.bytes_used
    assert [(shot.position, shot.whole) for shot in found.snapshots] == [(5, True), (6, False)]
    assert found.cursors == {"done": (journal.durable_position, 0), "lags": (segments[1].first, 2 * 8192)}


def test_an_empty_journal_has_empty_stats() -> None:
    """A folder without segments is no error."""
    found = stats(MemoryStorage())
    assert (found.segments, found.events, found.first, found.last, found.events_per_record) == (
        0,
        0,
        1,
        0,
        0.0,
    )


def test_stats_say_how_fast_it_fills_and_for_how_long_it_fits() -> None:
    """The rate of the last hour; what fits is the reserve less what is held, or the disk if that is less."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    put(journal, at_ms=1_000_000)
    while len(journal.catalogue.all()) < 3:
        put(journal, b"x" * 900, at_ms=9_000_000)
    put(journal, at_ms=9_010_000)
    journal.move_cursor("slow", 0)
    journal.maintain()
    found = stats(storage)
    reports = verify(storage)
    assert (found.rate_s, found.bytes_free) == (10.0, storage.free_bytes())
    assert found.rate_bytes_s == sum(report.bytes_used for report in reports[1:]) / 10
    held = sum(report.bytes_file for report in reports)
    assert found.cursors == {"slow": (0, held)}
    assert found.fits_s("slow", held + 5000) == pytest.approx(5000 / found.rate_bytes_s)
    assert found.fits_s("slow", held - 1) == 0
    assert found.fits_s("slow", 0) == pytest.approx(storage.free_bytes() / found.rate_bytes_s)


def test_without_a_rate_nothing_is_said_of_how_long_it_fits() -> None:
    """One record, one moment: no rate."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    put(journal)
    journal.move_cursor("a", 0)
    journal.maintain()
    assert (stats(storage).rate_bytes_s, stats(storage).fits_s("a", 5)) == (0.0, None)
