"""What the history has of a span of the journal, for `relay/comparison.py`: a lot's day is a shelf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from liftgate.history.port import WHOLE, EventRow, Store
from liftgate.history.stays import day_of
from liftgate.relay.comparison import Entry, Span

PAGE = 1000
"""Rows that are read at once: half a megabyte, and as much again for each quarter of a day in Cassandra."""

DAY_MAX = 1 << 24
"""Behind every day that a store can hold."""


class Day(NamedTuple):
    """A lot's day (UTC), as days since 1970-01-01."""

    lot: str
    day: int


class HistoryKept:
    """Events of an open store. Lots are those that the journal has: others may share the store."""

    def __init__(self, store: Store, span: Span, oldest_day: int) -> None:
        """oldest_day: what is older was to be kept no longer; 0: all is kept."""
        self._store, self._span, self._oldest_day = store, span, oldest_day
        self._before: dict[str, int] = {}  # of each lot the seq before its first in the journal
        self._read: dict[Day, int] = {}  # of each day the last seq that was handed out

    def shelf(self, entry: Entry) -> Day | None:
        """The day of when it happened, which for an event out of a REPLAY is not that of its neighbours."""
        self._before.setdefault(entry.lot, entry.seq - 1)
        day = Day(entry.lot, day_of(entry.at_ms))
        return day if day.day >= self._oldest_day else None

    async def take(self, shelf: Day, count: int) -> Sequence[Entry]:
        """By seq. Raises StoreUnavailable."""
        found: list[Entry] = []
        while len(found) < count:
            after = self._read.get(shelf, self._before[shelf.lot])
            limit = min(count - len(found), PAGE)
            rows = await self._store.events(shelf.lot, shelf.day, after, limit)
            if rows:
                self._read[shelf] = rows[-1].seq
            found += [_entry(row) for row in rows if row.position in self._span]
            if len(rows) < limit:
                break
        return found

    def shelves(self) -> Iterator[Day]:
        """Each day that the journal has, and those beside it, where a wrong clock's rows would be."""
        around = {Day(lot, day + step) for lot, day in self._read for step in (-1, 0, 1)}
        return (day for day in sorted(around) if day.day >= self._oldest_day)


def _entry(row: EventRow) -> Entry:
    return Entry(row.lot, row.seq, row.position, row.type, row.at_ms)


async def count_of(store: Store, lot: str) -> int:
    """The cars in a lot by the history: all its changes. Raises StoreUnavailable."""
    return sum(row.change() for row in await store.days(lot, WHOLE, 0, DAY_MAX))
