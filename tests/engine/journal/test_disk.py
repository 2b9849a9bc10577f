"""The real folder: what only a real disk shows."""

import errno
import os
import resource
from pathlib import Path

import pytest

from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.storage import DiskFull, FileMissing, FolderLocked, StorageError, SyncFailed


def test_the_folder_is_made_where_missing(tmp_path: Path) -> None:
    """A new folder, and its parents, are made; with make=False a missing one is an error."""
    DiskStorage(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    with pytest.raises(FileMissing):
        DiskStorage(tmp_path / "c", make=False).names()


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    """Who is refused learns the process that has the folder."""
    lock = DiskStorage(tmp_path).lock()
    with pytest.raises(FolderLocked, match=str(os.getpid())):
        DiskStorage(tmp_path).lock()
    lock.release()


def test_locking_clears_what_a_crash_left_half_made(tmp_path: Path) -> None:
    """A file that was being made when the power went is worth nothing and goes."""
    (tmp_path / "next.seg.new").write_bytes(b"half")
    (tmp_path / "kept").write_bytes(b"whole")
    DiskStorage(tmp_path).lock().release()
    assert sorted(os.listdir(tmp_path)) == ["kept", "lock"]


def test_created_files_have_all_their_blocks(tmp_path: Path) -> None:
    """A prepared segment has its room on the disk, so that no commit into it finds the disk full."""
    DiskStorage(tmp_path).create("a", 3 << 20)
    assert os.stat(tmp_path / "a").st_blocks * 512 >= 3 << 20


def test_a_full_disk_is_disk_full_and_leaves_nothing(tmp_path: Path) -> None:
    """No room for a file: DiskFull, the folder as before."""
    storage = DiskStorage(tmp_path)
    with pytest.raises(DiskFull):
        storage.create("a", storage.free_bytes() * 4)
    assert storage.names() == []


def test_a_write_cut_short_by_a_limit_raises(tmp_path: Path) -> None:
    """A real short write (the file-size limit of the process) is never taken for a whole one."""
    file = DiskStorage(tmp_path).create("a", 8192)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, hard))
    try:
        with pytest.raises(StorageError, match="at 4096"):
            file.write_at(bytes(4096), 4096)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EDQUOT])
def test_no_space_and_no_quota_are_both_disk_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    """Both of the system's errors for "no room" are ours for it."""
    file = DiskStorage(tmp_path).create("a", 100)

    def fail(*_: object) -> int:
        raise OSError(kind, os.strerror(kind))

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(DiskFull):
        file.write_at(b"x", 0)


def test_a_failing_sync_is_sync_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error from fdatasync is told apart from all others."""
    file = DiskStorage(tmp_path).create("a", 100)

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(SyncFailed):
        file.sync()
