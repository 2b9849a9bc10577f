"""A lot under test with everything around it that an engine would do: numbers, positions, the log."""

from __future__ import annotations

from typing import Any

from liftgate.codecs.pack import Packer
from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.apply import apply
from liftgate.engine.core.decide import decide
from liftgate.engine.core.events import pack, unpack
from liftgate.engine.core.fold import fold
from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.numbering import Numbering

QR, CARD, NTAG, PLATE = 1, 2, 3, 4
NOON = 1_795_348_800_000


def block(level: str, prefix: str, size: int, spot_class: str = "standard") -> dict[str, Any]:
    return {"level": level, "prefix": prefix, "class": spot_class, "count": size}


def area(id: str, parent: str | None, *blocks: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "parent": parent, "spots": list(blocks)}


def lot_spec(
    *areas: dict[str, Any],
    assign: str = "spot",
    gates: dict[str, list[str]] | None = None,
    confirm_ms: int = 60_000,
) -> dict[str, Any]:
    return {
        "name": "North Garage",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "assign": assign,
        "confirm_ms": confirm_ms,
        "areas": list(areas) or [area("north", None, block("P1", "A", 3))],
        "gates": [{"id": id, "nearest": nearest} for id, nearest in (gates or {}).items()],
    }


def lane_spec(
    number: int,
    direction: str,
    area: str = "north",
    gate: str | None = None,
    confirm: bool = False,
    codes: str = "known",
    cards: str = "open",
    plates: str = "open",
) -> tuple[Any, ...]:
    return (number, direction, area, gate, confirm, codes, cards, plates)


IN_AND_OUT = (lane_spec(0, "entry"), lane_spec(1, "exit"))
CONFIRMED = (lane_spec(0, "entry", confirm=True), lane_spec(1, "exit", confirm=True))


def packed(events: Any) -> bytes:
    out = Packer()
    for event in events:
        pack(event, out)
    return out.getvalue()


def pieces(log: bytes) -> list[bytes]:
    """The log's events, each by itself."""
    source, found = Unpacker(log), []
    while source.at < source.end:
        start = source.at
        unpack(source)
        found.append(log[start : source.at])
    return found


def replayed(lot_id: str, log: bytes) -> Lot:
    """A fresh lot with the log folded in as recovery does it, positions from 1."""
    lots: dict[str, Lot] = {}
    fold(lots, log, 1, 0)
    return lots.get(lot_id) or Lot(lot_id)


class Yard:
    """One lot, its clock and its log. Every command is decided twice and must leave the state alone.

    careful: False leaves that out, for lives of thousands of commands.
    """

    def __init__(
        self, spec: dict[str, Any] | None = None, lot: str = "north", **readers: tuple[tuple[Any, ...], ...]
    ) -> None:
        self.lot = Lot(lot)
        self.now_ms = NOON
        self.log = bytearray()
        self.position = 0
        self.careful = True
        self.do(c.ConfigureLot(self.now_ms, spec or lot_spec()))
        for reader, lanes in (readers or {"r": IN_AND_OUT}).items():
            self.do(c.ConfigureReader(self.now_ms, reader, lanes))

    def do(self, command: Any) -> tuple[Any, ...]:
        events = self._decide_twice(command) if self.careful else decide(self.lot, command)
        self.log += packed(events)
        for event in events:
            self.position += 1
            apply(self.lot, event, self.position)
        return events

    def _decide_twice(self, command: Any) -> tuple[Any, ...]:
        before = state.dump(self.lot)
        first = packed(decide(self.lot, command))
        events = decide(self.lot, command)
        assert packed(events) == first, "decided differently a second time"
        assert state.dump(self.lot) == before, "decide changed the state"
        return events

    def lane(self, reader: str, number: int) -> Lane:
        return self.lot.readers[reader].lanes[number]

    def numbering(self, reader: str, boot: int) -> Numbering:
        return self.lot.readers[reader].numbering(boot)

    def next_no(self, reader: str, boot: int) -> int:
        numbering = self.numbering(reader, boot)
        return int(numbering.ranges[-1][1] if numbering.ranges else numbering.done_to) + 1

    def _head(self, reader: str, lane: int, boot: int, no: int | None, at_ms: int | None) -> tuple[Any, ...]:
        no = self.next_no(reader, boot) if no is None else no
        at_ms = self.now_ms if at_ms is None else at_ms
        return self.lane(reader, lane), self.numbering(reader, boot), no, at_ms, self.now_ms

    def scan(
        self,
        lane: int,
        token: bytes = b"anna",
        *,
        reader: str = "r",
        kind: int = CARD,
        boot: int = 7,
        no: int | None = None,
        at_ms: int | None = None,
    ) -> Any:
        """Scan, and return the event; for a repeated number what is kept of its answer."""
        head = self._head(reader, lane, boot, no, at_ms)
        read = c.ReadCredential(head[0], head[1])
        read.no, read.at_ms, read.now_ms = head[2:]
        read.kind, read.token = kind, token
        events = self.do(read)
        return events[0] if events else self.numbering(reader, boot).answer(read.no)

    def passage(
        self,
        lane: int,
        what: int = 1,
        session: bytes | None = None,
        *,
        reader: str = "r",
        boot: int = 7,
        no: int | None = None,
        at_ms: int | None = None,
    ) -> Any:
        head = self._head(reader, lane, boot, no, at_ms)
        events = self.do(c.RecordPassage(*head, what, session))
        return events[0] if events else self.numbering(reader, boot).answer(head[2])

    def status(self, lane: int, barrier: int, loop: bool, *faults: str, no: int | None = None) -> Any:
        return self.do(c.ReportLane(*self._head("r", lane, 7, no, None), barrier, loop, faults))

    def history(
        self,
        lane: int,
        what: int,
        *fields: Any,
        verdict: int = 0,
        reader: str = "r",
        boot: int = 7,
        no: int | None = None,
        at_ms: int | None = None,
    ) -> Any:
        head = self._head(reader, lane, boot, no, at_ms)
        events = self.do(c.RecordHistory(*head, what, verdict, fields))
        return events[0] if events else self.numbering(reader, boot).answer(head[2])

    def order(self, name: str, id: int | None = None, reachable: bool = True, /, **args: Any) -> Any:
        """Obey, and return (ok, code, body)."""
        name_of = (self.lot.seq + 1_000_000 if id is None else id).to_bytes(16, "big")
        self.do(c.Order(self.now_ms, name_of, "console", name, args, reachable))
        return self.lot.outcomes[name_of][:3]

    def tick(self, after_ms: int = 0) -> tuple[Any, ...]:
        self.now_ms += after_ms
        return self.do(c.Tick(self.now_ms))

    def counts(self) -> tuple[int, int, int]:
        """occupancy, held, available"""
        found = self.lot.counts()
        return found["occupancy"], found["held"], found["available"]

    def check(self) -> None:
        """The log and the dump both give this very state."""
        dump = state.dump(self.lot)
        assert state.dump(replayed(self.lot.id, bytes(self.log))) == dump
        assert state.dump(state.load(dump)) == dump
