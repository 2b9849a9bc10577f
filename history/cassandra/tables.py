"""The tables of the migrations, as statements, and the rows of the port as writes to them. No I/O.

Every row is written with the seq of the event behind it as its timestamp, so that of two versions of a row
the one with the higher seq stays in whatever order, how often and by whom they are written; Cassandra
compares timestamps and never asks a clock. Events never change, and theirs is their time, which TWCS needs to
put them into the right window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from liftgate.history.port import DAY_MS, CellRow, DayRow, EventRow, Rows, StayRow

QUARTERS = 4
"""Partitions of a lot's day of events: 50,000 of 500 bytes are 25 MB in all, ten times that 60 MB in each."""
QUARTER_MS = DAY_MS // QUARTERS
HOUR_MS = 3_600_000
CELLS_DAYS = 30
"""Days of cells in a partition: 8,640 rows of each area, some 0.6 MB."""
CELLS_MIN = CELLS_DAYS * 24 * 60
TTL_S_MAX = 20 * 365 * 86_400
"""Cassandra's own limit. The store takes no `keep_days` that reach so far."""

# Not known, or not yet. A null would be a tombstone in the row of every car that is inside.
NO_TIME = -1


def _insert(table: str, columns: str, expires: bool = False) -> str:
    marks = ", ".join("?" for _ in columns.split())
    into = f"$keyspace.{table} ({', '.join(columns.split())})"
    return f"INSERT INTO {into} VALUES ({marks}) USING TIMESTAMP ?" + " AND TTL ?" * expires


def _set_token(table: str, key: str) -> str:
    where = " AND ".join(f"{column} = ?" for column in key.split())
    return f"UPDATE $keyspace.{table} USING TIMESTAMP ? AND TTL ? SET raw_token = ? WHERE {where}"


_STAY, _STAY_OF = "lot day session", "credential day lot session"
_FACTS = "seq area spot entered_ms left_ms how"
_READ = "lot, day, session, seq, credential, raw_token, area, spot, entered_ms, left_ms, how"

STATEMENTS = {
    "events": _insert("events", "lot day quarter seq at_ms position type value", expires=True),
    "stays": _insert("stays", f"{_STAY} credential {_FACTS} raw_token", expires=True),
    "stays without": _insert("stays", f"{_STAY} credential {_FACTS}", expires=True),
    "stays token": _set_token("stays", _STAY),
    "credentials": _insert("stays_by_credential", f"{_STAY_OF} {_FACTS} raw_token", expires=True),
    "credentials without": _insert("stays_by_credential", f"{_STAY_OF} {_FACTS}", expires=True),
    "credentials token": _set_token("stays_by_credential", _STAY_OF),
    "credentials formerly": "DELETE FROM $keyspace.stays_by_credential USING TIMESTAMP ?"
    " WHERE credential = ? AND day = ? AND lot = ? AND session = ?",
    "cells": _insert("cells", "lot month area cell seq entered left corrected"),
    "days": _insert("days", "lot area day seq entered left corrected"),
    "progress": _insert("progress", "feed position"),
    "checkpoints": _insert("checkpoints", "feed lot seq chunks crc"),
    "chunks": _insert("checkpoint_chunks", "feed lot seq chunk data"),
    "chunks older": "DELETE FROM $keyspace.checkpoint_chunks USING TIMESTAMP ?"
    " WHERE feed = ? AND lot = ? AND seq < ?",
}
"""By name; `$keyspace` is filled in. A token that expires has a statement of its own, since a TTL holds for
all columns of one."""

QUERIES = {
    "events": "SELECT lot, day, seq, at_ms, position, type, value FROM $keyspace.events"
    " WHERE lot = ? AND day = ? AND quarter = ? AND seq > ? LIMIT ?",
    "stays": f"SELECT {_READ} FROM $keyspace.stays WHERE lot = ? AND day = ? AND session > ? LIMIT ?",
    "credentials": f"SELECT {_READ} FROM $keyspace.stays_by_credential WHERE credential = ?",
    "cells": "SELECT lot, area, cell, seq, entered, left, corrected FROM $keyspace.cells"
    " WHERE lot = ? AND month = ? AND area = ? AND cell >= ? AND cell < ?",
    "days": "SELECT lot, area, day, seq, entered, left, corrected FROM $keyspace.days"
    " WHERE lot = ? AND area = ? AND day >= ? AND day < ?",
    "progress": "SELECT position FROM $keyspace.progress WHERE feed = ?",
    "checkpoints": "SELECT lot, seq, chunks, crc FROM $keyspace.checkpoints WHERE feed = ?",
    "chunks": "SELECT data FROM $keyspace.checkpoint_chunks WHERE feed = ? AND lot = ? AND seq = ?",
}

Origin = tuple[str, int]
"""(lot, seq) of the event that made a row."""


class Write(NamedTuple):
    """One statement of STATEMENTS with its values; those of one partition may share a batch.

    partition: the table and its partition key; size: bytes of what may be large in it.
    """

    statement: str
    partition: tuple[object, ...]
    values: tuple[object, ...]
    size: int
    origin: Origin


class Keeping(NamedTuple):
    """How long what tells of people is kept.

    days: events, and stays that ended, from their day's end on; 0: for ever. token_hours: raw tokens, from
    the end of the stay on; 0: never.
    """

    days: int
    token_hours: int


