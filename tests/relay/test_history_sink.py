"""The history as a sink, in real processes: its rows are the journal, and its counts are the engine's."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from liftgate.configs.history import PATH_ENDS
from liftgate.configs.loader import load
from liftgate.history.stores import store_of
from liftgate.relay.sinks.history_kept import count_of
from tests.cli.commands import liftgate
from tests.faults.engines import LOT, make_engine
from tests.independent.engine_process import KEY, Engine, service_toml
from tests.relay.relays import READERS, LiveRelay, journalled, kill_often, scan, wait_until


def engine_with_history(folder: Path, **keys: Any) -> Engine:
    """An engine, not started, with a relay into a history beside its journal; keys: of [engine]."""
    engine = make_engine(folder, READERS, 500, **keys)
    more = service_toml("relay-history", ["subscribe", "query"])
    more += f'\n[relay]\nsinks = ["history"]\n[history]\nkey = "{KEY.hex()}"\n'
    engine.config.write_text(engine.config.read_text() + more)
    return engine


def rows(folder: Path) -> list[tuple[int, str, int]]:
    """(position, lot, seq) of the events in the store; none while there is no file."""
    path = folder / f"journal{PATH_ENDS}"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        try:
            found = db.execute("SELECT position, lot, seq FROM events ORDER BY position").fetchall()
        except sqlite3.OperationalError:  # the tables are being made
            return []
    return [(int(position), str(lot), int(seq)) for position, lot, seq in found]


async def occupancy(config: Path) -> int:
    """Cars in the lot at the end of the series, by the history."""
    history = load(config).history
    assert history is not None
    store = store_of(history)
    await store.open()
    try:
        return await count_of(store, LOT)
    finally:
        await store.aclose()


@pytest.mark.long
def test_killed_often_the_history_is_the_journal_and_counts_as_the_engine_does(tmp_path: Path) -> None:
    """kill -9 ten times mid-stream: every event once, and the occupancy that comes of it is the engine's."""
    engine = engine_with_history(tmp_path)
    relay = LiveRelay(engine)
    with engine:
        asyncio.run(kill_often(engine, relay, 10, lambda: len(rows(tmp_path)), random.Random(10), 3000))
        with relay:
            with engine.service("blind") as service:
                end = service.query("", "status").body["durable_position"]
            relay.wait_status(lambda status: status.safe == end)
            wait_until(lambda: len(rows(tmp_path)) >= end, relay.log_text)
            assert rows(tmp_path) == journalled(tmp_path)
            assert asyncio.run(occupancy(engine.config)) == engine.counts(LOT).occupancy
            assert relay.stop() == 0


@pytest.mark.long
def test_a_history_that_was_lost_goes_on_past_what_the_journal_has_no_more(tmp_path: Path) -> None:
    """When somebody wants it; `liftgate compare` then says which events it never had."""
    engine = engine_with_history(tmp_path, segment_bytes=1 << 20, snapshot_every_s=1)
    with engine, LiveRelay(engine) as relay:
        while journalled(tmp_path)[0][0] == 1:
            last = scan(engine, 2000)
            relay.wait_status(lambda status: status.safe >= last)  # noqa: B023 - called in this turn
        relay.kill()
        for path in tmp_path.glob(f"journal{PATH_ENDS}*"):
            path.unlink()
        relay.start()
        relay.wait_status(lambda status: status.state == "degraded")
        first = journalled(tmp_path)[0][0]
        assert liftgate("dead", "skip-gap", "--config", engine.config).returncode == 0
        relay.wait_status(lambda status: status.state == "live" and status.safe >= last)
        assert rows(tmp_path) == journalled(tmp_path)
        told = liftgate("compare", "--config", engine.config).stdout
        assert f"never had {first - 1:,} events, positions 1 to {first - 1}: skipped " in told, told
