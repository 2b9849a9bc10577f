"""Stores on a real node, and what a test asks of the node behind their back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from deploy.services.ports import HOST
from liftgate.configs.cassandra import CassandraConfig
from liftgate.history.cassandra.store import CassandraStore
from liftgate.history.cassandra.tables import Keeping
from liftgate.history.clock import now_ms
from liftgate.history.port import EventRow, Rows, StoreUnavailable
from tests.history.cassandra.rows import DAY, some
from tests.services.clients import cql

FOR_EVER = Keeping(days=0, token_hours=0)
AGAIN_S = 0.1
"""Between two attempts, as the relay's backoff in its beginning."""


def config_of(port: int, keyspace: str, **more: Any) -> CassandraConfig:
    """One node keeps one copy."""
    return CassandraConfig(contact_points=(HOST,), port=port, keyspace=keyspace, **{"replication": 1} | more)


def drop(port: int, keyspace: str) -> None:
    cql(port, (f"DROP KEYSPACE IF EXISTS {keyspace}", []))


@asynccontextmanager
async def opened(
    port: int, keyspace: str, keeping: Keeping = FOR_EVER, now_ms: Callable[[], int] = now_ms, **more: Any
) -> AsyncIterator[CassandraStore]:
    """A store that was migrated and is open, for the time of the block."""
    store = CassandraStore(config_of(port, keyspace, **more), keeping, now_ms)
    await store.migrate()
    try:
        await store.open()
        yield store
    finally:
        await store.aclose()


class Feed:
    """Writes batch after batch, each again until the store has it, as the relay does.

    acknowledged: events that `write` returned for; troubles: what was said instead.
    """

    def __init__(self, store: CassandraStore, batch: int = 500) -> None:
        self.acknowledged = 0
        self.troubles: list[str] = []
        self._store = store
        self._batch = batch
        self._reached = asyncio.Condition()

    async def run(self, until: int) -> None:
        """Up to so many events."""
        while self.acknowledged < until:
            try:
                await self._store.write(some(self.acknowledged + 1, self._batch))
            except StoreUnavailable as error:
                self.troubles.append(str(error))
                await asyncio.sleep(AGAIN_S)
            else:
                self.acknowledged += self._batch
            async with self._reached:
                self._reached.notify_all()

    async def wait_acknowledged(self, count: int) -> None:
        async with self._reached:
            await self._reached.wait_for(lambda: self.acknowledged >= count)

    async def wait_trouble(self) -> None:
        """Until something was not stored, from the beginning on."""
        async with self._reached:
            await self._reached.wait_for(lambda: bool(self.troubles))


async def all_events(store: CassandraStore, day: int = DAY) -> list[EventRow]:
    """Of lot north."""
    found: list[EventRow] = []
    while page := await store.events("north", day, found[-1].seq if found else 0, 2000):
        found += page
    return found


async def assert_all_there(store: CassandraStore, count: int) -> None:
    """Every row of the first `count` events, once and whole; they end before DAY does."""
    assert count < 86_400
    expected = some(1, count)
    assert await all_events(store) == list(expected.events)
    stays: Sequence[object] = await store.stays("north", DAY, limit=count)
    assert stays == list(expected.stays)
    cells = await store.cells("north", "", expected.cells[0].cell, expected.cells[-1].cell + 1)
    assert cells == list(expected.cells)


def without(rows: Rows, *seqs: int) -> list[EventRow]:
    return [event for event in rows.events if event.seq not in seqs]
