"""The disk as the journal sees it: one folder, a handful of verbs, and errors of our own.

Everything that the journal promises about crashes rests on what is promised here, so the promises are few and
each is held by one suite of contract tests over the real folder (`disk.py`) and the simulated one
(`memory.py`).
"""

from typing import Protocol

SECTOR_BYTES = 512
"""The unit that a disk writes whole or not at all, so what a crash takes or leaves."""


class StorageError(Exception):
    """A file operation failed; the message names the file and the cause."""


class FileMissing(StorageError):
    """No file of that name is in the folder."""


class DiskFull(StorageError):
    """The disk, or the quota on it, has no room for what was to be written."""


class SyncFailed(StorageError):
    """A sync failed: what was written since the last good one may be lost, though it can still be read.

    Never sync again and believe the result: the kernel forgets which pages it failed to write.
    """


class FolderLocked(StorageError):
    """Another engine works in this folder."""


class Lock(Protocol):
    """A held folder; given back by `release`, or by the end of the process."""

    def release(self) -> None:
        """Give the folder back; a second call does nothing."""


class File(Protocol):
    """One open file of fixed size."""

    @property
    def size(self) -> int:
        """Bytes in the file."""

    def write_at(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write all of `data` at byte `offset`, or raise StorageError with any part of it written."""

    def read_at(self, size: int, offset: int) -> bytes:
        """Return the `size` bytes at `offset`, fewer only where the file ends."""

    def sync(self) -> None:
        """Return once everything written is on stable storage, else raise SyncFailed."""

    def close(self) -> None:
        """Let go of the file without syncing it; a second call does nothing."""


class Storage(Protocol):
    """One folder of files."""

    def names(self) -> list[str]:
        """Return the names of the files in the folder, sorted."""

    def create(self, name: str, size: int) -> File:
        """Return a new writable file of `size` zeros, all of it allocated, written and synced, with its name.

        After a crash the file is there whole or not at all. Raises DiskFull, leaving nothing behind.
        """

    def open(self, name: str, writable: bool = False) -> File:
        """Return the file of that name; raises FileMissing."""

    def rename(self, src: str, dst: str, *, sync: bool = True) -> None:
        """Give file `src` the name `dst`, replacing what had it, atomically.

        Without `sync` a crash may bring the old name back, until `sync_names` or any other synced change of
        names.
        """

    def sync_names(self) -> None:
        """Return once every rename is on stable storage."""

    def remove(self, name: str) -> None:
        """Remove the file, for good once this returns; raises FileMissing. Open handles go on working."""

    def write_whole(self, name: str, data: bytes) -> None:
        """Replace the content; a crash leaves the old or the new, never a part. Raises DiskFull."""

    def read_whole(self, name: str) -> bytes:
        """Return the file's content; raises FileMissing."""

    def free_bytes(self) -> int:
        """Return how many bytes can still be written."""

    def lock(self) -> Lock:
        """Hold the folder for one engine; raises FolderLocked at once if another has it."""
