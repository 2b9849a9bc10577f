"""Repair: only when told to, keeps everything, says what is lost, and what it leaves starts."""

import pytest

from liftgate.engine.journal.cursors import FILE_NAME
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.repair import DAMAGED, RepairRefused, repair
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.snapshot import Snapshot, newest, snapshot_name, write_snapshot
from liftgate.engine.journal.storage import FolderLocked
from tests.engine.journal.journals import Entry, fill, opened, put, replayed, segment_files


def damaged(segment: int) -> tuple[MemoryStorage, list[Entry], int]:
    """Return a journal of four segments, one with its third record damaged; and its position."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, 4)
    entries += [put(journal, b"tail") for _ in range(5)]
    storage.restart()
    name = segment_files(storage)[segment]
    within = [entry for entry in entries if entry[0] >= int(name[:20])]
    offset = 32 + sum((40 + len(entry[3]) + 7) & -8 for entry in within[:2])
    storage.flip(name, offset + 16, 0xFF)
    return storage, entries, within[2][0]


@pytest.mark.parametrize("segment", range(4))
def test_a_journal_is_cut_in_front_of_the_damage(segment: int) -> None:
    """What is before the damage starts again; the lost positions are exact; files are kept aside."""
    storage, entries, position = damaged(segment)
    last = entries[-1][0] + entries[-1][2] - 1
    before = {name: storage.read_whole(name) for name in segment_files(storage)[segment:]}
    with pytest.raises(JournalRotten):
        opened(storage)
    plan = repair(storage, confirm=True)
    assert plan is not None
    assert (plan.lost, plan.state_kept, plan.done) == ((position, last), False, True)
    assert repair(storage) is None
    assert replayed(storage) == [entry for entry in entries if entry[0] < position]
    assert {name: storage.read_whole(name + DAMAGED) for name in before} == before


def test_without_confirm_nothing_changes() -> None:
    """The plan is the same, and the folder byte for byte what it was."""
    storage, _, position = damaged(1)
    before = {name: storage.read_whole(name) for name in storage.names()}
    plan = repair(storage)
    assert plan is not None
    assert plan.lost is not None
    assert (plan.lost[0], plan.done) == (position, False)
    assert {name: storage.read_whole(name) for name in storage.names()} == before


def test_damage_that_a_snapshot_covers_costs_no_state() -> None:
    """Segments up to the damage go aside; replay is as before; lagging cursors skip the hole."""
    storage, entries, _ = damaged(1)
    names = segment_files(storage)
    after = int(names[3][:20]) - 1
    write_snapshot(storage, Snapshot(after, 1, b"state"))
    journal, found, _ = opened(storage, after)
    journal.cursors.set("lags", 1)
    journal.cursors.set("done", journal.durable_position)
    journal.maintain()
    journal.close()
    plan = repair(storage, confirm=True)
    assert plan is not None
    oldest = int(names[2][:20])
    assert (plan.lost, plan.state_kept, plan.cursors) == ((1, oldest - 1), True, {"lags": oldest - 1})
    assert segment_files(storage) == names[2:]
    assert repair(storage) is None
    assert replayed(storage, after) == found
    journal, _, _ = opened(storage, after)
    assert journal.cursors.get("lags") == oldest - 1


def test_a_cut_takes_snapshots_and_cursors_back_with_it() -> None:
    """A snapshot from beyond the cut is set aside and cursors move back, so that what is left starts."""
    storage, entries, position = damaged(3)
    last = entries[-1][0] + entries[-1][2] - 1
    write_snapshot(storage, Snapshot(2, 1, b"old"))
    write_snapshot(storage, Snapshot(last, 1, b"new"))
    storage.write_whole("unrelated", b"kept")
    plan = repair(storage, confirm=True)
    assert plan is not None
    assert plan.aside == [snapshot_name(last)]
    assert newest(storage) == Snapshot(2, 1, b"old")
    assert replayed(storage, 2)[-1][0] < position
    assert storage.read_whole("unrelated") == b"kept"


def test_repair_is_refused_while_the_engine_runs() -> None:
    """The lock protects a running engine from its own operator."""
    storage = MemoryStorage()
    opened(storage)
    with pytest.raises(FolderLocked):
        repair(storage, confirm=True)


def test_a_journal_that_could_not_be_rebuilt_is_not_cut() -> None:
    """With the start retired and no snapshot from before the damage, nothing is changed."""
    storage, _, _ = damaged(2)
    storage.remove(segment_files(storage)[0])
    before = storage.names()
    with pytest.raises(RepairRefused, match="copy"):
        repair(storage, confirm=True)
    assert storage.names() == before


def test_a_lost_newest_segment_is_accepted_only_by_repair() -> None:
    """A cursor proves that events are missing at the end; repair moves it back and names them."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    fill(journal, 2)
    journal.cursors.set("relay", journal.durable_position)
    journal.maintain()
    last = journal.durable_position
    storage.restart()
    lost_from = int(segment_files(storage)[1][:20])
    storage.remove(segment_files(storage)[1])
    with pytest.raises(JournalRotten):
        opened(storage)
    plan = repair(storage, confirm=True)
    assert plan is not None
    assert (plan.lost, plan.cursors) == ((lost_from, last), {"relay": lost_from - 1})
    assert replayed(storage)[-1][0] < lost_from


def test_a_damaged_header_is_written_again() -> None:
    """A header holds nothing that the name and the records don't, so nothing is lost."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, 3)
    storage.restart()
    storage.flip(segment_files(storage)[1], 9, 1)
    plan = repair(storage, confirm=True)
    assert plan is not None
    assert (plan.lost, plan.aside) == (None, [])
    assert replayed(storage) == entries


def test_damaged_cursors_are_set_aside() -> None:
    """Subscribers then say themselves where they are; the damaged file stays to be looked at."""
    storage = MemoryStorage()
    storage.write_whole(FILE_NAME, b"garbage")
    plan = repair(storage, confirm=True)
    assert plan is not None
    assert plan.aside == [FILE_NAME]
    assert storage.read_whole(FILE_NAME + DAMAGED) == b"garbage"
    assert repair(storage) is None


def test_a_second_damage_is_a_second_repair() -> None:
    """Repairs are one at a time, each named; a name already taken gets a number."""
    storage, _, position = damaged(3)
    repair(storage, confirm=True)
    journal, _, _ = opened(storage)
    while journal.durable_position < position + 5:
        put(journal, b"new")
    storage.restart()
    storage.flip(segment_files(storage)[3], 40, 0xFF)
    plan = repair(storage, confirm=True)
    assert plan is not None
    assert segment_files(storage)[3] + DAMAGED + ".1" in storage.names()
    assert repair(storage) is None


@pytest.mark.parametrize("size", [0, 31])
def test_a_segment_without_a_header_is_set_aside_whole(size: int) -> None:
    """A newest segment cut to nothing leaves the journal that ends before it."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, 3)
    storage.restart()
    name = segment_files(storage)[2]
    storage.write_whole(name, storage.read_whole(name)[:size])
    with pytest.raises(JournalRotten, match="shorter"):
        opened(storage)
    plan = repair(storage, confirm=True)
    assert plan is not None
    assert (plan.aside, plan.lost and plan.lost[0]) == ([name], int(name[:20]))
    assert replayed(storage) == [entry for entry in entries if entry[0] < int(name[:20])]
