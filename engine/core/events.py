"""What happened: the events that state is a fold over, as they stand in the journal.

Each is a MessagePack array `[type, lot, seq, at_ms, …]`. seq counts the lot's events from 1 without gaps.
The four that readers cause are written and read by hand, since every scan makes one; the rest, which
operators cause, are msgspec structs of the same shape (`codecs/events`, which has these four as structs, too,
for who reads the feed).
"""

from typing import Any, Union

import msgspec

from liftgate.codecs import codes, fields, values
from liftgate.codecs.events import OPERATOR_EVENTS
from liftgate.codecs.events.operators import OperatorEvent
from liftgate.codecs.pack import Packer
from liftgate.codecs.unpack import Malformed, Unpacker
from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.numbering import Numbering


class ReaderEvent:
    """What all events of readers have in common, and begin with on disk after their type.

    reader, boot, no: the event's name for ever; lane: the reader's number of it; position: where the journal
    holds the event; not in the array, known from the record.
    """

    TYPE = 0

    # Set by `name` or `unpack`, not by an __init__ to call through: every scan makes an event.
    lot: str
    seq: int
    at_ms: int
    reader: str
    boot: int
    no: int
    lane: int
    position: int

    def name(self, lot: Lot, lane: Lane, numbering: Numbering, no: int, at_ms: int) -> None:
        """Make this the lot's next event, number `no` of the lane's reader."""
        self.lot = lot.id
        self.seq = lot.seq + 1
        self.at_ms = at_ms
        self.reader = lane.reader.id
        self.boot = numbering.boot
        self.no = no
        self.lane = lane.number
        self.position = 0

    def _pack_head(self, out: Packer, kind: int, count: int, more_bytes: int = 0) -> None:
        """Begin an array of `count` values with the type and what all events of readers have.

        There is room for all numbers and heads of the array then, and `more_bytes` besides.
        """
        texts = values.text_bytes(self.lot) + values.text_bytes(self.reader)
        out.reserve((count + 1) * values.NUMBER_BYTES + texts + more_bytes)
        buf = out.buf
        at = values.put_array(buf, out.n, count)
        at = values.put_uint(buf, at, kind)
        at = values.put_text(buf, at, self.lot)
        at = values.put_uint(buf, at, self.seq)
        at = values.put_uint(buf, at, self.at_ms)
        at = values.put_text(buf, at, self.reader)
        at = values.put_uint(buf, at, self.boot)
        at = values.put_uint(buf, at, self.no)
        out.n = values.put_uint(buf, at, self.lane)

    def _unpack_head(self, source: Unpacker, like: "ScanDecided | None") -> None:
        self.lot = source.text() if like is None else fields.take_text_as(source, like.lot)
        self.seq = fields.take_uint(source)
        self.at_ms = fields.take_uint(source)
        self.reader = source.text() if like is None else fields.take_text_as(source, like.reader)
        self.boot = fields.take_uint(source)
        self.no = fields.take_uint(source)
        self.lane = fields.take_uint(source)
        self.position = 0


