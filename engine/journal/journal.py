"""The journal: append, commit, recover. One writer; durable is what a commit() returned for."""

import threading
from zlib import crc32

import structlog

from liftgate.codecs.records import CRC, HEADER, HEADER_BYTES, MARKER, RECORD_BYTES_MAX
from liftgate.engine.journal.cursors import Cursors
from liftgate.engine.journal.recovery import Reader, Recovery, Tail, settle
from liftgate.engine.journal.scan import Apply, JournalRotten
from liftgate.engine.journal.segments import (
    GROUP_BYTES_MAX,
    SEGMENT_BYTES,
    SEGMENT_BYTES_MIN,
    SPARE_NAME,
    Catalogue,
    Segment,
    encode_header,
    segment_name,
)
from liftgate.engine.journal.segments import HEADER_BYTES as SEGMENT_HEADER_BYTES
from liftgate.engine.journal.storage import DiskFull, File, Lock, Storage

log = structlog.get_logger()

BUFFER_BYTES = 256 * 1024
"""First size of the buffer that a group is gathered in; it doubles when a group needs more, and stays so."""

_PAD = bytes(8)
_pack_header = HEADER.pack_into
_pack_crc = CRC.pack_into
_NO_SPLIT = -1


class JournalFailed(Exception):
    """The journal takes nothing any more: a write or sync failed (never tried again), or it isn't open."""


class GroupTooLarge(ValueError):
    """GROUP_BYTES_MAX, or the rest of this segment and one more, can't take the record too: commit first."""


