"""Reading the journal from a position on, while the writer goes on: what EVENTS frames are made of."""

from typing import NamedTuple

from liftgate.codecs.records import RECORD_BYTES_WHOLE_MAX, skip_records
from liftgate.engine.journal.journal import Journal
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.segments import Segment
from liftgate.engine.journal.storage import File, FileMissing

CHUNK_BYTES_MAX = 65_000
"""Records for one EVENTS frame (65,536 bytes): leaves room for the frame's header and the two positions."""


class PositionGone(Exception):
    """What was asked for was retired: the oldest position still in the journal is `oldest`."""

    def __init__(self, oldest: int) -> None:
        self.oldest = oldest
        super().__init__(f"the journal begins with position {oldest}")


class Chunk(NamedTuple):
    """Whole records as they stand on disk, with the first and last position in them."""

    first: int
    last: int
    records: bytes


class Feed:
    """One subscriber's place in the journal.

    Belongs to the journal's thread, but for the constructor: in a segment that neither this run wrote nor
    recovery read it steps over headers up to the place (64 MiB of small records: 0.3 s), so it may be called
    in another thread.
    """

    __slots__ = ("_file", "_journal", "_offset", "_position", "_segment")

    _file: File
    _segment: Segment

    def __init__(self, journal: Journal, after: int) -> None:
        """Begin with the record that holds `after + 1`. Raises PositionGone; ValueError beyond the end."""
        if not 0 <= after <= journal.durable_position:
            raise ValueError(f"position {after} is beyond the journal's end, {journal.durable_position}")
        self._journal = journal
        self._position = after + 1
        self._enter()
        self._seek(after + 1)

    @property
    def position(self) -> int:
        """First position of the next chunk."""
        return self._position

    def _enter(self) -> None:
        """Open the segment that holds the position, at its start."""
        catalogue = self._journal.catalogue
        segment = catalogue.holding(self._position)
        try:
            if segment is None:
                raise FileMissing("retired")
            self._file = self._journal.storage.open(segment.name)
        except FileMissing:
            raise PositionGone(catalogue.all()[0].first) from None
        self._segment = segment
        self._offset = segment.index_offsets[0]

    def _seek(self, wanted: int) -> None:
        """Find the record that holds `wanted` in the segment, or the end that it will be written to."""
        position, offset = self._segment.place_before(wanted)
        step = -1
        while step and position < wanted:
            view = memoryview(self._file.read_at(RECORD_BYTES_WHOLE_MAX, offset))
            step, position = skip_records(view, position, wanted)
            offset += step
        self._position, self._offset = position, offset

    def read_nowait(self, bytes_max: int = CHUNK_BYTES_MAX) -> Chunk | None:
        """Return the next records, at most `bytes_max` bytes, None when all that is durable was returned.

        bytes_max: at least RECORD_BYTES_WHOLE_MAX. Raises PositionGone, JournalRotten, StorageError.
        """
        if bytes_max < RECORD_BYTES_WHOLE_MAX:
            raise ValueError(f"a chunk takes {RECORD_BYTES_WHOLE_MAX} bytes or more: {bytes_max}")
        if self._position > self._journal.durable_position:
            return None
        if self._position > self._segment.last:
            self._file.close()
            self._enter()
        segment, first, offset = self._segment, self._position, self._offset
        rest = (segment.end or self._file.size) - offset
        data = self._file.read_at(min(rest, bytes_max), offset)
        if segment.end and rest <= bytes_max:
            size, self._position = rest, segment.last + 1
        else:
            size, self._position = skip_records(memoryview(data), first, segment.last + 1)
        if not size:
            raise JournalRotten(segment.name, offset, first, "no good record here")
        self._offset = offset + size
        return Chunk(first, self._position - 1, data if size == len(data) else data[:size])

    def close(self) -> None:
        """Let go of the segment's file."""
        self._file.close()