class Expiry(NamedTuple):
    """When rows go, seen from now; TTLs in seconds, 0 for what stays."""

    keeping: Keeping
    now_ms: int

    def of_day(self, day: int) -> int | None:
        """The TTL of an event or ended stay of a day; None: its time is over already."""
        if not self.keeping.days:
            return 0
        return self._until((day + self.keeping.days + 1) * DAY_MS) or None

    def of_token(self, row: StayRow) -> int | None:
        """The TTL of a stay's raw token; None: it is not kept, or no longer."""
        if not row.token or not self.keeping.token_hours:
            return None
        if row.left_ms is None:
            return 0
        return self._until(row.left_ms + self.keeping.token_hours * HOUR_MS) or None

    def _until(self, end_ms: int) -> int:
        """Whole seconds until then; 0 where it is over."""
        return max(0, min((end_ms - self.now_ms + 999) // 1000, TTL_S_MAX))


def writes_of(rows: Rows, keeping: Keeping, now_ms: int) -> Iterator[Write]:
    """What the rows come to; events and stays whose time is over already are left out."""
    expiry = Expiry(keeping, now_ms)
    for event in rows.events:
        if (ttl_s := expiry.of_day(event.day)) is not None:
            yield _event(event, ttl_s)
    for stay in rows.stays:
        yield from _stay(stay, expiry)
    for cell in rows.cells:
        yield _cell(cell)
    for day in rows.days:
        yield _day(day)


def known(time_ms: int | None) -> int:
    """The time as it is stored."""
    return NO_TIME if time_ms is None else time_ms


def batches(writes: Iterable[Write], rows_max: int, bytes_max: int) -> list[list[Write]]:
    """The writes by partition, in pieces: at most so many rows, and bytes unless one row alone has more."""
    pieces: list[list[Write]] = []
    filling: dict[tuple[object, ...], tuple[list[Write], int]] = {}
    for write in writes:
        piece, size = filling.get(write.partition, ([], 0))
        if not piece or len(piece) >= rows_max or size + write.size > bytes_max:
            piece, size = [], 0
            pieces.append(piece)
        piece.append(write)
        filling[write.partition] = piece, size + write.size
    return pieces


def _event(row: EventRow, ttl_s: int) -> Write:
    quarter = row.at_ms % DAY_MS // QUARTER_MS
    values = (
        row.lot,
        row.day,
        quarter,
        row.seq,
        row.at_ms,
        row.position,
        row.type,
        row.value,
        row.at_ms * 1000,
        ttl_s,
    )
    return Write("events", ("events", row.lot, row.day, quarter), values, len(row.value), (row.lot, row.seq))


def _stay(row: StayRow, expiry: Expiry) -> Iterator[Write]:
    ttl_s = expiry.of_day(row.day) if row.how else 0
    token_ttl_s = expiry.of_token(row)
    by_day, of_credential = (row.lot, row.day, row.session), (row.day, row.lot, row.session)
    if ttl_s is not None:
        placed = _Stay("stays", 2, by_day, (row.credential,))
        yield from placed.writes(row, ttl_s, token_ttl_s)
    if ttl_s is not None and row.credential:  # a car without a name has none: an empty key is refused
        placed = _Stay("credentials", 1, (row.credential, *of_credential), ())
        yield from placed.writes(row, ttl_s, token_ttl_s)
    for former in row.formerly:
        if former and former != row.credential:
            values = (row.seq, former, *of_credential)
            yield Write("credentials formerly", ("credentials", former), values, 0, (row.lot, row.seq))


class _Stay(NamedTuple):
    """A stay's place in one of the two tables of stays: the first columns of its key are the partition's."""

    table: str
    partition_columns: int
    key: tuple[object, ...]
    more: tuple[object, ...]

    def writes(self, row: StayRow, ttl_s: int, token_ttl_s: int | None) -> Iterator[Write]:
        """One, or two where the token goes before the row does."""
        partition, origin = (self.table, *self.key[: self.partition_columns]), (row.lot, row.seq)
        times = known(row.entered_ms), known(row.left_ms)
        facts = (*self.key, *self.more, row.seq, row.area, row.spot, *times, row.how)
        token = b"" if token_ttl_s is None else row.token
        if not token_ttl_s:
            yield Write(self.table, partition, (*facts, token, row.seq, ttl_s), len(token), origin)
            return
        token_ttl_s = min(token_ttl_s, ttl_s or token_ttl_s)
        token_values = (row.seq, token_ttl_s, token, *self.key)
        yield Write(f"{self.table} without", partition, (*facts, row.seq, ttl_s), 0, origin)
        yield Write(f"{self.table} token", partition, token_values, len(token), origin)


def _cell(row: CellRow) -> Write:
    month = row.cell // CELLS_MIN
    values = (row.lot, month, row.area, row.cell, row.seq, row.entered, row.left, row.corrected, row.seq)
    return Write("cells", ("cells", row.lot, month), values, 0, (row.lot, row.seq))


def _day(row: DayRow) -> Write:
    return Write("days", ("days", row.lot), (*row, row.seq), 0, (row.lot, row.seq))