class ScanDecided(ReaderEvent):
    """A scan and its decision.

    skew_ms: reader's clock minus engine's where that decided instead of the reader's, else 0; way: IN or OUT;
    effect: NOTHING, MOVED (the car counts at once) or PROMISED (its spot is held until PASSAGE); area: what
    the lane leads into or out of; rare: what few scans have, packed (`price`, `trace`, `marks`).

    Only numbers, text and bytes: an object that can be in no cycle costs the collector nothing, and 256 of
    them are kept for every reader.
    """

    TYPE = 0x10

    def __init__(self) -> None:
        self.kind = 0
        self.token = b""
        self.skew_ms = 0
        self.way = codes.IN
        self.verdict = 0
        self.reason = 0
        self.effect = codes.NOTHING
        self.area = ""
        self.session: bytes | None = None
        self.spot: str | None = None
        self.rare: bytes | None = None

    @property
    def price(self) -> tuple[int, str] | None:
        """What is owed: (minor units, currency)."""
        price = None if self.rare is None else msgspec.msgpack.decode(self.rare)[0]
        return None if price is None else (price[0], price[1])

    def owes(self) -> bool:
        """Whether there is a price: in `rare` it comes first, and nil (0xC0) stands for none. Asked of every
        answer, so nothing is decoded for it.
        """
        return self.rare is not None and self.rare[1] != 0xC0

    @property
    def trace(self) -> tuple[str, ...] | None:
        """Each rule that was asked and what it saw, kept for refusals."""
        trace = None if self.rare is None else msgspec.msgpack.decode(self.rare)[1]
        return None if trace is None else tuple(trace)

    @property
    def marks(self) -> dict[str, Any]:
        """What rules had the event say of the scan, by name (the table is in docs/rules.md)."""
        rare = [] if self.rare is None else msgspec.msgpack.decode(self.rare)
        marks: dict[str, Any] = rare[2] if len(rare) > 2 else {}
        return marks

    def add(
        self,
        price: tuple[int, str] | None,
        trace: tuple[str, ...] | None,
        marks: dict[str, Any] | None = None,
    ) -> None:
        """Set price, trace and marks."""
        self.rare = _ENCODER.encode([price, trace, marks] if marks else [price, trace])

    def pack(self, out: Packer) -> None:
        rare = self.rare
        texts = values.text_bytes(self.area) + values.text_bytes(self.spot)
        blobs = len(self.token) + values.binary_bytes(self.session) + values.binary_bytes(rare)
        self._pack_head(out, 0x10, 19, texts + blobs)
        buf = out.buf
        at = values.put_uint(buf, out.n, self.kind)
        at = values.put_binary(buf, at, self.token)
        at = values.put_sint(buf, at, self.skew_ms)
        at = values.put_uint(buf, at, self.way)
        at = values.put_uint(buf, at, self.verdict)
        at = values.put_uint(buf, at, self.reason)
        at = values.put_uint(buf, at, self.effect)
        at = values.put_text(buf, at, self.area)
        at = values.put_binary(buf, at, self.session)
        out.n = at = values.put_text(buf, at, self.spot)
        if rare is None:
            out.n = values.put_nil(buf, at)
        else:
            out.append(rare)

    def unpack(self, source: Unpacker, like: "ScanDecided | None" = None) -> None:
        """Read what pack wrote after the type."""
        self._unpack_head(source, like)
        self.kind = fields.take_uint(source)
        self.token = fields.take_binary(source)
        self.skew_ms = source.sint()
        self.way = fields.take_uint(source)
        self.verdict = fields.take_uint(source)
        self.reason = fields.take_uint(source)
        self.effect = fields.take_uint(source)
        self.area = source.text() if like is None else fields.take_text_as(source, like.area)
        self.session = None if source.nil_next() else fields.take_binary(source)
        self.spot = source.text_or_nil()
        self.rare = None if source.nil_next() else source.packed()


class PassageRecorded(ReaderEvent):
    """What a lane saw of a car. what: 1 passed, 2 backed out, 3 followed, 4 barrier forced.

    way, area: the lane's; session: the stay it was about, None when none was found; effect: "moved",
    "withdrawn", "adrift" (a car without a name counts in or out) or "" (nothing counted).
    """

    TYPE = 0x12

    def __init__(self) -> None:
        self.what = 0
        self.way = codes.IN
        self.area = ""
        self.session: bytes | None = None
        self.effect = ""

    def pack(self, out: Packer) -> None:
        self._pack_head(out, 0x12, 13)
        out.uint(self.what)
        out.uint(self.way)
        out.text(self.area)
        out.binary_or_nil(self.session)
        out.text(self.effect)

    def unpack(self, source: Unpacker, like: ScanDecided | None = None) -> None:
        """Read what pack wrote after the type."""
        self._unpack_head(source, like)
        self.what = source.uint()
        self.way = source.uint()
        self.area = source.text()
        self.session = source.binary_or_nil()
        self.effect = source.text()


