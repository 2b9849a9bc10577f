"""The real folder: plain files, pwrite, fdatasync, flock."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator

from liftgate.engine.journal.storage import (
    DiskFull,
    File,
    FileMissing,
    FolderLocked,
    Lock,
    StorageError,
    SyncFailed,
)

ASIDE = ".new"
"""Ends the name of a file that is being made; one found after a crash is worth nothing."""

LOCK_NAME = "lock"
FILL_BYTES = 128 * 1024
"""Zeros are written, and synced, in pieces of this size: commits beside it wait for one of them.

Measured with segments being made without a pause: commits have p99 1.3 ms (0.3 ms alone); pieces of 1 MiB
make it 10 ms, and smaller ones only make the file slower to make.
"""


def _translated(error: OSError, what: str) -> StorageError:
    """Return our error for the system's."""
    text = f"{what}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(text)
    return FileMissing(text) if error.errno == errno.ENOENT else StorageError(text)


@contextlib.contextmanager
def _translating(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _translated(error, what) from error


class DiskFile:
    """An open file of the folder."""

    __slots__ = ("_fd", "_path", "size")

    def __init__(self, path: str, fd: int) -> None:
        self._path = path
        self._fd = fd
        self.size: int = os.fstat(fd).st_size

    def write_at(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        try:
            written = os.pwrite(self._fd, data, offset)
            if written != len(data):
                self._write_rest(memoryview(data), offset, written)
        except OSError as error:
            raise _translated(error, f"cannot write {self._path} at {offset}") from error

    def _write_rest(self, data: memoryview, offset: int, written: int) -> None:
        """Go on after a short write; the kernel says why it was short when asked for the rest."""
        while written < len(data):
            step = os.pwrite(self._fd, data[written:], offset + written)
            if step == 0:
                raise StorageError(f"cannot write {self._path} at {offset + written}: wrote nothing")
            written += step

    def read_at(self, size: int, offset: int) -> bytes:
        with _translating(f"cannot read {self._path} at {offset}"):
            data = os.pread(self._fd, size, offset)
            if len(data) == size:
                return data
            return self._read_rest(data, size, offset)

    def _read_rest(self, data: bytes, size: int, offset: int) -> bytes:
        """Go on after a short read until `size` bytes or the end of the file."""
        pieces = [data]
        got = len(data)
        while got < size and pieces[-1]:
            pieces.append(os.pread(self._fd, size - got, offset + got))
            got += len(pieces[-1])
        return b"".join(pieces)

    def sync(self) -> None:
        try:
            os.fdatasync(self._fd)
        except (OSError, ValueError) as error:  # ValueError: closed; fdatasync checks the number itself.
            raise SyncFailed(f"cannot sync {self._path}: {error}") from error

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class DiskLock:
    """The folder's lock file, held by flock: the kernel gives it back however the process ends."""

    __slots__ = ("_fd",)

    def __init__(self, folder: str) -> None:
        path = os.path.join(folder, LOCK_NAME)
        with _translating(f"cannot lock {path}"):
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(self._fd, 20, 0).decode("ascii", "replace").strip() or "unknown"
                self.release()
                raise FolderLocked(f"{folder} is in use by another engine (process {holder})") from None
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class DiskStorage:
    """A folder on a disk; see `Storage` for what each verb promises."""

    __slots__ = ("_folder",)

    def __init__(self, path: str | os.PathLike[str], *, make: bool = True) -> None:
        """path: the folder. make: create it, with its parents; else names() raises FileMissing."""
        self._folder = os.fspath(path)
        if make:
            with _translating(f"cannot make folder {self._folder}"):
                os.makedirs(self._folder, exist_ok=True)
                _sync_folder(os.path.dirname(os.path.abspath(self._folder)))

    def __repr__(self) -> str:
        return f"DiskStorage({self._folder!r})"

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def names(self) -> list[str]:
        with _translating(f"cannot list {self._folder}"):
            return sorted(entry.name for entry in os.scandir(self._folder) if entry.is_file())

    def create(self, name: str, size: int) -> File:
        path = self._path(name)
        if os.path.exists(path):
            raise StorageError(f"cannot create {path}: it exists")
        with _translating(f"cannot create {path}"), self._aside(path) as fd:
            if size:
                os.posix_fallocate(fd, 0, size)  # A full disk shows at once; the file lies in one run.
            _fill(fd, size)
        return self.open(name, writable=True)

    def open(self, name: str, writable: bool = False) -> File:
        path = self._path(name)
        with _translating(f"cannot open {path}"):
            return DiskFile(path, os.open(path, os.O_RDWR if writable else os.O_RDONLY))

    def rename(self, src: str, dst: str, *, sync: bool = True) -> None:
        with _translating(f"cannot rename {self._path(src)} to {dst}"):
            os.rename(self._path(src), self._path(dst))
        if sync:
            self.sync_names()

    def sync_names(self) -> None:
        _sync_folder(self._folder)

    def remove(self, name: str) -> None:
        with _translating(f"cannot remove {self._path(name)}"):
            os.unlink(self._path(name))
        self.sync_names()

    def write_whole(self, name: str, data: bytes) -> None:
        path = self._path(name)
        with _translating(f"cannot write {path}"), self._aside(path) as fd:
            DiskFile(path, fd).write_at(data, 0)

    def read_whole(self, name: str) -> bytes:
        file = self.open(name)
        try:
            return file.read_at(file.size, 0)
        finally:
            file.close()

    def free_bytes(self) -> int:
        with _translating(f"cannot ask {self._folder} for its free space"):
            usage = os.statvfs(self._folder)
        return usage.f_bavail * usage.f_frsize

    def lock(self) -> Lock:
        lock = DiskLock(self._folder)
        for name in self.names():
            if name.endswith(ASIDE):
                self.remove(name)
        return lock

    @contextlib.contextmanager
    def _aside(self, path: str) -> Iterator[int]:
        """Give a file that replaces `path`, synced, if the block ends well, and vanishes if it doesn't."""
        aside = path + ASIDE
        fd = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            yield fd
            _sync(fd, aside)
            os.rename(aside, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(aside)
            raise
        finally:
            os.close(fd)
        self.sync_names()


def _fill(fd: int, size: int) -> None:
    """Write zeros: an extent that is only allocated costs each later sync a change of metadata."""
    zeros = bytes(FILL_BYTES)
    for offset in range(0, size, FILL_BYTES):
        os.pwrite(fd, zeros[: size - offset], offset)
        os.fdatasync(fd)


def _sync(fd: int, path: str) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        raise SyncFailed(f"cannot sync {path}: {error.strerror}") from error


def _sync_folder(folder: str) -> None:
    with _translating(f"cannot open folder {folder}"):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(fd, folder)
    finally:
        os.close(fd)
