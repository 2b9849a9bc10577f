"""From snapshot and journal to lots: how an engine starts, and how snapshots are folded.

A fold is a process of its own (`python -m liftgate.engine.replay FOLDER`), started by the engine when
segments have closed. It replays them on top of the last snapshot, so each one also checks that the journal
can be replayed, and the engine never pauses for it.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec
import structlog

from liftgate.engine.core import state
from liftgate.engine.core.fold import fold as fold_events
from liftgate.engine.core.model import Lot
from liftgate.engine.engine import ROUND_BYTES_MAX, Engine
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.journal import Journal
from liftgate.engine.journal.recovery import Reader, Recovery
from liftgate.engine.journal.snapshot import Snapshot, newest
from liftgate.engine.journal.snapshot import write_snapshot as write_snapshot
from liftgate.engine.journal.storage import Storage

log = structlog.get_logger()


class Replay:
    """Lots as a fold over records.

    lots: by id; position, at_ms: of the last event folded in.
    """

    def __init__(self, snapshot: Snapshot | None) -> None:
        self.position = 0
        self.at_ms = 0
        self.lots: dict[str, Lot] = {}
        if snapshot is not None:
            self.position = snapshot.position
            self.at_ms = snapshot.at_ms
            dumps = msgspec.msgpack.decode(snapshot.payload, type=list[bytes])
            self.lots = {lot.id: lot for lot in map(state.load, dumps)}

    def record(self, first: int, at_ms: int, count: int, payload: Any) -> None:
        """Fold one journal record in; what it shares with the snapshot is skipped."""
        position = fold_events(self.lots, bytes(payload), first, self.position)
        self.position = max(self.position, position - 1)
        self.at_ms = max(self.at_ms, at_ms)

    def dump(self) -> bytes:
        """The payload of a snapshot."""
        return msgspec.msgpack.encode([state.dump(lot) for lot in self.lots.values()])


def open_engine(storage: Storage, segment_bytes: int) -> tuple[Engine, Recovery]:
    """Recover the engine that `storage` holds; a new one where it holds nothing.

    Raises JournalRotten, FolderLocked, StorageError, BrokenState.
    """
    replay = Replay(newest(storage))
    journal = Journal(storage, segment_bytes=segment_bytes)
    recovery = journal.recover(replay.record, replay.position)
    room = min(ROUND_BYTES_MAX * 4, segment_bytes - segment_bytes // 8)
    return Engine(journal, replay.lots, replay.at_ms, room), recovery


def read_lots(storage: Storage) -> dict[str, Lot]:
    """The lots that a journal gives, read and not touched. Raises JournalRotten, StorageError."""
    replay = Replay(newest(storage))
    Reader(storage, replay.record, replay.position).read()
    return replay.lots


def folded(storage: Storage) -> Snapshot | None:
    """The state after all closed segments, None where the newest snapshot has it already."""
    replay = Replay(newest(storage))
    before = replay.position
    Reader(storage, replay.record, before).read_closed()
    if replay.position == before:
        return None
    return Snapshot(replay.position, replay.at_ms, replay.dump())


def fold(storage: Storage) -> int:
    """Write a snapshot that covers all closed segments; its position, or 0 if there was nothing new."""
    snapshot = folded(storage)
    if snapshot is None:
        return 0
    write_snapshot(storage, snapshot)
    return snapshot.position


def main() -> int:
    """Fold the journal in the folder given; prints the position covered."""
    print(fold(DiskStorage(Path(sys.argv[1]))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
