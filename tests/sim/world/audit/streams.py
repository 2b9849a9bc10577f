"""Journals written by hand, for an Auditor to read; no code of the engine's encodes them."""

import struct
import zlib
from types import SimpleNamespace
from typing import Any

import msgspec

from liftgate.configs.schema import AreaConfig, GateConfig, Kind, LaneConfig, LotConfig, SpotsConfig
from liftgate.sim.world.audit import Auditor

START_MS = 1_800_000_000_000
LOT, READER, BOOT, DESK, SINK = "north", "east", 7, "desk", "sink"
IN, OUT, IN_LATER, INNER_IN, INNER_OUT, OUT_LATER, BOTH, INNER_OUT_LATER = range(8)
"""Lanes of the one reader: those "later" confirm; the inner ones lead into an area of one spot."""

SCAN, PASSAGE, LANE, HISTORY, LOT_SET, READER_SET, LAPSED, DONE = (
    0x10,
    0x12,
    0x13,
    0x15,
    0x20,
    0x21,
    0x22,
    0x30,
)


def lane(number: int, direction: Any, area: str, confirm: bool = False) -> LaneConfig:
    """A lane that takes cards of anybody."""
    kinds: tuple[Kind, ...] = ("card", "plate")
    return LaneConfig(
        number=number, direction=direction, area=area, gate="g", confirm=confirm, cards="open", kinds=kinds
    )


def lot_config(spots: int = 2) -> LotConfig:
    """An area of `spots` spots (and a permit block of one), around one of one spot."""
    outer = (
        SpotsConfig(level="P1", prefix="B", spot_class="permit", count=1),
        SpotsConfig(level="P1", prefix="A", spot_class="standard", count=spots),
    )
    inner = (SpotsConfig(level="P2", prefix="A", spot_class="standard", count=1),)
    return LotConfig(
        id=LOT,
        name="North",
        timezone="UTC",
        currency="EUR",
        assign="spot",
        confirm_s=60,
        areas=(
            AreaConfig(id="out", parent=None, spots=outer),
            AreaConfig(id="in", parent="out", spots=inner),
        ),
        gates=(GateConfig(id="g", nearest=("P1-A",)),),
    )


LANES = (
    lane(IN, "entry", "out"),
    lane(OUT, "exit", "out"),
    lane(IN_LATER, "entry", "out", True),
    lane(INNER_IN, "entry", "in"),
    lane(INNER_OUT, "exit", "in"),
    lane(OUT_LATER, "exit", "out", True),
    lane(BOTH, "both", "out"),
    lane(INNER_OUT_LATER, "exit", "in", True),
)


class Shape:
    """One lot with one reader, one service and one subscriber."""

    def __init__(self, spots: int = 2) -> None:
        reader = SimpleNamespace(id=READER, lot=LOT, lanes=LANES)
        services = [SimpleNamespace(id=id, may=("query", "open_lane"), lots=None) for id in (DESK, SINK)]
        self.made = SimpleNamespace(lots=(lot_config(spots),), readers=(reader,), services=services)

    def config(self) -> Any:
        return self.made


