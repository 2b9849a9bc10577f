"""Records and events as they stand on disk, read with this module's own parser.

Written from the tables in the docstrings of the journal's records and of the events; imports none of them,
so that a mistake in the engine's reading or writing does not cancel itself out here.
"""

import struct
import zlib
from typing import Any, NamedTuple

import msgspec

Event = dict[str, Any]
"""One event: its fields by name, and `type`, `position` and `now_ms`, the record's engine time."""

SCAN, PASSAGE, LANE, HISTORY = 0x10, 0x12, 0x13, 0x15
LOT_CONFIGURED, READER_CONFIGURED, LAPSED = 0x20, 0x21, 0x22
DONE, CORRECTED, MODE_SET, VENDED, SHOWN = 0x30, 0x31, 0x32, 0x33, 0x34
DENIED, ALLOWED, REGISTERED, FORGOTTEN, RESET = 0x35, 0x36, 0x37, 0x38, 0x39
RULES_SET, FINDING = 0x3A, 0x3B
RECOUNTED, REPORTED, RECONCILED = 0x70, 0x71, 0x72
MODE_SET_AT, MODE_ENDED, PLANNED, PLAN_CANCELLED, PLAN_ENDED = 0x80, 0x81, 0x82, 0x83, 0x84
PLACES_HELD, RATE_EXCEEDED, LANE_DOWN, LANE_UP, TIDE_TURNED, ALONE = 0x85, 0x86, 0x87, 0x88, 0x89, 0x8E
RESERVED, RESERVATION_CHANGED, RESERVATION_CANCELLED, HOLD_GROWN = 0x50, 0x51, 0x52, 0x53
RESERVATION_OPENED, RESERVATION_RELEASED, OFFERED, OFFER_ACCEPTED = 0x54, 0x55, 0x56, 0x57
OVERSTAYED, TURNED_AWAY, SPOT_WITHHELD, ARRIVAL_WITHDRAWN = 0x58, 0x59, 0x5A, 0x5B
READER_REGISTERED, READER_CHANGED, KEY_ROTATED, KEY_RETIRED, READER_REVOKED = 0xA0, 0xA1, 0xA2, 0xA3, 0xA4
DOUBT, RESETS, LOST, CLOSED, SWAPPED, NAMED = 0x60, 0x61, 0x62, 0x63, 0x64, 0x65

IN, OUT = 1, 2
OPEN, REFUSE, PAY_FIRST = 1, 2, 3
NOTHING, MOVED, PROMISED = 0, 1, 2

_ALL = "lot seq at_ms "
_READERS = _ALL + "reader boot no lane "
_ORDERED = "reader lane "
FIELDS: dict[int, tuple[str, ...]] = {
    kind: tuple(names.split())
    for kind, names in {
        SCAN: _READERS + "kind token skew_ms way verdict reason effect area session spot rare",
        PASSAGE: _READERS + "what way area session effect",
        LANE: _READERS + "barrier loop faults",
        HISTORY: _READERS + "what verdict_given finding way area session spot effect detail",
        LOT_CONFIGURED: _ALL + "spec",
        READER_CONFIGURED: _ALL + "reader lanes",
        LAPSED: _ALL + "session",
        DONE: _ALL + "id service name ok code body",
        CORRECTED: _ALL + "area before after actor reason",
        MODE_SET: _ALL + _ORDERED + "mode actor reason",
        VENDED: _ALL + _ORDERED + "cause actor",
        SHOWN: _ALL + _ORDERED + "text seconds actor",
        DENIED: _ALL + "credential actor reason",
        ALLOWED: _ALL + "credential actor reason",
        REGISTERED: _ALL + "credential classes actor",
        FORGOTTEN: _ALL + "credential actor",
        RESET: _ALL + "credential actor reason",
        0x40: _ALL + "spec actor reason",
        0x41: _ALL + "spec actor reason",
        0x42: _ALL + "name actor reason",
        0x43: _ALL + "name",
        0x44: _ALL + "name limit areas over added removed actor reason",
        0x45: _ALL + "name actor reason",
        0x48: _ALL + "spot session state actor",
        0x49: _ALL + "spot session full_since_ms",
        RULES_SET: _ALL + "rules actor reason",
        FINDING: _ALL + "kind text about",
        RESERVED: _ALL + "id credential code area spot_class spot from_ms to_ms early_ms late_ms leave_ms "
        "waiting percent actor reason",
        RESERVATION_CHANGED: _ALL + "id credential from_ms to_ms percent actor reason",
        RESERVATION_CANCELLED: _ALL + "id actor reason",
        HOLD_GROWN: _ALL + "id percent",
        RESERVATION_OPENED: _ALL + "id session",
        RESERVATION_RELEASED: _ALL + "id why",
        OFFERED: _ALL + "id until_ms",
        OFFER_ACCEPTED: _ALL + "id actor",
        OVERSTAYED: _ALL + "id session",
        TURNED_AWAY: _ALL + "id",
        SPOT_WITHHELD: _ALL + "id",
        ARRIVAL_WITHDRAWN: _ALL + "id",
        RECOUNTED: _ALL + "areas actor reason",
        REPORTED: _ALL + "area expected counted source actor",
        RECONCILED: _ALL + _ORDERED + "hour counts waiting missing difference",
        MODE_SET_AT: _ALL + "at mode until_ms actor reason plan step",
        MODE_ENDED: _ALL + "at mode until_ms actor reason plan step",
        PLANNED: _ALL + "name from_ms to_ms steps holds actor reason",
        PLAN_CANCELLED: _ALL + "name actor reason",
        PLAN_ENDED: _ALL + "name",
        PLACES_HELD: _ALL + "area places plan step",
        RATE_EXCEEDED: _ALL + _ORDERED + "what count",
        LANE_DOWN: _ALL + "reader lanes since_ms",
        LANE_UP: _ALL + "reader lanes since_ms",
        TIDE_TURNED: _ALL + _ORDERED + "run clear_until_ms until_ms actor reason",
        ALONE: _ALL + "reader since_ms",
        DOUBT: _ALL + _ORDERED + "area cause stays until_ms",
        RESETS: _ALL + "credentials group whole until_ms actor reason",
        LOST: _ALL + "session credential replacement entered_at_ms cause actor",
        CLOSED: _ALL + "session credential area spot entered_at_ms cause actor",
        SWAPPED: _ALL + "session before after actor reason",
        READER_REGISTERED: _ALL + "reader key lanes actor reason",
        READER_CHANGED: _ALL + "reader lanes actor reason",
        KEY_ROTATED: _ALL + "reader key until_ms actor reason",
        KEY_RETIRED: _ALL + "reader cause",
        READER_REVOKED: _ALL + "reader actor reason",
        NAMED: _ALL + "session credential area entered_at_ms notes cause actor",
    }.items()
}
"""Per type the names of what follows it in the array. A rule's new event adds its line here."""

