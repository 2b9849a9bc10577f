from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from liftgate.bench.build import SOURCES
from liftgate.bench.resp import Client, RedisError, settings
from liftgate.bench.servers import bench_folder, redis_server

SCRIPT = (SOURCES / "allocate.lua").read_bytes()
SHA = hashlib.sha1(SCRIPT).hexdigest()


@pytest.fixture
def client() -> Iterator[Client]:
    """A real Redis with three spots."""
    with bench_folder() as folder, redis_server(folder, 3) as server, Client(server.port) as client:
        yield client


def scan(client: Client, card: bytes, no: int) -> int:
    at_ms = 1_795_348_800_000 + no
    keys = ("free", "inside", "events")
    return int(client.call("EVALSHA", SHA, 3, *keys, card, at_ms, "bench-00000", no))


def test_script_allocates_as_the_engine_does(client: Client) -> None:
    """An entry takes the lowest free spot, an exit frees it, a full lot says 0; each is an event."""
    assert [scan(client, card, no) for no, card in enumerate([b"a", b"b", b"c"], 1)] == [1, 2, 3]
    assert scan(client, b"d", 4) == 0
    assert scan(client, b"b", 5) == 2
    assert scan(client, b"a", 6) == 1
    assert scan(client, b"d", 7) == 1
    assert client.call("ZCARD", "free") == b"1"
    assert client.call("HGET", "inside", "d") == b"1795348800007" + b"1"
    assert client.call("XLEN", "events") == b"6"


def test_every_write_is_synced(client: Client) -> None:
    """Redis runs as durable as the engine: append-only, synced at each write, no snapshots."""
    options = settings(Path("folder"), 1)
    asked = dict(zip(options[::2], options[1::2], strict=True))
    assert (asked["--appendonly"], asked["--appendfsync"], asked["--save"]) == ("yes", "always", "")
    assert b"aof_enabled:1" in client.call("INFO", "persistence")


def test_refused_command_raises(client: Client) -> None:
    """An error reply is an exception with Redis' own words."""
    with pytest.raises(RedisError, match="ZADD: -ERR"):
        client.call("ZADD", "free")
