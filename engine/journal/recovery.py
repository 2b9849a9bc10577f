"""From the files of a folder to a journal that can go on: replay, judge, cut what a crash left of the last
group.
"""

from dataclasses import dataclass
from itertools import zip_longest

import structlog

from liftgate.engine.journal.scan import Apply, JournalRotten, Place, Walk, check_not_rotten, used_end, walk
from liftgate.engine.journal.segments import (
    HEADER_BYTES,
    HEADER_DAMAGED,
    SPARE_NAME,
    Segment,
    encode_header,
    first_of,
    header_fault,
    segment_name,
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
    """The newest segment with its content, as far as it is good."""

    segment: Segment
    data: bytes
    found: Walk


class Reader:
    """Reads the segments from the one that holds `after + 1` to the newest, handing records over on the
    way.
    """

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
        names = segment_names(self._storage.names())
        spare_used = self._spare_used()
        start = self._list(names)
        tail = None
        for name in names[start:]:
            newest = name == names[-1] and not spare_used
            tail = self._read_segment(self.segments[names.index(name)], newest)
        return self._adopt_spare(tail) if spare_used else tail

    def _list(self, names: list[str]) -> int:
        """List the segments; return the index of the one to begin with. Raises JournalRotten if it isn't
        there.
        """
        firsts = [first_of(name) or 0 for name in names]
        lasts = [first - 1 for first in firsts[1:]]
        self.segments = [Segment(first, last, 0) for first, last in zip_longest(firsts, lasts, fillvalue=0)]
        wanted = self._after + 1
        if firsts and firsts[0] > wanted:
            reason = f"positions {wanted} to {firsts[0] - 1} are missing before it"
            raise JournalRotten(names[0], 0, wanted, reason)
        return max((index for index, first in enumerate(firsts) if first <= wanted), default=0)

    def _spare_used(self) -> bool:
        """Return whether the segment made ahead was already written to, so that only its new name was lost in
        a crash.
        """
        if SPARE_NAME not in self._storage.names():
            return False
        return used_end(self._storage.read_whole(SPARE_NAME), 0) > 0

    def _adopt_spare(self, before: Tail | None) -> Tail:
        """Finish the renaming that the crash undid."""
        name = segment_name(before.found.position if before else 1)
        self._storage.rename(SPARE_NAME, name)
        segment = Segment(first_of(name) or 0, 0, 0)
        self.segments.append(segment)
        return self._read_segment(segment, True)

    def _read_segment(self, segment: Segment, newest: bool) -> Tail:
        data = self._storage.read_whole(segment.name)
        fault = header_fault(data, segment.first)
        if fault and not (newest and fault == HEADER_DAMAGED):
            raise JournalRotten(segment.name, 0, segment.first, fault)
        expected_last = segment.last
        found = walk(data, segment, self._apply, self._after)
        if newest:
            check_not_rotten(data, found, segment.name)
        else:
            self._check_whole(data, found, segment, expected_last)
        if fault and found.position > segment.first and found.group_start > HEADER_BYTES:
            raise JournalRotten(segment.name, 0, segment.first, fault)
        self.at_ms = found.at_ms or self.at_ms
        self.records += found.records
        return Tail(segment, data, found)

    def _check_whole(self, data: bytes, found: Walk, segment: Segment, expected_last: int) -> None:
        """Raise JournalRotten unless the records of a segment that has a successor reach up to that one.

        The successor's being there is the proof: it was begun after everything before it was synced.
        """
        if used_end(data, found.end) > found.end:
            reason = "no good record here, but a later segment follows"
            raise JournalRotten(segment.name, found.end, found.position, reason)
        if expected_last > 0 and segment.last != expected_last:
            reason = f"the segment ends here, but the next one begins with position {expected_last + 1}"
            raise JournalRotten(segment.name, found.end, found.position, reason)


def settle(file: File, tail: Tail) -> tuple[int, Place | None]:
    """Make the newest segment's good part durable and zero the rest; return (bytes cut, place or None).

    The last group is written again: it may have reached only the kernel's memory, and if a sync of it failed
    before the restart, the kernel takes those pages for clean and would never write them.
    """
    segment, data, found = tail.segment, tail.data, tail.found
    stop = used_end(data, found.end)
    if found.group_start == HEADER_BYTES:
        file.write_at(encode_header(segment.first, len(data)), 0)
    file.write_at(memoryview(data)[found.group_start : found.end], found.group_start)
    if stop > found.end:
        file.write_at(bytes(stop - found.end), found.end)
    file.sync()
    if stop == found.end:
        return 0, None
    cut = stop - found.end
    log.warning("journal.tail_cut", segment=segment.name, offset=found.end, position=found.position, cut=cut)
    return cut, found.place_in(segment.name)