OF_REGISTRY = (READER_REGISTERED, READER_CHANGED, KEY_ROTATED, KEY_RETIRED, READER_REVOKED)

READER_EVENTS = (SCAN, PASSAGE, LANE, HISTORY)
"""Those that a reader's event causes; each carries the event's name."""

HEADER = struct.Struct("<IIQQQI4s")
_MARKER = b"LGR1"


class Bad(Exception):
    """The bytes are no good record, or hold no good events; says what is wrong."""


class Record(NamedTuple):
    """One record: position of its first event and of its group, the engine's time, its events, its bytes."""

    first: int
    group: int
    now_ms: int
    events: list[Event]
    raw: bytes

    @property
    def last(self) -> int:
        return self.first + len(self.events) - 1


def parse_record(data: bytes | bytearray | memoryview, offset: int) -> Record | None:
    """The record at `offset`; None where zeros say that nothing stands there. Raises Bad."""
    head = bytes(data[offset : offset + HEADER.size])
    if not any(head):
        return None
    if len(head) < HEADER.size:
        raise Bad("shorter than a header")
    crc, length, first, group, now_ms, count, marker = HEADER.unpack(head)
    end = offset + (HEADER.size + length + 7) // 8 * 8
    raw = bytes(data[offset:end])
    if marker != _MARKER or end - offset != len(raw) or not length or not count:
        raise Bad("its header is wrong")
    if zlib.crc32(raw[4:]) != crc:
        raise Bad("its CRC is wrong")
    if any(raw[HEADER.size + length :]):
        raise Bad("its padding is not zeros")
    events = _events(raw[HEADER.size : HEADER.size + length], first, count, now_ms)
    return Record(first, group, now_ms, events, raw)


def _events(payload: bytes, first: int, count: int, now_ms: int) -> list[Event]:
    """The events of a payload: with the head of an array before them they are one MessagePack value."""
    try:
        values = msgspec.msgpack.decode(b"\xdd" + struct.pack(">I", count) + payload)
    except msgspec.DecodeError as error:
        raise Bad(f"its payload is not {count} MessagePack values: {error}") from error
    return [_named(value, first + place, now_ms) for place, value in enumerate(values)]


def _named(value: list[Any], position: int, now_ms: int) -> Event:
    names = FIELDS.get(value[0])
    if names is None or len(names) != len(value) - 1:
        raise Bad(f"event {position} of type {value[0]:#x} has {len(value)} fields")
    event = dict(zip(names, value[1:], strict=True))
    event["type"], event["position"], event["now_ms"] = value[0], position, now_ms
    return event


def credential(kind: int, token: bytes) -> bytes:
    """What a card, code or plate is called in the lists: its kind's byte, then its token."""
    return bytes((kind,)) + token


def tell(event: Event) -> str:
    """An event in one line, for findings."""
    said = [f"{name} {_short(value)}" for name, value in event.items() if name not in ("type", "rare")]
    return f"event {event['type']:#x}: {', '.join(said)}"


def _short(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else f"{value}"[:120]


def marks(event: Event) -> dict[str, Any]:
    """What rules had a scan's event say."""
    rare = event["rare"] or []
    return rare[2] if len(rare) > 2 else {}


def plain(value: Any) -> Any:
    """The value with lists for tuples: what comes off a wire and off a disk compares equal."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value