class LaneReported(ReaderEvent):
    """A lane's barrier (0 down, 1 up, 2 moving, 3 fault), loop and faults, as its reader sees them."""

    TYPE = 0x13

    def __init__(self) -> None:
        self.barrier = 0
        self.loop = False
        self.faults: tuple[str, ...] = ()

    def pack(self, out: Packer) -> None:
        self._pack_head(out, 0x13, 11)
        out.uint(self.barrier)
        out.boolean(self.loop)
        out.value(self.faults)

    def unpack(self, source: Unpacker, like: ScanDecided | None = None) -> None:
        """Read what pack wrote after the type."""
        self._unpack_head(source, like)
        self.barrier, self.loop = source.uint(), source.boolean()
        self.faults = tuple(source.value())


NOTHING_TOLD = b"\x90"
"""No fields: an empty array."""


class HistoryRecorded(ReaderEvent):
    """An event that a reader acted on while it was alone, as it happened; it moved no barrier here.

    what: type of the event it tells of (0x10, 0x12, 0x13); verdict_given: what the reader answered; way,
    area, session, spot: what came of it, as in the live events; finding: the reason by which the rules would
    have decided otherwise, 0 where they agree; detail: the rest of the event's own fields. They are kept
    packed, in `told`: some 250 events of each reader are remembered, and what is bytes and text alone the
    garbage collector need not walk through (tuples of 1,000 readers' backlogs made it stop for 180 ms).
    """

    TYPE = 0x15

    def __init__(self) -> None:
        self.what = 0
        self.verdict_given = 0
        self.finding = 0
        self.way = codes.IN
        self.area = ""
        self.session: bytes | None = None
        self.spot: str | None = None
        self.effect = ""
        self.told = NOTHING_TOLD

    @property
    def detail(self) -> tuple[Any, ...]:
        """The told event's own fields: decoded at each look."""
        return tuple(msgspec.msgpack.decode(self.told))

    @detail.setter
    def detail(self, fields: tuple[Any, ...]) -> None:
        self.told = _ENCODER.encode(fields)

    def pack(self, out: Packer) -> None:
        self._pack_head(out, 0x15, 17)
        out.uint(self.what)
        out.uint(self.verdict_given)
        out.uint(self.finding)
        out.uint(self.way)
        out.text(self.area)
        out.binary_or_nil(self.session)
        out.text_or_nil(self.spot)
        out.text(self.effect)
        out.append(self.told)

    def unpack(self, source: Unpacker, like: ScanDecided | None = None) -> None:
        """Read what pack wrote after the type."""
        self._unpack_head(source, like)
        self.what, self.verdict_given, self.finding = source.uint(), source.uint(), source.uint()
        self.way, self.area = source.uint(), source.text()
        self.session, self.spot = source.binary_or_nil(), source.text_or_nil()
        self.effect = source.text()
        start = source.at
        source.array()
        source.at = start
        self.told = source.packed()


Event = ReaderEvent | OperatorEvent

_BY_HAND: dict[int, Any] = {
    0x12: PassageRecorded,
    0x13: LaneReported,
    0x15: HistoryRecorded,
}
_DECODER: msgspec.msgpack.Decoder[OperatorEvent] = msgspec.msgpack.Decoder(
    Union[tuple(OPERATOR_EVENTS.values())]  # noqa: UP007
)
_ENCODER = msgspec.msgpack.Encoder()


def pack(event: Any, out: Packer) -> None:
    """Append an event to `out`."""
    if isinstance(event, OperatorEvent):
        out.append(_ENCODER.encode(event))
    else:
        event.pack(out)


def unpack(source: Unpacker, like: ScanDecided | None = None) -> Any:
    """Read the next event. Raises Malformed.

    like: a scan before it, whose own texts it gets for lot, reader and area where they say the same.
    """
    start = source.at
    source.array()
    kind = source.uint()
    if kind == 0x10:
        scan = ScanDecided.__new__(ScanDecided)  # unpack sets everything
        scan.unpack(source, like)
        return scan
    cls = _BY_HAND.get(kind)
    if cls is not None:
        event = cls()
        event.unpack(source, like)
        return event
    source.at = start
    packed = source.packed()
    try:
        return _DECODER.decode(packed)
    except msgspec.DecodeError as error:
        raise Malformed(f"event type {kind}: {error}") from error
