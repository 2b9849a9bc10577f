"""The engine: lots, journal and clock. It decides, applies and gathers events; commit() makes them durable.

    engine.begin(now_ms)
    event = engine.read(lot, scan)        # decided and applied, in memory only
    engine.commit()                       # on stable storage from here on: now answers may leave

One thread, no waiting, no clock of its own. An exception out of commit() ends the engine: memory would be
ahead of what replay can rebuild.
"""

from typing import Any

from liftgate.codecs.pack import Packer
from liftgate.engine.core import apply as folding
from liftgate.engine.core import reads
from liftgate.engine.core.commands import Command, Order, ReadCredential, Tick
from liftgate.engine.core.decide import decide, is_due
from liftgate.engine.core.events import ScanDecided, pack
from liftgate.engine.core.model import Lot
from liftgate.engine.journal.journal import GroupTooLarge, Journal

SEAL_BYTES = 32 * 1024
"""A record of scans is closed at this size. It must fit an EVENTS frame (64 KiB) with one more command's
events, which are atomic: the largest is a Tick of 1,000 lapses, some 26 KB."""

SEAL_BYTES_SMALL = 2800
"""The same for all that is not hot, and for scans too while a subscriber takes only small frames: such a
record fits the 4,096 bytes that every connection begins with."""

ROUND_BYTES_MAX = 4 * 1024 * 1024
"""Events of one round; the round ends early beyond it. Some 40,000 scans: larger rounds gain nothing, and
this bounds the memory and the space that must be sure on disk before anything is decided."""


class Engine:
    """All lots of one process over one journal.

    lots: by id; now_ms: the engine's clock, the later of the wall clock and the last journalled time;
    position: of the last event, durable or not; accepting: whether the disk has room for a round;
    seal_bytes: how large records of scans may grow; untold: lots with lanes whose readers are still to be
    told their mode; began_ms: the last journalled time when it was opened.
    """

    def __init__(self, journal: Journal, lots: dict[str, Lot], now_ms: int, room_bytes: int) -> None:
        self.journal = journal
        self.lots = lots
        self.now_ms = self.began_ms = now_ms
        self.position = journal.durable_position
        self.accepting = True
        self.room_bytes = room_bytes
        self.seal_bytes = SEAL_BYTES
        self.untold: dict[Lot, None] = {}
        self._gathered = Packer(2 * SEAL_BYTES)
        self._count = 0
        self._sealed = 0

    def begin(self, wall_ms: int) -> None:
        """Begin a round: step the clock, and see whether the disk can take what the round may decide."""
        if wall_ms > self.now_ms:
            self.now_ms = wall_ms
        self.accepting = self.journal.writable(self.room_bytes)

    def full(self) -> bool:
        """Whether the round has gathered as much as a round may: commit before deciding more.

        A quarter of the room: what one peer sent in one piece comes on top, and can be a megabyte of events.
        """
        return self._sealed + self._gathered.n >= self.room_bytes >> 2

    def read(self, lot: Lot, read: ReadCredential) -> ScanDecided:
        """Decide and apply a scan whose number is new."""
        read.now_ms = self.now_ms
        event = reads.decide_read(lot, read)
        event.pack(self._gathered)
        self._count += 1
        self.position += 1
        folding.apply_scan(lot, event, self.position, read)
        if self._gathered.n >= self.seal_bytes:
            self._seal()
        return event

    def do(self, lot: Lot, command: Command) -> tuple[Any, ...]:
        """Decide and apply any command; its events, none if it changes nothing. They share a record."""
        events = decide(lot, command)
        for event in events:
            pack(event, self._gathered)
            self._count += 1
            self.position += 1
            folding.apply(lot, event, self.position)
        if lot.untold:
            self.untold[lot] = None
        if self._gathered.n >= SEAL_BYTES_SMALL:
            self._seal()
        return events

    def order(self, lot: Lot, order: Order) -> tuple[bool, str, dict[str, Any], int]:
        """Do a service's COMMAND once; its outcome: (ok, code, body, position), always the first one."""
        self.do(lot, order)
        return lot.outcomes[order.id]

    def tick(self) -> None:
        """Let what was promised too long ago lapse, in every lot; on a full disk it waits for room."""
        if not self.accepting:
            return
        for lot in self.lots.values():
            if is_due(lot, self.now_ms):
                self.do(lot, Tick(self.now_ms))

    def _seal(self) -> None:
        """Close the record: what was gathered goes to the journal's buffer."""
        gathered = self._gathered
        with memoryview(gathered.buf) as view:
            try:
                self.journal.append(view[: gathered.n], self._count, self.now_ms)
            except GroupTooLarge:
                self.journal.commit()
                self.journal.append(view[: gathered.n], self._count, self.now_ms)
        self._sealed += gathered.n
        gathered.n = 0
        self._count = 0

    def commit(self) -> None:
        """Make everything decided so far durable. Raises JournalFailed: then nobody may be answered.

        A round may go on after it, so whether the disk has room for that is asked again.
        """
        if self._count:
            self._seal()
        self._sealed = 0
        self.journal.commit()
        self.accepting = self.journal.writable(self.room_bytes)
