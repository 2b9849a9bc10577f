"""The simulated folder: keeps what is written apart from what survives a crash; fails on request.

A file has two images. `shown` is what reads return; `kept` is what stable storage has. A write goes to
`shown` and marks its sectors; a sync copies the marked sectors to `kept`; a crash copies a random choice of
them, as a disk does that writes its cache back in any order. After a failed sync the marks are gone although
nothing was kept: so does Linux.

What an engine must survive: any number of failing, short and interrupted operations, each seen as an error or
as the end of the process; a lying snapshot, which is there until the power goes and torn afterwards, where
the one before it is good; bits that rot, as far as it never goes on silently. Nobody survives a sync that
lies about the journal: that drive has no place under a system of record, so there is no such fault here.
"""

import random
from collections.abc import Iterator

from liftgate.engine.journal.storage import (
    SECTOR_BYTES,
    DiskFull,
    File,
    FileMissing,
    FolderLocked,
    Lock,
    StorageError,
    SyncFailed,
)

ASIDE = ".new"
"""What DiskStorage adds to the name of a file that is not whole yet; a process that ends leaves it behind."""


class Interrupted(Exception):
    """The process ends in the middle of this operation: with it the machine, if the power is gone.

    No StorageError: nobody may catch it and go on. Until `restart` or `crash` every operation raises it.
    """


class Faults:
    """Faults to come. Each number counts down over all files: 1 = the next one fails; 0 = none.

    interruption: counts operations that change the disk; in the midst of that one the process ends, and with
    cuts_power the machine (power_off, from then on). lying_snapshot: counts snapshots written; that one
    reports success and is torn after a crash. bytes_max: size of the simulated disk, None = endless.
    struck: how many faults were felt, a full disk among them.
    """

    __slots__ = (
        "bytes_max",
        "cuts_power",
        "failing_sync",
        "failing_write",
        "interrupted",
        "interruption",
        "lying_snapshot",
        "power_off",
        "short_write",
        "struck",
    )

    def __init__(self) -> None:
        self.failing_write = 0
        self.short_write = 0
        self.failing_sync = 0
        self.interruption = 0
        self.cuts_power = False
        self.power_off = False
        self.interrupted = False
        self.lying_snapshot = 0
        self.bytes_max: int | None = None
        self.struck = 0

    def due(self, fault: str) -> bool:
        """Count the fault down; return whether it strikes now."""
        left: int = getattr(self, fault)
        if left:
            setattr(self, fault, left - 1)
            self.struck += left == 1
        return left == 1

    def check_running(self) -> None:
        """Raise Interrupted where the process has ended already."""
        if self.interrupted:
            raise Interrupted("the process has ended")

    def interrupts(self) -> bool:
        """Whether the process ends in the midst of this operation, which then calls `interrupt`."""
        self.check_running()
        return self.interruption > 0 and self.due("interruption")

    def interrupt(self) -> None:
        """End the process here. Raises Interrupted, always."""
        self.interrupted = True
        self.power_off = self.cuts_power
        raise Interrupted("the process ends here")


