"""`liftgate history` on a real Cassandra, and what it says of one that does not fit."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from deploy.services import Service
from liftgate.configs.loader import load
from liftgate.history.port import Rows
from liftgate.history.stores import store_of
from tests.cli.commands import Done, liftgate
from tests.history.cassandra.rows import CREDENTIAL, event, stay
from tests.history.cassandra.stores import drop
from tests.services.clients import unique

pytestmark = pytest.mark.long


def configured(config: Path, port: int, keyspace: str) -> Path:
    """The demo's configuration with a history in that keyspace."""
    table = (
        f'\n[history]\nstore = "cassandra"\nkey = "{"ab" * 32}"\n[history.cassandra]\n'
        f'contact_points = ["127.0.0.1"]\nport = {port}\nkeyspace = "{keyspace}"\nreplication = 1\n'
    )
    config.write_text(config.read_text(encoding="utf-8") + table, encoding="utf-8")
    return config


def history(action: str, config: Path, *more: object) -> Done:
    return liftgate("history", action, "--config", config, *more)


async def fill(config: Path) -> None:
    loaded = load(config).history
    assert loaded is not None
    store = store_of(loaded)
    await store.open()
    await store.write(Rows([event(1)], [stay(1)]))
    await store.aclose()


def test_migrate_makes_what_the_others_read(cassandra: Service, config: Path) -> None:
    """Told what to do before, told what was done, and once more that there is nothing to do."""
    keyspace = unique("history")
    with_history = configured(config, cassandra.port, keyspace)
    early = history("events", with_history, "--lot", "north")
    assert early.returncode != 0 and "Traceback" not in early.stderr
    assert early.stderr.startswith(f'liftgate: no keyspace "{keyspace}" in this cluster')
    assert "`liftgate history migrate` makes it" in early.stderr
    assert history("migrate", with_history).stdout == "schema none is now 1\n"
    assert history("migrate", with_history).stdout == "schema 1: nothing to do\n"
    asyncio.run(fill(with_history))
    events = history("events", with_history, "--lot", "north", "--day", "2026-12-13", "--json")
    assert [json.loads(line)["seq"] for line in events.stdout.splitlines()] == [1]
    stays = history("stays", with_history, "--lot", "north", "--day", "2026-12-13", "--json")
    (told,) = map(json.loads, stays.stdout.splitlines())
    assert told["credential"] == CREDENTIAL.hex()
    drop(cassandra.port, keyspace)


def test_a_cluster_that_is_not_there_is_named(config: Path) -> None:
    """With its address, in one line."""
    done = history("events", configured(config, 1, "k"), "--lot", "north")
    assert done.returncode != 0
    assert done.stderr.startswith("liftgate: Cassandra at 127.0.0.1 port 1: ")
    assert len(done.stderr.splitlines()) == 1
