"""The port on Cassandra: see docs/history.md for the tables, and the module of each part for its reasons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from heapq import merge
from itertools import islice
from operator import attrgetter
from string import Template
from typing import Any

from liftgate.configs.cassandra import CassandraConfig
from liftgate.history.cassandra import schema
from liftgate.history.cassandra.checkpoints import Checkpoints
from liftgate.history.cassandra.errors import DriverError, unavailable
from liftgate.history.cassandra.node import (
    PAGE_ROWS,
    Cluster,
    Row,
    Session,
    check_keyspace,
    check_node,
    taken,
)
from liftgate.history.cassandra.tables import (
    CELLS_MIN,
    NO_TIME,
    QUARTERS,
    QUERIES,
    STATEMENTS,
    Keeping,
    known,
    writes_of,
)
from liftgate.history.cassandra.writer import Writer
from liftgate.history.clock import now_ms
from liftgate.history.limiter import Limiter
from liftgate.history.port import (
    DAY_MS,
    CellRow,
    DayRow,
    EventRow,
    Progress,
    Rows,
    StayRow,
    StoreMisfit,
    StoreRejected,
)

INT_MAX = 2**31 - 1
"""The last cell and day that the tables hold, in the year 6053."""
DAYS_EXPIRE_MAX_S = 2**31 - 2
"""2038-01-19: where Cassandra's expiry ends unless its newest storage format was switched on."""


class CassandraStore:
    """`Store` for one event loop. now_ms: Unix milliseconds, for what is to expire."""

    def __init__(self, config: CassandraConfig, keeping: Keeping, now_ms: Callable[[], int] = now_ms) -> None:
        self.limiter = Limiter()
        self._config = config
        self._keeping = keeping
        self._now_ms = now_ms
        self._cluster = Cluster(config)
        self._session: Session = None
        self._queries: dict[str, Any] = {}
        self._writer: Writer | None = None

    async def migrate(self) -> tuple[int, int]:
        with unavailable("migrating"):
            try:
                async with self._cluster.look() as session:
                    await check_node(session, self._config)
                    return await schema.migrate(session, self._config, schema.migrations())
            finally:
                self._cluster.destroy()

    async def open(self) -> None:
        self._check_keeping()
        with unavailable("connecting"):
            async with self._cluster.look() as session:
                await check_node(session, self._config)
                await check_keyspace(session, self._config)
                found = await schema.version_of(session, self._config.keyspace)
            known = schema.migrations()[-1][0]
            schema.check_version(found, known, f'keyspace "{self._config.keyspace}"')
            self._session = await self._cluster.work()
            try:
                self._queries = await self._prepare(QUERIES)
                prepared = await self._prepare(STATEMENTS)
            except DriverError:
                await self.aclose()
                raise
        self._writer = Writer(self._session, prepared, self._config.keyspace, self.limiter)

    async def aclose(self) -> None:
        """Let go of connections, once what is in flight has ended."""
        if self._writer is not None:
            await self._writer.drain()
            self._writer = None
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._cluster.destroy()

    async def write(self, rows: Rows, progress: Progress | None = None) -> None:
        writer = self._open_writer()
        refused = await writer.write(writes_of(rows, self._keeping, self._now_ms()))
        if refused:
            raise StoreRejected(refused)
        if progress is not None:
            await self._checkpoints().write(progress, writer)

    async def progress(self, feed: str) -> Progress | None:
        return await self._checkpoints().read(feed)

    async def expire(self, now_ms: int) -> int:
        """Nothing: each row was written with its time to live."""
        return 0

    async def events(self, lot: str, day: int, after: int = 0, limit: int = 1000) -> Sequence[EventRow]:
        quarters = await asyncio.gather(
            *(self._rows("events", lot, day, quarter, after, limit) for quarter in range(QUARTERS))
        )
        # What a REPLAY tells of an early hour has a late seq, so the quarters are not one after the other.
        found = (map(_event, rows) for rows in quarters)
        return list(islice(merge(*found, key=attrgetter("seq")), limit))

    async def stays(self, lot: str, day: int, after: bytes = b"", limit: int = 1000) -> Sequence[StayRow]:
        return [_stay(row) for row in await self._rows("stays", lot, day, after, limit)]

    async def stays_of(self, credential: bytes, limit: int = 100) -> Sequence[StayRow]:
        """By day first: entries that were set right to another day than the stay's come in its order."""
        if not credential:
            return []

        def enough(rows: Sequence[Row]) -> bool:
            """The last day may have gone on, so a row of the day before must have been seen."""
            return len(rows) > limit and rows[-1][1] < rows[limit - 1][1]

        found = [_stay(row) for row in await self._rows("credentials", credential, enough=enough)]
        return sorted(found, key=_by_entry, reverse=True)[:limit]

    async def cells(self, lot: str, area: str, first: int, until: int) -> Sequence[CellRow]:
        """A read for every 30 days of the span, whether there is something or not."""
        first, until = max(first, 0), min(until, INT_MAX)
        months = range(first // CELLS_MIN, (until - 1) // CELLS_MIN + 1)
        found: list[CellRow] = []
        for (
            month
        ) in months:  # one after the other: a page at a time is in memory, and the node has others too
            found += [CellRow(*row) for row in await self._rows("cells", lot, month, area, first, until)]
        return found

    async def days(self, lot: str, area: str, first: int, until: int) -> Sequence[DayRow]:
        found = await self._rows("days", lot, area, max(first, 0), min(until, INT_MAX))
        return [DayRow(*row) for row in found]

    def _check_keeping(self) -> None:
        days, today = self._keeping.days, self._now_ms() // DAY_MS
        most = DAYS_EXPIRE_MAX_S // 86_400 - today - 2
        if days > most:
            raise StoreMisfit(
                f"keep_days = {days} reaches beyond 2038-01-19, where Cassandra's expiry ends: {most} at most"
            )

    async def _prepare(self, texts: dict[str, str]) -> dict[str, Any]:
        filled = {
            name: Template(text).substitute(keyspace=self._config.keyspace) for name, text in texts.items()
        }
        return {name: await self._session.create_prepared(text) for name, text in filled.items()}

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise RuntimeError("the store is not open")
        return self._writer

    def _checkpoints(self) -> Checkpoints:
        return Checkpoints(self._rows)

    async def _rows(
        self, name: str, *values: object, enough: Callable[[Sequence[Row]], bool] = lambda rows: False
    ) -> list[Row]:
        """All rows of a query, page by page, or as many as are enough. Raises StoreUnavailable."""
        if self._session is None:
            raise RuntimeError("the store is not open")
        try:
            statement = self._queries[name].bind(list(values))
        except (ValueError, OverflowError):
            return []  # what no column holds is not in any row
        statement.set_page_size(PAGE_ROWS)
        statement.set_is_idempotent(True)
        with unavailable("reading"):
            result = await self._session.execute(statement)
            found = taken(result)
            while result.has_more_pages() and not enough(found):
                statement.set_page_state(result.page_state())
                result = await self._session.execute(statement)
                found += taken(result)
        return found


def _by_entry(stay: StayRow) -> tuple[int, int]:
    return stay.day, known(stay.entered_ms)


def _event(row: Row) -> EventRow:
    *facts, value = row
    return EventRow._make((*facts, value.encode()))


def _stay(row: Row) -> StayRow:
    lot, day, session, seq, credential, token, area, spot, entered_ms, left_ms, how = row
    entered, left = (None if time_ms == NO_TIME else time_ms for time_ms in (entered_ms, left_ms))
    return StayRow._make(
        (lot, day, session, seq, credential, token or b"", area, spot, entered, left, how, ())
    )
