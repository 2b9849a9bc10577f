"""The recorder fills Cassandra as it fills SQLite."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from deploy.services import Service
from liftgate.bench.history import BEGAN_MS, CARS, LOT, feed_of
from liftgate.history.cassandra.store import CassandraStore
from liftgate.history.port import DAY_MS, WHOLE, Progress, Store
from liftgate.history.privacy import Hasher
from liftgate.history.recorder import Recorder
from liftgate.history.sqlite import SqliteStore
from tests.history.cassandra.stores import FOR_EVER, config_of

pytestmark = pytest.mark.long

EVENTS, BATCH = 3 * CARS, 700
DAY = BEGAN_MS // DAY_MS


async def recorded(store: Store) -> dict[str, Any]:
    """All that is in the store after a feed told in two lives, the second from where the first stood."""
    feed = feed_of(EVENTS)
    await store.migrate()
    for life, until in enumerate((EVENTS // 2, EVENTS)):
        recorder = Recorder(store, "bench", Hasher(bytes(32)))
        after = await recorder.open()
        assert life == 0 or after == EVENTS // 2
        rest = [(position, event) for position, event in feed if (after or 0) < position <= until]
        for first in range(0, len(rest), BATCH):
            await recorder.write(rest[first : first + BATCH])
        await recorder.settle()
        await recorder.aclose()
    await store.open()
    stays = await store.stays(LOT, DAY, limit=EVENTS)
    found = {
        "events": await store.events(LOT, DAY, limit=EVENTS),
        "stays": stays,
        "of one": await store.stays_of(stays[0].credential),
        "cells": [await store.cells(LOT, area, DAY * 1440, (DAY + 5) * 1440) for area in (WHOLE, LOT)],
        "days": [await store.days(LOT, area, DAY, DAY + 5) for area in (WHOLE, LOT)],
        "progress": await store.progress("bench"),
    }
    await store.aclose()
    return found


def test_both_stores_come_to_the_same(cassandra: Service, keyspace: str, tmp_path: Path) -> None:
    """Row by row, checkpoint by checkpoint, after a restart of the recorder in its midst."""
    here = asyncio.run(recorded(SqliteStore(tmp_path / "history.db")))
    there = asyncio.run(recorded(CassandraStore(config_of(cassandra.port, keyspace), FOR_EVER)))
    assert len(here["events"]) == EVENTS
    assert isinstance(here["progress"], Progress) and here["progress"].position == EVENTS
    for name, rows in here.items():
        assert there[name] == rows, name
