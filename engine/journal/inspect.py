"""Looking at a journal, also a running one: `liftgate journal verify | dump | stats`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

from liftgate.codecs.records import HEADER
from liftgate.engine.journal.cursors import read_cursors
from liftgate.engine.journal.scan import JournalRotten, judge, used_end, walk
from liftgate.engine.journal.segments import HEADER_BYTES as SEGMENT_HEADER_BYTES
from liftgate.engine.journal.segments import SPARE_NAME, Segment, first_of, segment_names
from liftgate.engine.journal.snapshot import read_snapshot, snapshot_names
from liftgate.engine.journal.storage import FileMissing, Storage

OK = "ok"
TORN = "torn tail"
ROT = "rot"

RECENT_MS = 3_600_000
"""What "the recent rate" is taken over: an hour has a rush in it or not, and that is what fills a disk."""

E = TypeVar("E")
Decode = Callable[[memoryview, int], Iterable[E]]
"""Turns the payload of a record and its count into its events, in order."""


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """What one segment holds.

    first, last: positions, last is `first - 1` if there is no event. bytes_used: header and good records.
    first_ms, last_ms: Unix ms of its first and last record, 0 without one.
    state: OK; TORN, bytes after the last good record that recovery will cut (or a commit under way, if an
    engine runs); ROT with its reason.
    """

    name: str
    first: int
    last: int
    records: int
    events: int
    bytes_used: int
    bytes_file: int
    first_ms: int
    last_ms: int
    state: str
    rot: JournalRotten | None = None


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """A snapshot file and whether it is whole."""

    position: int
    bytes_file: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Stats:
    """Sums over a journal.

    cursors: name → (position, bytes of the segments that it still holds back); bytes_free: on its disk;
    rate_bytes_s: bytes a second of the last rate_s seconds that something was written in, at most an hour
    and the segment that it began in.
    """

    segments: int
    bytes_files: int
    bytes_used: int
    records: int
    events: int
    first: int
    last: int
    snapshots: tuple[SnapshotReport, ...]
    cursors: dict[str, tuple[int, int]]
    bytes_free: int
    rate_bytes_s: float
    rate_s: float

    @property
    def events_per_record(self) -> float:
        """Mean size of a batch."""
        return self.events / self.records if self.records else 0.0

    def fits_s(self, cursor: str, bytes_max: int) -> float | None:
        """For how many seconds what a subscriber holds back still fits at that rate, None: no end in sight.

        bytes_max: what it may hold back, 0: what is free on the disk.
        """
        held = self.cursors[cursor][1]
        room = min(self.bytes_free, max(bytes_max - held, 0)) if bytes_max else self.bytes_free
        return room / self.rate_bytes_s if self.rate_bytes_s else None


def verify(storage: Storage) -> list[SegmentReport]:
    """Read every record of every segment; return a report for each, in order. Raises StorageError."""
    names = segment_names(storage.names())
    firsts = [first_of(name) for name in names]
    reports = []
    for first, following in zip_longest(firsts, firsts[1:]):
        try:
            reports.append(_report(storage, first, following))
        except FileMissing:
            continue  # The engine retired it since the folder was listed.
    return reports


def _report(storage: Storage, first: int, following: int | None) -> SegmentReport:
    report = _look(storage, first, following)
    if report.state == ROT:
        # A running engine may have committed twice while the file was read, and the later one been seen
        # alone.
        return _look(storage, first, following)
    return report


def _look(storage: Storage, first: int, following: int | None) -> SegmentReport:
    segment = Segment(first, 0, 0)
    data = storage.read_whole(segment.name)
    found = walk(data, segment, None, 0)
    rot = None
    if following is None and _spare_used(storage):
        following = found.position
    try:
        state = TORN if judge(data, segment, found, following) > found.end else OK
    except JournalRotten as error:
        state, rot = ROT, error
    events = found.position - first
    begun_ms = HEADER.unpack_from(data, SEGMENT_HEADER_BYTES)[4] if found.records else 0
    return SegmentReport(
        name=segment.name,
        first=first,
        last=found.position - 1,
        records=found.records,
        events=events,
        bytes_used=found.end,
        bytes_file=len(data),
        first_ms=begun_ms,
        last_ms=found.at_ms,
        state=state,
        rot=rot,
    )


def _spare_used(storage: Storage) -> bool:
    """Return whether a crash took the new name of the newest segment; recovery will give it back."""
    return SPARE_NAME in storage.names() and used_end(storage.read_whole(SPARE_NAME), 0) > 0


def dump(storage: Storage, first: int, last: int, decode: Decode[E]) -> Iterator[tuple[int, int, E]]:
    """Give (position, at_ms, event) of every event from position `first` to `last`, as far as there are any.

    Raises JournalRotten where damage ends the reading, after the events before it.
    """
    names = segment_names(storage.names())
    firsts = [first_of(name) for name in names]
    for start, following in zip_longest(firsts, firsts[1:]):
        if start <= last and (following is None or following > first):
            yield from _dump_segment(storage, Segment(start, 0, 0), following, (first, last), decode)


def _dump_segment(
    storage: Storage, segment: Segment, following: int | None, wanted: tuple[int, int], decode: Decode[E]
) -> Iterator[tuple[int, int, E]]:
    records: list[tuple[int, int, int, memoryview]] = []
    data = storage.read_whole(segment.name)
    found = walk(data, segment, lambda *record: records.append(record), wanted[0] - 1)
    for first, at_ms, count, payload in records:
        if first > wanted[1]:
            return
        for position, event in enumerate(decode(payload, count), first):
            if wanted[0] <= position <= wanted[1]:
                yield position, at_ms, event
    if found.position <= wanted[1]:
        judge(data, segment, found, following)


def stats(storage: Storage) -> Stats:
    """Return the sums; reads every segment. Raises StorageError, CursorsDamaged."""
    reports = verify(storage)
    rate_bytes_s, rate_s = _recent_rate(reports)
    return Stats(
        segments=len(reports),
        bytes_files=sum(report.bytes_file for report in reports),
        bytes_used=sum(report.bytes_used for report in reports),
        records=sum(report.records for report in reports),
        events=sum(report.events for report in reports),
        first=reports[0].first if reports else 1,
        last=reports[-1].last if reports else 0,
        snapshots=tuple(_snapshots(storage)),
        cursors={
            name: (position, sum(report.bytes_file for report in reports if report.last > position))
            for name, position in read_cursors(storage).items()
        },
        bytes_free=storage.free_bytes(),
        rate_bytes_s=rate_bytes_s,
        rate_s=rate_s,
    )


def _recent_rate(reports: Sequence[SegmentReport]) -> tuple[float, float]:
    """Bytes a second, and over how many seconds: from the segment that was begun in the last hour on."""
    written = [report for report in reports if report.records]
    recent = [r for r in written if r.first_ms >= written[-1].last_ms - RECENT_MS] or written[-1:]
    span_s = (recent[-1].last_ms - recent[0].first_ms) / 1000 if recent else 0.0
    return (sum(report.bytes_used for report in recent) / span_s, span_s) if span_s > 0 else (0.0, 0.0)


def _snapshots(storage: Storage) -> Iterator[SnapshotReport]:
    for name in snapshot_names(storage.names()):
        size = len(storage.read_whole(name))
        yield SnapshotReport(first_of(name), size, read_snapshot(storage, name) is not None)
