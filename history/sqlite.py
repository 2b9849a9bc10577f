"""The history in one SQLite file: what an installation has that runs nothing else.

WAL, so that whoever reads never waits for the writer; synchronous FULL, since a write that returned is
durable. SQLite's calls block, so they run in two threads of the store's own, one with the connection that
writes and one with the connection that reads.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from liftgate.history.migrations import migrations
from liftgate.history.port import (
    DAY_MS,
    CellRow,
    Checkpoint,
    DayRow,
    EventRow,
    Progress,
    Rows,
    StayRow,
    StoreMisfit,
    StoreRejected,
    StoreUnavailable,
)

Result = TypeVar("Result")

APPLICATION_ID = 0x4C474849
"""`LGHI`, in the file's header: another program's file is not taken for an old history."""

SQLITE_MIN = (3, 37, 0)
"""The first with STRICT tables, from 2021."""

BUSY_S = 5.0
"""How long a write waits for another process's: `migrate`, or a second relay by mistake."""

WAL_PAGES = 8192
"""Of 4 KiB, after which the log goes into the file, which costs a sync of its own: 32 MiB instead of 4, so
that it happens every few batches of a backlog and not several times in each.
"""

EXPIRED_AT_ONCE = 10_000
"""Rows removed in one transaction, some 50 ms; the writer gets its turn between two."""

_REFUSALS = (OverflowError, UnicodeError, sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError)
"""What a value does that SQLite will never take; everything else is the file's or the disk's trouble."""

_EVENT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_STAY = """
INSERT INTO stays VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
seq = excluded.seq, credential = excluded.credential, token = excluded.token, area = excluded.area,
spot = excluded.spot, entered_ms = excluded.entered_ms, left_ms = excluded.left_ms, how = excluded.how
WHERE excluded.seq > seq"""
_SUMS = """
INSERT INTO {} VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
seq = excluded.seq, entered = excluded.entered, gone = excluded.gone, corrected = excluded.corrected
WHERE excluded.seq > seq"""
_CELL, _DAY = _SUMS.format("cells"), _SUMS.format("days")
_FOLD = """
INSERT INTO folds VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq, state = excluded.state
WHERE excluded.seq > seq"""
_FEED = """
INSERT INTO feeds VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position
WHERE excluded.position > position"""
_LOTS = """
WITH RECURSIVE lots (lot) AS (
    SELECT min(lot) FROM {0} UNION ALL SELECT (SELECT min(lot) FROM {0} WHERE lot > lots.lot) FROM lots
    WHERE lots.lot IS NOT NULL
) SELECT lot FROM lots WHERE lot IS NOT NULL"""


