"""What a power cut would leave of the journal's folder: read record by record, remembered byte by byte."""

import json
import re
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from liftgate.sim.world.audit.records import Bad, Record, parse_record

SEGMENT_HEADER = struct.Struct("<4sIQQI4x")
_SEGMENT_CHECKED = 24
_SPARE = "next.seg"
_SNAPSHOT = re.compile(r"([0-9]{20})\.snap")


class Stable(Protocol):
    """The simulated folder, as far as stable storage has it."""

    @property
    def struck(self) -> int:
        """How many writes failed or found no room so far."""

    def kept_names(self) -> list[str]:
        """Names of the files that a power cut would leave, sorted."""

    def kept(self, name: str) -> bytes | bytearray | None:
        """What a power cut would leave of that file; None where there is none."""


class Segment:
    """A segment that was seen: position of its first event, and its durable bytes, header included."""

    __slots__ = ("data", "first", "last")

    def __init__(self, first: int, header: bytes) -> None:
        self.first = first
        self.last = first - 1
        self.data = bytearray(header)


class Kept:
    """The durable records of one journal, from the first to the newest.

    segments: those seen, also when they were retired since, by first position; position: of the last event;
    stable: the folder at hand.
    """

    def __init__(self) -> None:
        self.segments: dict[int, Segment] = {}
        self.position = 0
        self.stable: Stable
        self._current: Segment | None = None
        self._there: deque[Segment] = deque()
        self._records: dict[int, tuple[int, bytes]] = {}

    def read_new(self) -> Iterator[Record]:
        """Every record that became durable since the last time. Raises Bad."""
        while True:
            segment = self._current
            data = None if segment is None else self.content(segment.first)
            if segment is not None and data is not None:
                yield from self._read_segment(segment, data)
            if not self._enter_next():
                return

    def _read_segment(self, segment: Segment, data: bytes | bytearray) -> Iterator[Record]:
        while (record := parse_record(data, len(segment.data))) is not None:
            segment.data += record.raw
            segment.last = self.position = record.last
            self._records[record.first] = (record.last + 1, record.raw)
            yield record

    def _enter_next(self) -> bool:
        """Go on in the segment that begins with the next position, if it is there; not twice."""
        first = self.position + 1
        if first in self.segments:
            return False
        data = self.content(first)
        if data is None or header_first(data) != first:
            return False
        self._current = self.segments[first] = Segment(first, bytes(data[: SEGMENT_HEADER.size]))
        self._there.append(self._current)
        return True

    def content(self, first: int) -> bytes | bytearray | None:
        """The kept content of the segment that begins with `first`, under its name or still the spare's."""
        data = self.stable.kept(f"{first:020d}.seg")
        if data is None:
            spare = self.stable.kept(_SPARE)
            data = spare if spare is not None and header_first(spare) == first else None
        return data

    def record_bytes(self, first: int, last: int) -> bytes | None:
        """The records that hold exactly the positions first..last, as they stood; None if none do."""
        found = []
        while first <= last:
            if first not in self._records:
                return None
            first, raw = self._records[first]
            found.append(raw)
        return b"".join(found) if first == last + 1 else None

    def gone(self) -> Iterator[Segment]:
        """Segments that went since this was asked last: the oldest go first, so the others need no look."""
        while self._there and self.content(self._there[0].first) is None:
            yield self._there.popleft()

    def changed(self) -> Segment | None:
        """A segment that is not as it was, or not there between others that are; None is as it should be."""
        for segment in self._there:
            data = self.content(segment.first)
            if data is None or data[: len(segment.data)] != segment.data:
                return segment
        return None

    def snapshots(self) -> list[int]:
        """Positions that the snapshots in the folder name, ascending."""
        found = (_SNAPSHOT.fullmatch(name) for name in self.stable.kept_names())
        return [int(match[1]) for match in found if match]


def header_first(data: bytes | bytearray) -> int:
    """The first position that a segment's header states; 0 where the header is no good."""
    if len(data) < SEGMENT_HEADER.size:
        return 0
    magic, version, first, _, crc = SEGMENT_HEADER.unpack_from(data)
    good = magic == b"LGJ1" and version == 1 and zlib.crc32(data[:_SEGMENT_CHECKED]) == crc
    return int(first) if good else 0


def read_cursors(data: bytes | bytearray) -> dict[str, int]:
    """The stored cursors by name. Raises Bad."""
    crc, _, text = bytes(data).partition(b"\n")
    if crc != b"%08x" % zlib.crc32(text):
        raise Bad("the file of cursors is damaged")
    cursors: dict[str, int] = json.loads(text)
    return cursors
