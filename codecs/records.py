"""A record: a batch of events as it stands on disk and in EVENTS frames.

Little-endian, 8-byte aligned, 40 bytes of header, then the payload (concatenated MessagePack events, opaque
here), then zeros to the next multiple of 8:

| offset | size | field | meaning |
|---|---|---|---|
| 0 | 4 | crc | CRC-32 (zlib) over everything after it, padding too: no byte goes unchecked |
| 4 | 4 | length | bytes of payload, never 0; 0 here and in crc marks the end of a segment's records |
| 8 | 8 | first | position of the first event |
| 16 | 8 | group | position of the first event of the record's group |
| 24 | 8 | at_ms | Unix milliseconds, by the engine's clock |
| 32 | 4 | count | events in the payload, never 0 |
| 36 | 4 | marker | bytes `LGR1` |

A group is what one write and one sync made durable. A commit may hold megabytes, a record must fit an EVENTS
frame, so a group is several records; a good record of a later group proves that every earlier group was
durable.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = struct.Struct("<IIQQQI4s")
HEADER_BYTES = HEADER.size
CRC = struct.Struct("<I")
MARKER = b"LGR1"
MARKER_OFFSET = 36
ALIGN = 8

RECORD_BYTES_MAX = 60 * 1024
"""Most payload in one record: with headers and positions it still fits an EVENTS frame (65,536 bytes)."""

RECORD_BYTES_WHOLE_MAX = HEADER_BYTES + RECORD_BYTES_MAX
"""Most bytes that one record takes on disk; RECORD_BYTES_MAX is a multiple of 8, so without padding."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record that was checked; `end` is the offset of the next one in the same buffer."""

    first: int
    group: int
    at_ms: int
    count: int
    payload: memoryview
    end: int

    @property
    def last(self) -> int:
        """Position of the last event."""
        return self.first + self.count - 1


def record_bytes(payload_bytes: int) -> int:
    """Return how many bytes a record with so much payload takes on disk."""
    return (HEADER_BYTES + payload_bytes + ALIGN - 1) & -ALIGN


def encode_record(payload: bytes, first: int, group: int, at_ms: int, count: int) -> bytes:
    """Return one whole record; the journal's hot path does the same in place."""
    size = record_bytes(len(payload))
    record = bytearray(size)
    HEADER.pack_into(record, 0, 0, len(payload), first, group, at_ms, count, MARKER)
    record[HEADER_BYTES : HEADER_BYTES + len(payload)] = payload
    CRC.pack_into(record, 0, zlib.crc32(memoryview(record)[4:]))
    return bytes(record)


def read_record(data: memoryview, offset: int) -> Record | None:
    """Return the record at byte `offset`, or None where no good one stands."""
    if offset + HEADER_BYTES > len(data):
        return None
    crc, length, first, group, at_ms, count, marker = HEADER.unpack_from(data, offset)
    end = offset + record_bytes(length)
    if marker != MARKER or not 0 < length <= RECORD_BYTES_MAX or end > len(data):
        return None
    if not 0 < group <= first or not count or zlib.crc32(data[offset + 4 : end]) != crc:
        return None
    payload = data[offset + HEADER_BYTES : offset + HEADER_BYTES + length]
    return Record(first, group, at_ms, count, payload, end)


def good_records(data: bytes, offset: int, stop: int) -> Iterator[Record]:
    """Give every good record from byte `offset` on with its header before `stop`, whatever is between.

    Bytes inside a payload can look like a record only if somebody forged them; then a torn tail is taken for
    rot, which refuses to start instead of cutting: the safe side.
    """
    view = memoryview(data)
    at = data.find(MARKER, offset + MARKER_OFFSET, stop)
    while at >= 0:
        start = at - MARKER_OFFSET
        record = read_record(view, start) if start % ALIGN == 0 else None
        if record is not None:
            yield record
        at = data.find(MARKER, at + 1, stop)


def find_later_group(data: bytes, offset: int, stop: int, position: int) -> Record | None:
    """Return a good record between those bytes whose group began after `position`, or None."""
    return next((record for record in good_records(data, offset, stop) if record.group > position), None)


def skip_records(data: memoryview, position: int, until: int) -> tuple[int, int]:
    """Step over whole records, the first beginning with `position`, that end before position `until`.

    Return (offset, position) of where it stopped: at a record that holds `until`, is cut off by the end of
    `data`, or isn't the one that must stand there. Reads headers only: the payload's CRC is for the one who
    reads the payload.
    """
    unpack, size, offset = HEADER.unpack_from, len(data), 0
    while offset + HEADER_BYTES <= size:
        _, length, first, _, _, count, marker = unpack(data, offset)
        end = offset + ((HEADER_BYTES + length + ALIGN - 1) & -ALIGN)
        if first != position or marker != MARKER or end > size or not count or first + count > until:
            break
        offset, position = end, first + count
    return offset, position
