"""Cursors: stored whole or not at all, and never ahead of what was set."""

import pytest

from liftgate.engine.journal.cursors import CURSORS_MAX, FILE_NAME, Cursors, CursorsDamaged
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.storage import StorageError


def test_cursors_survive_a_restart_once_saved() -> None:
    """What was saved is read back; what was only set is not."""
    storage = MemoryStorage()
    cursors = Cursors(storage)
    cursors.set("relay", 10)
    cursors.save()
    cursors.set("relay", 20)
    assert (cursors.get("relay"), Cursors(storage).get("relay")) == (20, 10)
    assert Cursors(storage).get("nobody") is None


def test_the_lowest_counts_what_is_stored_too() -> None:
    """A segment is only free when the stored cursor is past it: a crash would bring that one back."""
    cursors = Cursors(MemoryStorage())
    assert (cursors.lowest(), cursors.highest()) == (None, 0)
    cursors.set("relay", 10)
    cursors.set("kafka", 30)
    cursors.save()
    cursors.set("relay", 25)
    assert cursors.lowest() == 10
    cursors.save()
    assert (cursors.lowest(), cursors.highest()) == (25, 30)


def test_a_forgotten_cursor_holds_nothing_once_saved() -> None:
    """A subscriber that is gone for good is taken out; taking it out twice is no error."""
    cursors = Cursors(MemoryStorage())
    cursors.set("relay", 10)
    cursors.save()
    cursors.forget("relay")
    cursors.forget("relay")
    assert cursors.lowest() == 10
    cursors.save()
    assert cursors.lowest() is None
    assert cursors.all() == {}


def test_a_damaged_file_is_refused() -> None:
    """Without cursors segments would go that somebody needs, so damage stops the start."""
    storage = MemoryStorage()
    cursors = Cursors(storage)
    cursors.set("relay", 10)
    cursors.save()
    size = len(storage.read_whole(FILE_NAME))
    for offset in range(size):
        storage.flip(FILE_NAME, offset, 0x10)
        with pytest.raises(CursorsDamaged):
            Cursors(storage)
        storage.flip(FILE_NAME, offset, 0x10)
    assert Cursors(storage).get("relay") == 10


def test_a_failed_save_is_tried_again_by_the_next() -> None:
    """A save that raised changed nothing, and the next one stores all."""
    storage = MemoryStorage()
    cursors = Cursors(storage)
    cursors.set("relay", 10)
    storage.faults.failing_write = 1
    with pytest.raises(StorageError):
        cursors.save()
    cursors.save()
    assert Cursors(storage).all() == {"relay": 10}


def test_the_number_of_cursors_is_bounded() -> None:
    """One too many is refused; those that are there still move."""
    cursors = Cursors(MemoryStorage())
    for number in range(CURSORS_MAX):
        cursors.set(str(number), 1)
    with pytest.raises(ValueError, match="forget one"):
        cursors.set("one more", 1)
    cursors.set("0", 2)
    cursors.forget("1")
    cursors.set("one more", 1)
