"""What readers caused, as it stands on record: for everybody who reads the feed.

The engine makes these four with classes of its own (`engine/core/events.py`), since every scan is one; a test
holds that both read the same bytes alike. On disk each is an array `[type, lot, seq, at_ms, reader, boot, no,
lane, …]`.
"""

from typing import Any

import msgspec

SCAN_DECIDED, PASSAGE_RECORDED, LANE_REPORTED, HISTORY_RECORDED = 0x10, 0x12, 0x13, 0x15


class ReaderEvent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of the events that readers cause. (reader, boot, no) is the event's name for ever."""

    lot: str
    seq: int
    at_ms: int
    reader: str
    boot: int
    no: int
    lane: int


class Rare(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What few scans have: price (minor units, currency), the trace of a refusal, marks by rules."""

    price: tuple[int, str] | None = None
    trace: tuple[str, ...] | None = None
    marks: dict[str, Any] = {}


class ScanDecided(ReaderEvent, frozen=True, tag=SCAN_DECIDED):
    """A scan and its decision.

    kind, token: the credential as scanned; skew_ms: reader's clock minus engine's where that decided, else 0;
    way: 1 in, 2 out; verdict: 1 open, 2 refuse, 3 pay first; effect: 0 none, 1 the car counts at once, 2 its
    spot is held until PASSAGE; area: what the lane leads into or out of.
    """

    kind: int
    token: bytes
    skew_ms: int
    way: int
    verdict: int
    reason: int
    effect: int
    area: str
    session: bytes | None
    spot: str | None
    rare: Rare | None

    @property
    def price(self) -> tuple[int, str] | None:
        """What is owed: (minor units, currency)."""
        return None if self.rare is None else self.rare.price

    @property
    def trace(self) -> tuple[str, ...] | None:
        """Each rule that was asked and what it saw, kept for refusals."""
        return None if self.rare is None else self.rare.trace

    @property
    def marks(self) -> dict[str, Any]:
        """What rules had the event say of the scan, by name (the table is in docs/rules.md)."""
        return {} if self.rare is None else self.rare.marks


class PassageRecorded(ReaderEvent, frozen=True, tag=PASSAGE_RECORDED):
    """What a lane saw of a car. what: 1 passed, 2 backed out, 3 followed, 4 barrier forced.

    effect: "moved", "withdrawn", "adrift" (a car without a name counts in or out) or "" (nothing counted).
    """

    what: int
    way: int
    area: str
    session: bytes | None
    effect: str


class LaneReported(ReaderEvent, frozen=True, tag=LANE_REPORTED):
    """A lane's barrier (0 down, 1 up, 2 moving, 3 fault), loop and faults, as its reader sees them."""

    barrier: int
    loop: bool
    faults: tuple[str, ...]


class HistoryRecorded(ReaderEvent, frozen=True, tag=HISTORY_RECORDED):
    """An event that a reader acted on while it was alone; it moved no barrier at the engine.

    what: type of the event it tells of; verdict_given: what the reader answered; finding: the reason by which
    the rules would have decided otherwise, 0 where they agree; detail: the told event's own fields (of a
    scan: kind, token).
    """

    what: int
    verdict_given: int
    finding: int
    way: int
    area: str
    session: bytes | None
    spot: str | None
    effect: str
    detail: tuple[Any, ...]


BY_READERS: tuple[type[ReaderEvent], ...] = (ScanDecided, PassageRecorded, LaneReported, HistoryRecorded)