class SqliteStore:
    """A `Store` in the file `path`, which `open` makes where there is none; see the port for the methods.

    keep_days: events, and stays that ended, go when their day is so long ago, 0 = never; personal_hours: raw
    tokens go so long after the stay.
    """

    def __init__(self, path: Path, *, keep_days: int = 0, personal_hours: int = 0) -> None:
        self._path = path
        self._keep_days = keep_days
        self._personal_hours = personal_hours
        self._migrations = migrations("sqlite")
        self._writer, self._reader = _threads()
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None

    # -- opening

    async def migrate(self) -> tuple[int, int]:
        before = await self._write(self._connect)
        await self._write(self._migrate, before)
        return before, len(self._migrations)

    async def open(self) -> None:
        version = await self._write(self._connect)
        if version == 0:
            await self._write(self._migrate, 0)
        elif version < len(self._migrations):
            raise StoreMisfit(
                f"{self._path} has schema {version} and this program needs {len(self._migrations)}: "
                "run `liftgate history migrate`"
            )
        await self._call(self._reader, self._connect_reader)

    async def aclose(self) -> None:
        for executor, name in ((self._reader, "_reading"), (self._writer, "_writing")):
            await asyncio.get_running_loop().run_in_executor(executor, self._close, name)
            executor.shutdown()
        self._writer, self._reader = _threads()

    def _connect(self) -> int:
        """The version of the schema that is there, 0 where there is none yet."""
        if sqlite3.sqlite_version_info < SQLITE_MIN:
            raise StoreMisfit(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 is the first that will do")
        self._close("_writing")  # of a try before that failed
        connection = self._writing = self._connection()
        version = _pragma(connection, "user_version")
        if version and _pragma(connection, "application_id") != APPLICATION_ID:
            raise StoreMisfit(f"{self._path} is another program's database")
        if not version and _pragma(connection, "schema_version"):
            raise StoreMisfit(f"{self._path} is a database, and no history")
        if version > len(self._migrations):
            raise StoreMisfit(
                f"{self._path} has schema {version}, and this program knows {len(self._migrations)} at most: "
                "a newer Liftgate made it"
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        return version

    def _connection(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)

    def _connect_reader(self) -> None:
        self._close("_reading")
        self._reading = self._connection()
        self._reading.execute("PRAGMA query_only = ON")

    def _migrate(self, version: int) -> None:
        """Each migration is a transaction of its own; one that breaks off leaves the version before."""
        for migration in self._migrations[version:]:
            _opened(self._writing).executescript(
                f"BEGIN IMMEDIATE;\n{migration.text}\n"
                f"PRAGMA application_id = {APPLICATION_ID};\n"
                f"PRAGMA user_version = {migration.number};\nCOMMIT;"
            )

    def _close(self, name: str) -> None:
        connection = getattr(self, name)
        if connection is not None:
            connection.close()
            setattr(self, name, None)

    # -- writing

    async def write(self, rows: Rows, progress: Progress | None = None) -> None:
        refused = await self._write(self._store, rows, progress)
        if refused:
            raise StoreRejected(refused)

    def _store(self, rows: Rows, progress: Progress | None) -> dict[tuple[str, int], str]:
        """All of it in one transaction; where an event is refused, the others in another one."""
        try:
            with self._transaction() as connection:
                connection.executemany(_EVENT, rows.events)
                _store_sums(connection, rows)
                _store_progress(connection, progress)
                return {}
        except _REFUSALS:
            with self._transaction() as connection:
                refused = dict(_store_singly(connection, rows.events))
                if not refused:
                    raise  # no event was at fault: what was written is a bug of this program's
                _store_sums(connection, rows)
                return refused

    async def expire(self, now_ms: int) -> int:
        today = now_ms // DAY_MS
        removed = await self._forget_tokens(now_ms - self._personal_hours * 3_600_000)
        if self._keep_days:
            for lot in await self._write(self._lots, "events"):
                removed += await self._remove("events", "", lot, today - self._keep_days)
            for lot in await self._write(self._lots, "stays"):
                removed += await self._remove("stays", "AND how <> ''", lot, today - self._keep_days)
        return removed

    async def _forget_tokens(self, left_before_ms: int) -> int:
        sql = (
            "UPDATE stays SET token = x'' WHERE (lot, day, session) IN (SELECT lot, day, session FROM stays "
            f"WHERE length(token) > 0 AND left_ms < ? LIMIT {EXPIRED_AT_ONCE})"
        )
        return await self._step_by_step(sql, left_before_ms)

    async def _remove(self, table: str, which: str, lot: str, before: int) -> int:
        key = "seq" if table == "events" else "session"
        sql = (
            f"DELETE FROM {table} WHERE lot = ? AND (day, {key}) IN (SELECT day, {key} FROM {table} "
            f"WHERE lot = ? AND day < ? {which} LIMIT {EXPIRED_AT_ONCE})"
        )
        return await self._step_by_step(sql, lot, lot, before)

    async def _step_by_step(self, sql: str, *parameters: Any) -> int:
        total = 0
        while touched := await self._write(self._execute, sql, parameters):
            total += touched
        return total

    def _execute(self, sql: str, parameters: tuple[Any, ...]) -> int:
        with self._transaction() as connection:
            return connection.execute(sql, parameters).rowcount

    def _lots(self, table: str) -> list[str]:
        """By steps through the key: as many looks as there are lots, however many rows they have."""
        return [lot for (lot,) in _opened(self._writing).execute(_LOTS.format(table))]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = _opened(self._writing)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    # -- reading

    async def progress(self, feed: str) -> Progress | None:
        found = await self._read("SELECT position FROM feeds WHERE feed = ?", feed)
        if not found:
            return None
        folds = await self._read("SELECT lot, seq, state FROM folds WHERE feed = ? ORDER BY lot", feed)
        return Progress(feed, found[0][0], [Checkpoint(*row) for row in folds])

    async def events(self, lot: str, day: int, after: int = 0, limit: int = 1000) -> Sequence[EventRow]:
        sql = "SELECT * FROM events WHERE lot = ? AND day = ? AND seq > ? ORDER BY seq LIMIT ?"
        return [EventRow(*row) for row in await self._read(sql, lot, day, after, limit)]

    async def stays(self, lot: str, day: int, after: bytes = b"", limit: int = 1000) -> Sequence[StayRow]:
        sql = "SELECT * FROM stays WHERE lot = ? AND day = ? AND session > ? ORDER BY session LIMIT ?"
        return [StayRow(*row) for row in await self._read(sql, lot, day, after, limit)]

    async def stays_of(self, credential: bytes, limit: int = 100) -> Sequence[StayRow]:
        sql = "SELECT * FROM stays WHERE credential = ? ORDER BY day DESC, entered_ms DESC LIMIT ?"
        return [StayRow(*row) for row in await self._read(sql, credential, limit)]

    async def cells(self, lot: str, area: str, first: int, until: int) -> Sequence[CellRow]:
        sql = "SELECT * FROM cells WHERE lot = ? AND area = ? AND cell >= ? AND cell < ? ORDER BY cell"
        return [CellRow(*row) for row in await self._read(sql, lot, area, first, until)]

    async def days(self, lot: str, area: str, first: int, until: int) -> Sequence[DayRow]:
        sql = "SELECT * FROM days WHERE lot = ? AND area = ? AND day >= ? AND day < ? ORDER BY day"
        return [DayRow(*row) for row in await self._read(sql, lot, area, first, until)]

    async def _read(self, sql: str, *parameters: Any) -> list[Any]:
        return await self._call(self._reader, self._select, sql, parameters)

    def _select(self, sql: str, parameters: tuple[Any, ...]) -> list[Any]:
        return _opened(self._reading).execute(sql, parameters).fetchall()

    # -- threads

    async def _write(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await self._call(self._writer, work, *arguments)

    async def _call(
        self, executor: ThreadPoolExecutor, work: Callable[..., Result], *arguments: Any
    ) -> Result:
        """Run `work` in its thread. Whoever is cancelled meanwhile leaves it to its end there."""
        try:
            return await asyncio.get_running_loop().run_in_executor(executor, work, *arguments)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"{self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, _REFUSALS):
                raise
            raise StoreMisfit(f"{self._path}: {error}") from error
        except OSError as error:
            raise StoreUnavailable(f"{self._path}: {error}") from error


def _threads() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    """One that writes, one that reads; neither begins before it has work."""
    return ThreadPoolExecutor(1, "history-writer"), ThreadPoolExecutor(1, "history-reader")


def _opened(connection: sqlite3.Connection | None) -> sqlite3.Connection:
    if connection is None:
        raise StoreUnavailable("the store is not open")
    return connection


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _store_singly(
    connection: sqlite3.Connection, events: Sequence[EventRow]
) -> Iterator[tuple[tuple[str, int], str]]:
    for row in events:
        try:
            connection.execute(_EVENT, row)
        except _REFUSALS as error:
            yield (row.lot, row.seq), str(error)


def _store_sums(connection: sqlite3.Connection, rows: Rows) -> None:
    connection.executemany(_STAY, [row[:-1] for row in rows.stays])
    connection.executemany(_CELL, rows.cells)
    connection.executemany(_DAY, rows.days)


def _store_progress(connection: sqlite3.Connection, progress: Progress | None) -> None:
    if progress is not None:
        connection.executemany(_FOLD, [(progress.feed, *fold) for fold in progress.folds])
        connection.execute(_FEED, (progress.feed, progress.position))