class Disk:
    """Files as a power cut would leave them."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.struck = 0

    def kept_names(self) -> list[str]:
        return sorted(self.files)

    def kept(self, name: str) -> bytearray | None:
        return self.files.get(name)

    def segment(self, first: int) -> bytearray:
        """A new empty segment."""
        head = struct.pack("<4sIQQ", b"LGJ1", 1, first, 1 << 20)
        data = bytearray(head + struct.pack("<I4x", zlib.crc32(head)))
        self.files[f"{first:020d}.seg"] = data
        return data

    def store_cursors(self, text: bytes) -> None:
        self.files["cursors"] = bytearray(b"%08x\n" % zlib.crc32(text) + text)


def encode(events: list[list[Any]], first: int, at_ms: int, group: int | None = None) -> bytes:
    """One record."""
    payload = b"".join(msgspec.msgpack.encode(event) for event in events)
    rest = struct.pack("<IQQQI4s", len(payload), first, group or first, at_ms, len(events), b"LGR1") + payload
    rest += bytes(-(len(rest) + 4) % 8)
    return struct.pack("<I", zlib.crc32(rest)) + rest


class Stream:
    """A journal and its auditor. Every verb writes one durable record of what it names.

    seq, position: of the last event; at_ms: the time now; no: the last number of the reader's events.
    """

    def __init__(self, spots: int = 2, configured: bool = True) -> None:
        self.shape = Shape(spots)
        self.disk = Disk()
        self.segment = self.disk.segment(1)
        self.at_ms = START_MS
        self.audit = Auditor(self.shape, lambda: self.at_ms)
        self.seq = self.position = self.no = 0
        if configured:
            self.configure()

    def configure(self) -> None:
        """The configuration as a first start records it."""
        self.write([LOT_SET, spec(self.shape.made.lots[0])], [READER_SET, READER, lane_specs()])

    # -- records

    def write(self, *events: list[Any]) -> int:
        """Write one record of these events, [type, what follows at_ms …]; the position of the last."""
        whole = []
        for place, (type, *rest) in enumerate(events, 1):
            whole.append([type, LOT, self.seq + place, self.at_ms, *rest])
        self.seq += len(events)
        return self.write_raw(whole)

    def write_raw(self, events: list[list[Any]]) -> int:
        """Write one record of whole events."""
        self.segment += encode(events, self.position + 1, self.at_ms)
        self.position += len(events)
        self.commit()
        return self.position

    def commit(self) -> None:
        self.audit.durable(self.disk)

    def roll(self) -> None:
        """Go on in another segment."""
        self.segment = self.disk.segment(self.position + 1)

    # -- readers

    def make(self, type: int, fields: list[Any], alone: bool = False, verdict: int = 0) -> int:
        """Let the reader number an event; its number."""
        self.no += 1
        self.audit.event_made(READER, BOOT, self.no, type, [self.at_ms, *fields], alone, verdict)
        return self.no

    def scan(
        self,
        token: bytes,
        /,
        lane: int = IN,
        spot: str | None = None,
        session: bytes | None = None,
        *,
        reason: int = 0,
        way: int = 0,
        effect: int | None = None,
        **other: Any,
    ) -> int:
        """A card at a lane, opened for, or refused with `reason`; its number."""
        no = self.make(SCAN, [lane, other.get("kind", 2), token])
        later = lane in (IN_LATER, OUT_LATER, INNER_OUT_LATER)
        marks = other.get("marks")
        refused = reason and not other.get("let_through")
        if effect is None:
            effect = 0 if refused else 1 + later
        way = way or (2 if lane in (OUT, INNER_OUT, OUT_LATER, INNER_OUT_LATER) else 1)
        area = other.get("area", "in" if lane in (INNER_IN, INNER_OUT, INNER_OUT_LATER) else "out")
        verdict, rare = (2, [None, ["trace"]]) if refused else (1, None)
        if marks is not None:
            rare = [None, ["trace"] if refused else None, marks]
        head = [
            SCAN,
            READER,
            BOOT,
            other.get("no", no),
            lane,
            other.get("kind", 2),
            other.get("token", token),
        ]
        skew_ms = other.get("skew_ms", 0)
        self.write([*head, skew_ms, way, verdict, reason, effect, area, session, spot, rare])
        return no

    def passage(self, lane: int, what: int, effect: str, session: bytes | None, **other: Any) -> int:
        """What a lane saw of a car; its number. told: the session that the reader named."""
        no = self.make(PASSAGE, [lane, what, other.get("told")])
        way = other.get("way", 2 if lane in (OUT, INNER_OUT, OUT_LATER, INNER_OUT_LATER) else 1)
        area = other.get("area", "in" if lane in (INNER_IN, INNER_OUT, INNER_OUT_LATER) else "out")
        self.write([PASSAGE, READER, BOOT, no, lane, what, way, area, session, effect])
        return no

    def history(
        self,
        token: bytes,
        lane: int,
        effect: str,
        session: bytes | None,
        spot: str | None = None,
        *,
        verdict: int = 1,
        finding: int = 0,
        **other: Any,
    ) -> int:
        """A scan that the reader decided alone; its number."""
        no = self.make(SCAN, [lane, 2, token], alone=True, verdict=verdict)
        way = 2 if lane in (OUT, INNER_OUT, OUT_LATER, INNER_OUT_LATER) else 1
        given = other.get("given", verdict)
        tail = [SCAN, given, finding, way, "out", session, spot, effect, [2, token]]
        self.write([HISTORY, READER, BOOT, no, lane, *tail])
        return no

    # -- services

    def order(
        self, id: bytes, name: str, args: dict[str, Any], effect: list[Any], body: dict[str, Any]
    ) -> int:
        """A command that was obeyed: what it did, and that it is done."""
        self.audit.command(DESK, id, LOT, name, args)
        done = [DONE, id, DESK, name, True, "", body]
        return self.write(effect, done) if effect else self.write(done)

    # -- findings

    @property
    def kinds(self) -> list[str]:
        return [finding.kind for finding in self.audit.findings]

    def rest(self) -> None:
        """The end, with the counts that the auditor itself expects."""
        from liftgate.sim.world.audit.ledger import counts

        self.audit.rest({id: counts(lot) for id, lot in self.audit.lots.items()})


def spec(lot: LotConfig) -> dict[str, Any]:
    """A lot's record, as data."""
    areas = [
        {
            "id": area.id,
            "parent": area.parent,
            "spots": [
                {"level": s.level, "prefix": s.prefix, "class": s.spot_class, "count": s.count}
                for s in area.spots
            ],
        }
        for area in lot.areas
    ]
    head = {"name": lot.name, "timezone": lot.timezone, "currency": lot.currency, "assign": lot.assign}
    gates = [{"id": gate.id, "nearest": list(gate.nearest)} for gate in lot.gates]
    return {**head, "confirm_ms": lot.confirm_s * 1000, "areas": areas, "gates": gates}


def lane_specs() -> list[list[Any]]:
    """The reader's record, as data."""
    return [[x.number, x.direction, x.area, x.gate, x.confirm, "off", "open", "open", "off"] for x in LANES]


def session(number: int) -> bytes:
    """A name for a stay."""
    return number.to_bytes(16, "big")


A, B, C = b"card-a", b"card-b", b"card-c"
ONE, TWO, THREE = session(1), session(2), session(3)
A1, A2, INNER = "P1-A-001", "P1-A-002", "P2-A-001"
