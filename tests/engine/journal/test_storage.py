"""The contract of a journal's folder, held by the real one and the simulated one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.storage import FileMissing, FolderLocked, Storage, StorageError

Maker = Callable[[], Storage]


@pytest.fixture(params=["disk", "memory"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    """Give a function that opens the same folder again, as another process would."""
    if request.param == "disk":
        return lambda: DiskStorage(tmp_path / "journal")
    memory = MemoryStorage()
    return lambda: memory


@pytest.fixture
def storage(reopen: Maker) -> Storage:
    return reopen()


def test_a_new_file_is_all_zeros(storage: Storage) -> None:
    """A created file has its full size, zeros only, and its name at once."""
    file = storage.create("a", 3_000_001)
    assert file.size == 3_000_001
    assert file.read_at(3_000_001, 0) == bytes(3_000_001)
    assert storage.names() == ["a"]


def test_create_refuses_a_name_that_is_taken(storage: Storage) -> None:
    """Creating never overwrites a file."""
    storage.create("a", 10).write_at(b"x", 0)
    with pytest.raises(StorageError):
        storage.create("a", 10)
    assert storage.read_whole("a")[:1] == b"x"


def test_writes_are_seen_by_other_handles(storage: Storage) -> None:
    """What is written can be read at its place, from any handle and any kind of buffer."""
    file = storage.create("a", 100)
    file.write_at(b"one", 10)
    file.write_at(bytearray(b"two"), 20)
    file.write_at(memoryview(b"-three-")[1:6], 30)
    file.sync()
    other = storage.open("a")
    assert [other.read_at(3, 10), other.read_at(3, 20), other.read_at(5, 30)] == [b"one", b"two", b"three"]


def test_reading_stops_at_the_end_of_the_file(storage: Storage) -> None:
    """A read over the end returns what there is, one behind it nothing."""
    file = storage.create("a", 10)
    assert file.read_at(100, 4) == bytes(6)
    assert file.read_at(100, 10) == b""


def test_a_file_opened_for_reading_refuses_writes(storage: Storage) -> None:
    """Only a writable handle writes."""
    storage.create("a", 10).close()
    with pytest.raises(StorageError):
        storage.open("a").write_at(b"x", 0)


def test_a_closed_file_refuses_everything(storage: Storage) -> None:
    """A closed handle never reaches another file by accident, and can be closed again."""
    file = storage.create("a", 10)
    file.close()
    file.close()
    with pytest.raises(StorageError):
        file.write_at(b"x", 0)
    with pytest.raises(StorageError):
        file.read_at(1, 0)
    with pytest.raises(StorageError):
        file.sync()


@pytest.mark.parametrize("use", ["open", "read_whole", "remove"])
def test_a_missing_file_is_named(storage: Storage, use: str) -> None:
    """Asking for a file that isn't there says which."""
    with pytest.raises(FileMissing, match="nobody"):
        getattr(storage, use)("nobody")


def test_renaming_a_missing_file_is_an_error(storage: Storage) -> None:
    """A rename without its source raises and changes nothing."""
    with pytest.raises(FileMissing):
        storage.rename("nobody", "a")
    assert storage.names() == []


@pytest.mark.parametrize("sync", [True, False])
def test_rename_replaces_and_keeps_handles(storage: Storage, sync: bool) -> None:
    """A renamed file takes the place of another; handles on it go on working."""
    storage.write_whole("b", b"old")
    file = storage.create("a", 3)
    storage.rename("a", "b", sync=sync)
    file.write_at(b"new", 0)
    storage.sync_names()
    assert storage.names() == ["b"]
    assert storage.read_whole("b") == b"new"


def test_a_removed_file_can_still_be_read_by_who_has_it_open(storage: Storage) -> None:
    """A feed that lags behind in a retired segment finishes reading it."""
    storage.write_whole("a", b"content")
    file = storage.open("a")
    storage.remove("a")
    assert storage.names() == []
    assert file.read_at(7, 0) == b"content"


def test_write_whole_replaces_the_content(storage: Storage) -> None:
    """A file written whole has the new content and size, and leaves nothing else in the folder."""
    storage.write_whole("a", b"a longer first content")
    storage.write_whole("a", b"short")
    assert storage.read_whole("a") == b"short"
    assert storage.names() == ["a"]


def test_two_engines_on_one_folder_are_refused(reopen: Maker) -> None:
    """The second to lock is told so at once; after the first lets go it gets the folder."""
    first = reopen().lock()
    with pytest.raises(FolderLocked, match="another engine"):
        reopen().lock()
    first.release()
    first.release()
    second = reopen().lock()
    first.release()
    with pytest.raises(FolderLocked):
        reopen().lock()
    second.release()


def test_free_bytes_is_a_size(storage: Storage) -> None:
    """The free space is known before anything is written."""
    assert storage.free_bytes() > 0
