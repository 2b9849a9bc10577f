"""How fast the history goes into Cassandra, against a bare loop of the driver's that writes the same rows."""

from __future__ import annotations

import asyncio
import hashlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from string import Template
from typing import Any
from uuid import uuid4

import acsylla
import msgspec

from liftgate.bench.history import LOT, SCANS_PER_DAY, row_batches
from liftgate.configs.cassandra import CassandraConfig
from liftgate.history.cassandra.node import query
from liftgate.history.cassandra.store import CassandraStore
from liftgate.history.cassandra.tables import STATEMENTS, Keeping, Write, batches, writes_of
from liftgate.history.cassandra.writer import BATCH_BYTES_MAX, BATCH_ROWS_MAX
from liftgate.history.limiter import MOST
from liftgate.history.port import Rows

EVENTS = SCANS_PER_DAY
"""A day of a busy lot."""
IN_FLIGHT = MOST
"""Of the bare loop: from its beginning as many as the store may have at most; with 8 it was slower."""
RATIO_MIN = 0.8
FOR_EVER = Keeping(days=0, token_hours=0)


class Cassandra(msgspec.Struct, frozen=True):
    """Medians of rows a second, a row in two tables being two; ratio: the median of each round's own.

    hash: of all events and stays read back, the same for both and in every round.
    """

    store_rate: float
    bare_rate: float
    ratio: float
    bar: float
    events: int
    rows: int
    rounds: int
    load_before: float
    hash: str


class Differs(RuntimeError):
    """What the store wrote is not what the bare loop wrote."""


def cassandra(host: str, port: int, rounds: int = 5, events: int = EVENTS) -> Cassandra:
    """Write the same rows both ways by turns, each into a keyspace of its own, dropped afterwards.

    The first round warms up the node and does not count. Raises Differs, StoreUnavailable, StoreMisfit.
    """
    load, rows = os.getloadavg()[0], list(row_batches(events))
    count = sum(len(list(writes_of(batch, FOR_EVER, 0))) for batch in rows)
    seconds: dict[str, list[float]] = {"store": [], "bare": []}
    digests = set()
    for turn in range(rounds + 1):
        for way in sorted(seconds, reverse=bool(turn % 2)):
            spent, digest = asyncio.run(_round(host, port, rows, bare=way == "bare"))
            digests.add(digest)
            if turn:
                seconds[way].append(spent)
    if len(digests) != 1:
        raise Differs(f"read back were {len(digests)} different histories")
    ratios = [bare / store for store, bare in zip(seconds["store"], seconds["bare"], strict=True)]
    return Cassandra(
        store_rate=round(count / statistics.median(seconds["store"]), 1),
        bare_rate=round(count / statistics.median(seconds["bare"]), 1),
        ratio=round(statistics.median(ratios), 3),
        bar=RATIO_MIN,
        events=events,
        rows=count,
        rounds=rounds,
        load_before=round(load, 1),
        hash=digests.pop(),
    )


async def _round(host: str, port: int, rows: Sequence[Rows], bare: bool) -> tuple[float, str]:
    """Seconds until all is written, and the hash of what is read back."""
    async with _opened(host, port) as (store, session, keyspace):
        if bare:
            spent = await _write_bare(session, keyspace, rows)
        else:
            spent = await _write(store, rows)
        return spent, await _digest(store, rows)


@asynccontextmanager
async def _opened(host: str, port: int) -> AsyncIterator[tuple[CassandraStore, Any, str]]:
    """An open store, a session of the bare driver, and their keyspace, which goes at the end."""
    keyspace = f"bench_{uuid4().hex[:12]}"
    config = CassandraConfig(contact_points=(host,), port=port, keyspace=keyspace, replication=1)
    store = CassandraStore(config, FOR_EVER)
    await store.migrate()
    await store.open()
    cluster = acsylla.create_cluster(
        [host], port=port, log_level="critical", consistency=acsylla.Consistency.LOCAL_QUORUM
    )
    session = await cluster.create_session()
    try:
        yield store, session, keyspace
    finally:
        await query(session, f"DROP KEYSPACE {keyspace}")
        await session.close()
        cluster.destroy()
        await store.aclose()


async def _write(store: CassandraStore, rows: Sequence[Rows]) -> float:
    """As the relay does: one write after the other, each durable before the next."""
    began = time.perf_counter()
    for each in rows:
        await store.write(each)
    return time.perf_counter() - began


async def _write_bare(session: Any, keyspace: str, rows: Sequence[Rows]) -> float:
    """As little as gets those batches written: bind, execute, so many at once. Nothing is looked at, and what
    goes into which batch was made out before.
    """
    prepared = {
        name: await session.create_prepared(Template(text).substitute(keyspace=keyspace))
        for name, text in STATEMENTS.items()
    }
    made = [
        batch
        for each in rows
        for batch in batches(writes_of(each, FOR_EVER, 0), BATCH_ROWS_MAX, BATCH_BYTES_MAX)
    ]

    async def send(waiting: Iterator[Sequence[Write]]) -> None:
        for writes in waiting:
            batch = acsylla.create_batch_unlogged()
            batch.set_is_idempotent(True)
            for write in writes:
                batch.add_statement(prepared[write.statement].bind(write.values))
            await session.execute_batch(batch)

    began, waiting = time.perf_counter(), iter(made)
    await asyncio.gather(*(send(waiting) for _ in range(IN_FLIGHT)))
    return time.perf_counter() - began


async def _digest(store: CassandraStore, rows: Sequence[Rows]) -> str:
    """Of the days' events and stays, read page by page."""
    digest = hashlib.sha256()
    for day in sorted({event.day for each in rows for event in each.events}):
        seen, session = 0, b""
        while events := await store.events(LOT, day, seen):
            digest.update(repr(events).encode())
            seen = events[-1].seq
        while stays := await store.stays(LOT, day, session):
            digest.update(repr(stays).encode())
            session = stays[-1].session
    return digest.hexdigest()[:16]
