"""What a sink has received and not written: records as they came, bounded in bytes, taken as batches."""

from __future__ import annotations

import asyncio
from collections import deque

from liftgate.codecs.events import UnknownEvent, events_of
from liftgate.codecs.records import Record, read_record
from liftgate.relay.sink import Stored

RECORD_OVERHEAD = 200
"""Bytes that a waiting record takes beside its payload: many small ones must not slip under the bound."""


class Damaged(Exception):
    """The feed brought a record that is not whole, or left a gap: what came is not to be trusted."""


class _Waiting:
    """A record that waits: only bytes, since events as objects take five times as much."""

    __slots__ = ("count", "first", "payload")

    def __init__(self, record: Record) -> None:
        self.first = record.first
        self.count = record.count
        self.payload = bytes(record.payload)

    @property
    def size(self) -> int:
        return len(self.payload) + RECORD_OVERHEAD


class Backlog:
    """Records in order, without a gap. One task puts, another takes.

    received: last position put, or where the feed begins; bytes: what waits.
    """

    def __init__(self, after: int, bytes_max: int) -> None:
        self.received = after
        self.bytes = 0
        self.events = 0
        self._taken = after
        self._bytes_max = bytes_max
        self._waiting: deque[_Waiting] = deque()
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def full(self) -> bool:
        """Whether nothing more should be put: see wait_room. One frame beyond the bound is taken all the
        same, as it has come already.
        """
        return not self._room.is_set()

    def put(self, records: bytes) -> None:
        """Take the records of one EVENTS. Raises Damaged."""
        view, at = memoryview(records), 0
        while at < len(view):
            record = read_record(view, at)
            if record is None:
                raise Damaged(f"a record behind position {self.received} came damaged")
            at = record.end
            self._put(record)
        if self.bytes >= self._bytes_max:
            self._room.clear()

    def _put(self, record: Record) -> None:
        if record.first > self.received + 1:
            raise Damaged(f"the feed goes on with {record.first} behind position {self.received}")
        if record.last <= self.received:
            return
        waiting = _Waiting(record)
        self._waiting.append(waiting)
        self.bytes += waiting.size
        self.events += record.last - self.received
        self.received = record.last
        self._some.set()

    def take(self, events_max: int, bytes_max: int) -> list[Stored]:
        """What is there, as many whole records as fit both bounds, and one at least where there is one.

        So a batch is small while the sink keeps up and grows with what waits. Raises UnknownEvent, with
        nothing taken.
        """
        count = size = 0
        batch: list[Stored] = []
        for waiting in self._waiting:
            if count and (len(batch) + waiting.count > events_max or size + waiting.size > bytes_max):
                break
            batch += _stored(waiting, batch[-1].position if batch else self._taken)
            size += waiting.size
            count += 1
        for _ in range(count):
            self._waiting.popleft()
        if batch:
            self._taken = batch[-1].position
        self.bytes -= size
        self.events -= len(batch)
        if not self._waiting:
            self._some.clear()
        if self.bytes <= self._bytes_max // 2:
            self._room.set()
        return batch

    async def wait_some(self) -> None:
        """Return once something waits."""
        await self._some.wait()

    async def wait_room(self) -> None:
        """Return once half of the bound is free: a feed that begins and ends with each record costs more."""
        await self._room.wait()


def _stored(waiting: _Waiting, after: int) -> list[Stored]:
    """The record's events behind position `after`: a feed's first record may begin before it."""
    events = events_of(waiting.payload, waiting.count)
    known = max(after + 1 - waiting.first, 0)
    return [Stored(position, event) for position, event in enumerate(events[known:], waiting.first + known)]


__all__ = ["Backlog", "Damaged", "UnknownEvent"]
