"""From files to a journal that can go on: replay, judge, cut what a crash left of the last group."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import structlog

from liftgate.engine.journal.scan import Apply, JournalRotten, Place, Walk, judge, used_end, walk
from liftgate.engine.journal.segments import (
    GROUP_BYTES_MAX,
    HEADER_BYTES,
    SPARE_NAME,
    Segment,
    encode_header,
    first_of,
    segment_names,
)
from liftgate.engine.journal.storage import File, Storage

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recovery:
    """What recovery found.

    position: of the last durable event, 0 in an empty journal. at_ms: of the last record read, 0 if none was
    read (then the snapshot that replay started from has it). records: how many were read. cut_bytes,
    cut_place: what a crash had left of the last, never answered commit; 0 and None after an orderly stop.
    """

    position: int
    at_ms: int
    records: int
    cut_bytes: int
    cut_place: Place | None


@dataclass(slots=True)
class Tail:
    """The newest segment: content, how far it is good, the byte after the last one that isn't zero."""

    segment: Segment
    data: bytes
    found: Walk
    used: int


class Reader:
    """Reads from the segment that holds `after + 1` to the newest, handing records over on the way."""

    __slots__ = ("_after", "_apply", "_storage", "at_ms", "records", "segments")

    def __init__(self, storage: Storage, apply: Apply | None, after: int) -> None:
        self._storage = storage
        self._apply = apply
        self._after = after
        self.at_ms = 0
        self.records = 0
        self.segments: list[Segment] = []

    def read(self) -> Tail | None:
        """Return the newest segment, None if there is no segment at all; raises JournalRotten."""
        spare_used = self._spare_used()
        tail = None
        for segment, following in self._listed():
            tail = self._read_segment(segment, following, spare_used)
        return self._adopt_spare(tail) if spare_used else tail

    def read_closed(self) -> int:
        """Read all but the newest segment, also beside a running engine; return the last position read."""
        position = self._after
        for segment, following in self._listed():
            if following is not None:
                position = self._read_segment(segment, following, False).found.position - 1
        return position

    def _listed(self) -> Iterator[tuple[Segment, int | None]]:
        """List the segments; give those to be read, each with the first position of the next."""
        names = segment_names(self._storage.names())
        firsts = [first_of(name) for name in names]
        lasts = [first - 1 for first in firsts[1:]]
        self.segments = [Segment(first, last, 0) for first, last in zip_longest(firsts, lasts, fillvalue=0)]
        wanted = self._after + 1
        if firsts and firsts[0] > wanted:
            reason = f"positions {wanted} to {firsts[0] - 1} are missing before it"
            raise JournalRotten(names[0], 0, wanted, reason)
        start = max(bisect_right(firsts, wanted) - 1, 0)
        return zip_longest(self.segments[start:], firsts[start + 1 :])

    def _spare_used(self) -> bool:
        """Return whether the spare was already written to, so that a crash took only its new name."""
        if SPARE_NAME not in self._storage.names():
            return False
        return used_end(self._storage.read_whole(SPARE_NAME), 0) > 0

    def _adopt_spare(self, before: Tail | None) -> Tail:
        """Finish the renaming that the crash undid."""
        segment = Segment(before.found.position if before else 1, 0, 0)
        self._storage.rename(SPARE_NAME, segment.name)
        self.segments.append(segment)
        return self._read_segment(segment, None, False)

    def _read_segment(self, segment: Segment, following: int | None, spare_follows: bool) -> Tail:
        data = self._storage.read_whole(segment.name)
        found = walk(data, segment, self._apply, self._after)
        if following is None and spare_follows:
            following = found.position
        used = judge(data, segment, found, following)
        self.at_ms = found.at_ms or self.at_ms
        self.records += found.records
        return Tail(segment, data, found, used)


def settle(file: File, tail: Tail) -> tuple[int, Place | None]:
    """Make the newest segment's good part durable and zero the rest; return (bytes cut, place or None).

    What is read may stand in the kernel's memory only: if a sync of it failed before the restart, the kernel
    takes those pages for clean and would never write them. So the last group is written again, and zeros as
    far as a torn one can reach, though they may be there: a start that cut it may have failed in its sync.
    One of its records, with a new one of the same length before it, would count after the next power cut.
    """
    segment, data, found = tail.segment, tail.data, tail.found
    stop = max(tail.used, min(found.end + GROUP_BYTES_MAX, len(data)))
    if found.group_start == HEADER_BYTES:
        file.write_at(encode_header(segment.first, len(data)), 0)
    file.write_at(memoryview(data)[found.group_start : found.end], found.group_start)
    file.write_at(bytes(stop - found.end), found.end)
    file.sync()
    cut = tail.used - found.end
    if not cut:
        return 0, None
    log.warning("journal.tail_cut", segment=segment.name, offset=found.end, position=found.position, cut=cut)
    return cut, found.place_in(segment.name)
