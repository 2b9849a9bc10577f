"""Sends batches, as many at once as the cluster takes, and finds out which rows it will never take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import acsylla
from acsylla import errors

from liftgate.history.cassandra.errors import REFUSED, UNENCODABLE, DriverError, text_of
from liftgate.history.cassandra.node import REQUEST_S_MAX, Session, query
from liftgate.history.cassandra.tables import Origin, Write, batches
from liftgate.history.limiter import Limiter
from liftgate.history.port import StoreUnavailable

BATCH_ROWS_MAX, BATCH_BYTES_MAX = 500, 256 * 1024
"""Measured: 500 rows at once go at twice the pace of 100, and 1,000 little faster. A mutation of 256 KiB is
far below what is refused (8 MiB with the smallest commit log segments in use), and quickly sent again."""

Refused = dict[Origin, str]


class _Outcome:
    """What came of a write so far: the rows refused for good, and why the others could not be written."""

    __slots__ = ("refused", "trouble")

    def __init__(self) -> None:
        self.refused: Refused = {}
        self.trouble = ""


class Writer:
    """Writes for one task. Its requests live on when that task is cancelled, since the driver cannot take one
    back: `drain` waits for them, and until then each takes its place in the limit.
    """

    def __init__(
        self, session: Session, prepared: Mapping[str, Any], keyspace: str, limiter: Limiter
    ) -> None:
        self.limiter = limiter
        self._session = session
        self._prepared = prepared
        self._keyspace = keyspace
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()

    async def write(self, writes: Iterable[Write]) -> Refused:
        """Return when all are durable but those refused for good. Raises StoreUnavailable: part may be there.

        After the first failure no more are sent, and those in flight are waited for.
        """
        outcome = _Outcome()
        for batch in batches(writes, BATCH_ROWS_MAX, BATCH_BYTES_MAX):
            await self._wait_room()
            if outcome.trouble:
                break
            self._start(batch, outcome)
        await self.drain()
        if outcome.trouble:
            raise StoreUnavailable(f"Cassandra: {outcome.trouble}")
        return outcome.refused

    async def drain(self) -> None:
        """Return when nothing is in flight any more; each request has its time-out."""
        while self._running:
            await asyncio.wait(self._running)

    async def _wait_room(self) -> None:
        while not self.limiter.has_room():
            self._room.clear()
            await self._room.wait()

    def _start(self, batch: list[Write], outcome: _Outcome) -> None:
        self.limiter.begin()
        task = asyncio.get_running_loop().create_task(self._send(batch, outcome))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _send(self, batch: list[Write], outcome: _Outcome) -> None:
        """The batch as one of those in flight, which it is however many requests it takes."""
        begin, refused, failed = time.monotonic(), {}, False
        try:
            refused = await self._put(batch)
        except StoreUnavailable as error:
            outcome.trouble, failed = str(error), True
        finally:
            outcome.refused |= refused
            # A batch that was taken apart is slow for reasons of its own.
            self.limiter.end(0.0 if refused else time.monotonic() - begin, failed)
            self._room.set()

    async def _put(self, batch: Sequence[Write]) -> Refused:
        """Execute them as one batch; halve what is refused until the rows that are at fault stand alone."""
        bound, refused = self._bind(batch)
        if not bound:
            return refused
        try:
            await self._execute([statement for statement, _ in bound])
        except REFUSED as error:
            rows = [write for _, write in bound]
            if len(rows) > 1:
                middle = len(rows) // 2
                return refused | await self._put(rows[:middle]) | await self._put(rows[middle:])
            await self._demand_well(str(rows[0].partition[0]))
            return refused | {rows[0].origin: text_of(error)}
        except errors.CassErrorLibNoHostsAvailable as error:
            raise StoreUnavailable(await self._diagnosis() or text_of(error)) from error
        except DriverError as error:
            raise StoreUnavailable(text_of(error)) from error
        return refused

    def _bind(self, batch: Sequence[Write]) -> tuple[list[tuple[Any, Write]], Refused]:
        bound, refused = [], {}
        for write in batch:
            try:
                bound.append((self._prepared[write.statement].bind(write.values), write))
            except (*REFUSED, *UNENCODABLE) as error:
                refused[write.origin] = text_of(error)
        return bound, refused

    async def _execute(self, statements: Sequence[Any]) -> None:
        if len(statements) == 1:  # most are: a credential's row is alone in its partition
            statements[0].set_is_idempotent(True)
            await self._session.execute(statements[0])
            return
        batch = acsylla.create_batch_unlogged()
        batch.set_is_idempotent(True)
        batch.set_request_timeout(int(REQUEST_S_MAX * 1000))
        for statement in statements:
            batch.add_statement(statement)
        await self._session.execute_batch(batch)

    async def _demand_well(self, table: str) -> None:
        """Raise StoreUnavailable unless the table is there and rows can be written at all.

        Cassandra says "invalid" of a table that is gone, and of every write when a disk is as full as its
        guardrails allow: to give up rows for that would empty the feed into the dead letters.
        """
        try:
            await query(self._session, f"SELECT * FROM {self._keyspace}.{TABLES.get(table, table)} LIMIT 1")
            await query(
                self._session,
                f"INSERT INTO {self._keyspace}.progress (feed, position) VALUES ('(probe)', 0) USING TTL 60",
            )
        except DriverError as error:
            raise StoreUnavailable(text_of(error)) from error

    async def _diagnosis(self) -> str:
        """What the driver hides behind "all hosts were tried": the server's own words, "" if it has none now.

        "fallthrough" lets an answer through instead of asking the next host.
        """
        text = f"SELECT position FROM {self._keyspace}.progress WHERE feed = '(probe)'"
        statement = acsylla.create_statement(text, timeout=REQUEST_S_MAX)
        statement.set_retry_policy("fallthrough")
        try:
            await self._session.execute(statement)
        except DriverError as error:
            return text_of(error)
        return ""


TABLES: dict[str, str] = {"credentials": "stays_by_credential", "chunks": "checkpoint_chunks"}
"""Tables that statements are not named after."""
