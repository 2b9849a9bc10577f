"""Segment files: their names, their header, and the list of them that the journal and its feeds share."""

import re
import struct
import threading
import zlib
from bisect import bisect_right
from collections.abc import Iterable

SEGMENT_BYTES = 64 * 1024 * 1024
"""Default size of a segment: a minute of 5,000 scans a second, two seconds of full load; read in 0.1 s."""

SEGMENT_BYTES_MIN = 4096

GROUP_BYTES_MAX = 8 * 1024 * 1024
"""Most bytes of one commit, so what a crash can leave of one: twice what the engine gathers in a round."""

HEADER = struct.Struct("<4sIQQI4x")
HEADER_BYTES = HEADER.size
MAGIC = b"LGJ1"
VERSION = 1

SPARE_NAME = "next.seg"
"""The segment made ahead. It takes its real name in the moment that its first position is known."""

HEADER_DAMAGED = "the segment's header is damaged"
"""The one fault that a crash can cause: the header is written with the segment's first group."""

_NAME = re.compile(r"[0-9]{20}\.seg")
_CHECKED = HEADER.size - 8

INDEX_STEP_BYTES = 64 * 1024
"""One place is remembered for so many bytes: a feed reads at most one of its chunks to find its start."""


def segment_name(first: int) -> str:
    """Return the file name of the segment that begins with position `first`."""
    return f"{first:020d}.seg"


def first_of(name: str) -> int:
    """Return the first position of the segment of that file name."""
    return int(name[:20])


def segment_names(names: Iterable[str]) -> list[str]:
    """Return the segments among the names, in the order of their positions."""
    return sorted(name for name in names if _NAME.fullmatch(name))


def encode_header(first: int, size: int) -> bytes:
    """Return the header of a segment of `size` bytes that begins with position `first`."""
    header = HEADER.pack(MAGIC, VERSION, first, size, 0)
    return HEADER.pack(MAGIC, VERSION, first, size, zlib.crc32(header[:_CHECKED]))


def header_fault(data: bytes, first: int) -> str:
    """Return what is wrong with the header of the segment that begins with `first`, "" if nothing."""
    if len(data) < HEADER_BYTES:
        return "shorter than a segment's header"
    magic, version, named, _, crc = HEADER.unpack_from(data)
    if magic != MAGIC or crc != zlib.crc32(data[:_CHECKED]):
        return HEADER_DAMAGED
    if version != VERSION:
        return f"segment version {version} is not known"
    if named != first:
        return f"the header says that the segment begins with position {named}, its name says {first}"
    return ""


def stated_size(data: bytes) -> int:
    """Return the size of the file that its header, which must be good, states."""
    size: int = HEADER.unpack_from(data)[3]
    return size


class Segment:
    """What the journal knows of one segment.

    end: byte after the last durable record, 0 while unknown (closed before this start and not read by it).
    last: position of the last durable event; `first - 1` while there is none.
    """

    __slots__ = ("end", "first", "index_offsets", "index_positions", "last", "name")

    def __init__(self, first: int, last: int, end: int) -> None:
        self.first = first
        self.last = last
        self.end = end
        self.name = segment_name(first)
        self.index_positions = [first]
        self.index_offsets = [HEADER_BYTES]

    def note(self, position: int, offset: int) -> None:
        """Remember that the record beginning with `position` is at `offset`, if that is far enough on."""
        if offset - self.index_offsets[-1] >= INDEX_STEP_BYTES:
            self.index_offsets.append(offset)
            self.index_positions.append(position)

    def place_before(self, position: int) -> tuple[int, int]:
        """Return (position, offset) of the last noted record that begins at or before `position`."""
        at = bisect_right(self.index_positions, position) - 1
        return self.index_positions[at], self.index_offsets[at]


class Catalogue:
    """The journal's segments in order. The writer adds, housekeeping in a thread removes, feeds look up.

    The list is replaced, never changed, so a reader holds a consistent one without the lock.
    """

    __slots__ = ("_lock", "_segments")

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._lock = threading.Lock()
        self._segments = tuple(segments)

    def all(self) -> tuple[Segment, ...]:
        """Return the segments, oldest first."""
        return self._segments

    def add(self, segment: Segment) -> None:
        """Add the newest."""
        with self._lock:
            self._segments = (*self._segments, segment)

    def remove_oldest(self) -> None:
        """Forget the oldest."""
        with self._lock:
            self._segments = self._segments[1:]

    def holding(self, position: int) -> Segment | None:
        """Return the segment that holds, or will hold, `position`; None if it is older than all of them."""
        segments = self._segments
        at = bisect_right(segments, position, key=lambda segment: segment.first)
        return segments[at - 1] if at else None