class _Node:
    """A file without its name."""

    __slots__ = ("kept", "marked", "shown")

    def __init__(self, size: int) -> None:
        self.shown = bytearray(size)
        self.kept = bytearray(size)
        self.marked: set[int] = set()

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        end = offset + len(data)
        if end > len(self.shown):
            raise StorageError(f"write to {end} is beyond the end of the file")
        self.shown[offset:end] = data
        self.marked.update(range(offset // SECTOR_BYTES, -(-end // SECTOR_BYTES)))

    def keep(self, sectors: set[int]) -> None:
        for sector in sectors:
            start = sector * SECTOR_BYTES
            self.kept[start : start + SECTOR_BYTES] = self.shown[start : start + SECTOR_BYTES]

    def crash(self, rng: random.Random) -> None:
        """Keep a random choice of the unsynced sectors: none, all, a first part, or any subset."""
        marked = sorted(self.marked)
        choice = rng.randrange(4)
        if choice == 1:
            self.keep(set(marked))
        elif choice == 2:
            self.keep(set(marked[: rng.randint(0, len(marked))]))
        elif choice == 3:
            self.keep({sector for sector in marked if rng.random() < 0.5})
        self.marked.clear()
        self.shown[:] = self.kept


class MemoryFile:
    """An open file of a MemoryStorage."""

    __slots__ = ("_generation", "_node", "_storage", "_writable", "size")

    def __init__(self, storage: "MemoryStorage", node: _Node, writable: bool) -> None:
        self._storage = storage
        self._node = node
        self._writable = writable
        self._generation = storage.generation
        self.size = len(node.shown)

    def write_at(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        self._check_open()
        if not self._writable:
            raise StorageError("the file is open for reading only")
        faults = self._storage.faults
        if faults.interrupts():
            self._node.write(memoryview(data)[: len(data) // 2], offset)
            faults.interrupt()
        if faults.due("failing_write"):
            raise StorageError("injected: write failed")
        if faults.due("short_write"):
            self._node.write(memoryview(data)[: len(data) // 2], offset)
            raise StorageError("injected: short write")
        self._node.write(data, offset)

    def read_at(self, size: int, offset: int) -> bytes:
        self._check_open()
        return bytes(self._node.shown[offset : offset + size])

    def sync(self) -> None:
        self._check_open()
        if self._storage.faults.interrupts():
            self._storage.faults.interrupt()
        if self._storage.faults.due("failing_sync"):
            self._node.marked.clear()
            raise SyncFailed("injected: sync failed")
        self._node.keep(self._node.marked)
        self._node.marked.clear()

    def close(self) -> None:
        self._generation = -1

    def _check_open(self) -> None:
        if self._generation != self._storage.generation:
            raise StorageError("the file is closed")


class MemoryLock:
    """The simulated lock: held by one generation of the storage's users."""

    __slots__ = ("_generation", "_storage")

    def __init__(self, storage: "MemoryStorage") -> None:
        self._storage = storage
        self._generation = storage.generation

    def release(self) -> None:
        if self._generation == self._storage.generation:
            self._storage.locked = False
        self._generation = -1


class MemoryStorage:
    """A simulated folder; see `Storage` for what each verb promises.

    generation: counts the crashes and restarts; what was opened in an earlier one is closed.
    """

    __slots__ = ("_kept_names", "_names", "faults", "generation", "locked")

    def __init__(self) -> None:
        self._names: dict[str, _Node] = {}
        self._kept_names: dict[str, _Node] = {}
        self.faults = Faults()
        self.generation = 0
        self.locked = False

    def names(self) -> list[str]:
        return sorted(self._names)

    def create(self, name: str, size: int) -> File:
        if name in self._names:
            raise StorageError(f"cannot create {name}: it exists")
        self._check_room(size, name)
        if self.faults.interrupts():
            self._names[name + ASIDE] = _Node(size // 2)
            self.faults.interrupt()
        node = self._names[name] = _Node(size)
        self.sync_names()
        return MemoryFile(self, node, True)

    def open(self, name: str, writable: bool = False) -> File:
        return MemoryFile(self, self._node(name), writable)

    def rename(self, src: str, dst: str, *, sync: bool = True) -> None:
        self.faults.check_running()
        self._names[dst] = self._node(src)
        del self._names[src]
        if sync:
            self.sync_names()

    def sync_names(self) -> None:
        if self.faults.interrupts():
            self.faults.interrupt()
        if self.faults.due("failing_sync"):
            raise SyncFailed("injected: folder sync failed")
        self._kept_names = dict(self._names)

    def remove(self, name: str) -> None:
        self._node(name)
        del self._names[name]
        self.sync_names()

    def write_whole(self, name: str, data: bytes) -> None:
        if self.faults.due("failing_write"):
            raise StorageError("injected: write failed")
        self._check_room(len(data), name)
        node = _Node(len(data))
        node.shown[:] = node.kept[:] = data
        if self.faults.interrupts():
            del node.shown[len(data) // 2 :], node.kept[len(data) // 2 :]
            self._names[name + ASIDE] = node
            self.faults.interrupt()
        if name.endswith(".snap") and self.faults.due("lying_snapshot"):
            node.kept[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
        self._names.pop(name + ASIDE, None)
        self._names[name] = node
        self.sync_names()

    def read_whole(self, name: str) -> bytes:
        return bytes(self._node(name).shown)

    def free_bytes(self) -> int:
        if self.faults.bytes_max is None:
            return 1 << 50
        return max(0, self.faults.bytes_max - self.used_bytes())

    @property
    def struck(self) -> int:
        """How many faults were felt, a full disk among them."""
        return self.faults.struck

    def used_bytes(self) -> int:
        """How many bytes all files have together."""
        return sum(len(node.shown) for node in self._names.values())

    def lock(self) -> Lock:
        if self.locked:
            raise FolderLocked("the folder is in use by another engine")
        self.locked = True
        for name in self.names():
            if name.endswith(ASIDE):
                self.remove(name)
        return MemoryLock(self)

    def restart(self) -> None:
        """End the process: nothing written is lost, all handles and the lock are."""
        self.generation += 1
        self.locked = False
        self.faults.interrupted = False
        self.faults.power_off = False

    def crash(self, rng: random.Random) -> None:
        """Cut the power: unsynced sectors and renames survive or not, as `rng` chooses."""
        if rng.random() < 0.5:
            self._kept_names = dict(self._names)
        self._names = dict(self._kept_names)
        for node in self._nodes():
            node.crash(rng)
        self.restart()

    def flip(self, name: str, offset: int, mask: int) -> None:
        """Rot: change bits of the byte at `offset`, as written and as kept."""
        node = self._node(name)
        node.shown[offset] ^= mask
        node.kept[offset] ^= mask

    def kept_names(self) -> list[str]:
        """Names of the files that a crash leaves for certain, sorted."""
        return sorted(self._kept_names)

    def kept(self, name: str) -> bytearray | None:
        """What a crash leaves for certain of the file kept under that name: its own content, not a copy."""
        node = self._kept_names.get(name)
        return None if node is None else node.kept

    def _nodes(self) -> Iterator[_Node]:
        """Give the files in the order of their names, so that one seed is one crash."""
        return (self._names[name] for name in sorted(self._names))

    def _node(self, name: str) -> _Node:
        node = self._names.get(name)
        if node is None:
            raise FileMissing(f"{name}: no such file")
        return node

    def _check_room(self, size: int, name: str) -> None:
        if size > self.free_bytes():
            self.faults.struck += 1
            raise DiskFull(f"cannot write {name}: no space left")