class Journal:
    """One log in one folder.

    next_position: position that the next event appended gets. durable_position: everything up to it is on
    stable storage. pending_bytes: bytes appended since the last commit, on disk. cursors: of the subscribers;
    they hold segments back.

    append, commit, writable, retire and close belong to one thread; maintain may run in another at the same
    time.
    """

    __slots__ = (
        "_buffer",
        "_covered",
        "_disk_full",
        "_file",
        "_group",
        "_limit",
        "_lock",
        "_offset",
        "_payload_max",
        "_refusal",
        "_segment",
        "_segment_bytes",
        "_spare",
        "_spare_lock",
        "_split",
        "storage",
        "_view",
        "catalogue",
        "cursors",
        "durable_position",
        "next_position",
        "pending_bytes",
    )

    _file: File
    _segment: Segment
    _lock: Lock
    cursors: Cursors

    def __init__(self, storage: Storage, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        """segment_bytes: size of the segments to come, a multiple of 8, at least SEGMENT_BYTES_MIN."""
        if segment_bytes < SEGMENT_BYTES_MIN or segment_bytes % 8:
            raise ValueError(f"segment_bytes: a multiple of 8, {SEGMENT_BYTES_MIN} or more: {segment_bytes}")
        self.storage = storage
        self._segment_bytes = segment_bytes
        self._payload_max = min(RECORD_BYTES_MAX, segment_bytes - SEGMENT_HEADER_BYTES - HEADER_BYTES)
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._spare: File | None = None
        self._spare_lock = threading.Lock()
        self._split = _NO_SPLIT
        self._covered = 0
        self._disk_full = False
        self._refusal = "the journal is not recovered yet"
        self.catalogue = Catalogue()
        self.next_position = self._group = 1
        self.durable_position = 0
        self.pending_bytes = 0
        self._offset = self._limit = 0

    # -- start and end

    def recover(self, apply: Apply, after: int) -> Recovery:
        """Replay every event after position `after` and open the journal for appending.

        apply: called with (first position, at_ms, count, payload) of each record in order; `after` may lie
        inside the first one, then its first events are to be skipped. The payload may be kept. What a crash
        left of the last commit is cut. Raises JournalRotten (what was applied until then is worth nothing),
        CursorsDamaged, FolderLocked, DiskFull, StorageError.
        """
        self._lock = self.storage.lock()
        try:
            return self._recover(apply, after)
        except BaseException:
            self._lock.release()
            raise

    def _recover(self, apply: Apply, after: int) -> Recovery:
        self.cursors = Cursors(self.storage)
        reader = Reader(self.storage, apply, after)
        tail = reader.read()
        position = tail.found.position - 1 if tail else 0
        self._check_reaches(position, after, tail)
        if tail:
            self._file = self.storage.open(tail.segment.name, writable=True)
            cut_bytes, cut_place = settle(self._file, tail)
            self.catalogue = Catalogue(reader.segments)
            self._continue_in(tail.segment)
        else:
            self._begin()
            cut_bytes, cut_place = 0, None
        self._take_over_spare()
        self.durable_position = position
        self.next_position = self._group = position + 1
        self._refusal = ""
        return Recovery(position, reader.at_ms, reader.records, cut_bytes, cut_place)

    def _check_reaches(self, position: int, after: int, tail: Tail | None) -> None:
        """Raise JournalRotten if a snapshot or a cursor proves that the journal once reached further."""
        proven = max(after, self.cursors.highest())
        if proven > position:
            name, end = (tail.segment.name, tail.found.end) if tail else (segment_name(1), 0)
            holder = "a snapshot" if after == proven else "a cursor"
            reason = f"{holder} proves that there were events up to position {proven}"
            raise JournalRotten(name, end, position + 1, reason)

    def _begin(self) -> None:
        """Make the first segment of an empty journal."""
        self._file = self.storage.create(segment_name(1), self._segment_bytes)
        self._file.write_at(encode_header(1, self._segment_bytes), 0)
        self._file.sync()
        segment = Segment(1, 0, SEGMENT_HEADER_BYTES)
        self.catalogue.add(segment)
        self._continue_in(segment)

    def _continue_in(self, segment: Segment) -> None:
        """Make `segment`, open as `_file`, the one that is written to."""
        self._segment = segment
        self._offset = segment.end
        self._limit = self._file.size - self._offset

    def _take_over_spare(self) -> None:
        """Keep the segment that the last run made ahead, unless segments are of another size now."""
        if SPARE_NAME in self.storage.names():
            spare = self.storage.open(SPARE_NAME, writable=True)
            if spare.size == self._segment_bytes:
                self._spare = spare
            else:
                spare.close()
                self.storage.remove(SPARE_NAME)

    def close(self) -> None:
        """Let go of files and folder. What wasn't committed is gone; maintain() stores cursors, not this."""
        if self._refusal and not hasattr(self, "_file"):
            return
        self._refusal = self._refusal or "the journal is closed"
        self._file.close()
        if self._spare is not None:
            self._spare.close()
        self._lock.release()

    # -- the hot path

    def append(self, payload: bytes | bytearray | memoryview, count: int, at_ms: int) -> int:
        """Gather a record for the next commit(); return the position of its first event.

        payload: `count` encoded events, 1 to RECORD_BYTES_MAX bytes. Raises ValueError, GroupTooLarge,
        JournalFailed, each with nothing appended.
        """
        size = len(payload)
        if not 0 < size <= self._payload_max or count < 1:
            raise ValueError(f"not 1 to {self._payload_max} bytes, 1 event or more: {size}, {count}")
        if self._refusal:
            raise JournalFailed(self._refusal)
        start = self.pending_bytes
        stop = start + HEADER_BYTES + size
        end = (stop + 7) & -8
        if end > GROUP_BYTES_MAX:
            raise GroupTooLarge(f"{start} bytes are pending: commit before appending {end - start} more")
        if end > self._limit:
            self._continue_in_next(start, end - start)
        if end > len(self._buffer):
            self._grow(end)
        buffer = self._buffer
        first = self.next_position
        _pack_header(buffer, start, 0, size, first, self._group, at_ms, count, MARKER)
        buffer[start + HEADER_BYTES : stop] = payload
        if end != stop:
            buffer[stop:end] = _PAD[: end - stop]
        _pack_crc(buffer, start, crc32(self._view[start + 4 : end]))
        self.pending_bytes = end
        self.next_position = first + count
        return first

    def _continue_in_next(self, start: int, need: int) -> None:
        """Let the record at byte `start` of the buffer begin a group in the next segment."""
        if self._split != _NO_SPLIT or need > self._segment_bytes - SEGMENT_HEADER_BYTES:
            raise GroupTooLarge(f"{start} bytes are pending: commit before appending {need} more")
        self._split = start
        self._limit = start + self._segment_bytes - SEGMENT_HEADER_BYTES
        self._group = self.next_position

    def _grow(self, need: int) -> None:
        size = len(self._buffer)
        while size < need:
            size *= 2
        grown = bytearray(size)
        grown[: self.pending_bytes] = self._view[: self.pending_bytes]
        self._view.release()
        self._buffer = grown
        self._view = memoryview(grown)

    def commit(self) -> int:
        """Make everything appended durable; return durable_position. With nothing appended it does nothing.

        Raises JournalFailed if a write or sync failed; then nobody may be answered from what was appended,
        ever.
        """
        if self._refusal:
            raise JournalFailed(self._refusal)
        if not self.pending_bytes:
            return self.durable_position
        try:
            self._write_group()
        except BaseException as error:
            self._refusal = f"a commit failed, so the journal is closed for good: {error}"
            log.critical("journal.failed", segment=self._segment.name, offset=self._offset, error=str(error))
            raise JournalFailed(self._refusal) from error
        return self.durable_position

    def _write_group(self) -> None:
        stop, last = self.pending_bytes, self.next_position - 1
        start = 0
        if self._split != _NO_SPLIT:
            start = self._split
            if start:
                self._write(0, start, self._group - 1)
            self._roll_over()
        self._write(start, stop, last)
        self.pending_bytes = 0
        self._limit = self._file.size - self._offset
        self._group = last + 1

    def _write(self, start: int, stop: int, last: int) -> None:
        """Write one group, bytes `start` to `stop` of the buffer, and sync it."""
        file, offset, segment = self._file, self._offset, self._segment
        file.write_at(self._view[start:stop], offset)
        file.sync()
        segment.note(self.durable_position + 1, offset)
        self._offset = segment.end = offset + stop - start
        segment.last = self.durable_position = last

    def _roll_over(self) -> None:
        """Go on in the next segment; its header is synced together with its first group.

        The new name isn't synced here: recovery finishes a renaming that a crash undid, so a commit need not
        wait for it.
        """
        first = self._group
        spare = self._spare
        if spare is None:
            spare = self.storage.create(segment_name(first), self._segment_bytes)
        else:
            self.storage.rename(SPARE_NAME, segment_name(first), sync=False)
            self._spare = None
        spare.write_at(encode_header(first, spare.size), 0)
        self._file.close()
        self._file = spare
        segment = Segment(first, first - 1, SEGMENT_HEADER_BYTES)
        self.catalogue.add(segment)
        self._split = _NO_SPLIT
        self._continue_in(segment)

    # -- room and housekeeping

    def writable(self, bytes_needed: int) -> bool:
        """Return whether so many bytes more (record_bytes() of each record) can be appended and committed.

        False: the disk is full, or the journal failed. While it is False nothing may be decided that must be
        journalled. It turns True by itself when maintain() found room. May make the next segment here, if
        maintain() came too late.
        """
        if self._refusal:
            return False
        if self.pending_bytes + bytes_needed <= self._limit:
            return True
        if self._split != _NO_SPLIT or bytes_needed > self._segment_bytes - SEGMENT_HEADER_BYTES:
            return False
        return self._spare is not None or (not self._disk_full and self._prepare())

    def _prepare(self) -> bool:
        """Make the next segment unless it is there; return whether it is. A full disk is a state here."""
        with self._spare_lock:
            if self._spare is None:
                try:
                    self.storage.sync_names()  # What had the spare's name must be safe under its own.
                    self._spare = self.storage.create(SPARE_NAME, self._segment_bytes)
                except DiskFull as error:
                    if not self._disk_full:
                        log.error("journal.disk_full", error=str(error), free_bytes=self.storage.free_bytes())
                    self._disk_full = True
                    return False
            if self._disk_full:
                log.info("journal.disk_has_room", free_bytes=self.storage.free_bytes())
            self._disk_full = False
            return True

    @property
    def disk_full(self) -> bool:
        """Whether the last attempt to make the next segment found no room."""
        return self._disk_full

    def move_cursor(self, name: str, position: int) -> None:
        """Note that everything up to `position` is safe for subscriber `name`; maintain() stores it.

        Raises ValueError beyond durable_position (recovery takes a stored cursor for a proof) or with too
        many cursors.
        """
        if not 0 <= position <= self.durable_position:
            raise ValueError(f"cursor {position} is beyond the journal's end, {self.durable_position}")
        self.cursors.set(name, position)

    def retire(self, covered_position: int) -> None:
        """Note that a durable snapshot covers all up to here; maintain() removes what nobody needs."""
        self._covered = max(self._covered, covered_position)

    def maintain(self) -> None:
        """Store cursors, remove retired segments, make the next segment as soon as the last one is in use.

        Blocks: use a thread. Call it a few times a second: at full load a segment lasts two, and a commit
        that meets its end before the next one is ready waits for it. Raises StorageError; the disk is then
        not to be trusted.
        """
        if self._refusal:
            raise JournalFailed(self._refusal)
        self._save_cursors()
        self._remove_retired()
        if self._spare is None:
            self._prepare()

    def _save_cursors(self) -> None:
        """On a full disk the stored cursors stay behind, and hold back what they still need."""
        try:
            self.cursors.save()
        except DiskFull as error:
            log.error("journal.cursors_not_stored", error=str(error))

    def _remove_retired(self) -> None:
        lowest = self.cursors.lowest()
        bound = self._covered if lowest is None else min(self._covered, lowest)
        for segment in self.catalogue.all()[:-1]:
            if segment.last > bound:
                break
            self.catalogue.remove_oldest()
            self.storage.remove(segment.name)
            log.info("journal.segment_retired", segment=segment.name, last=segment.last)
