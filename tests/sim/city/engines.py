"""A real engine for tests of the city, and ways to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.configs.loader import load
from liftgate.configs.schema import ReaderConfig
from liftgate.sim.city.client import Client, Dial, connect
from tests.cli.commands import ready_file


def dial_to(config: Path) -> Dial:
    """Opens a stream to wherever the engine of this configuration listens by then."""

    async def dial() -> trio.abc.Stream:
        said = json.loads(ready_file(config).read_text())
        return await trio.open_tcp_stream(said["host"], said["port"])

    return dial


def reader_config(config: Path, id: str) -> ReaderConfig:
    """The configured reader of that name."""
    return next(reader for reader in load(config).readers if reader.id == id)


def console(config: Path) -> Identity:
    """The service that may do everything."""
    service = next(service for service in load(config).services if service.id == "console")
    return Identity(m.SERVICE, service.id, service.key)


@asynccontextmanager
async def asking(config: Path) -> AsyncIterator[Client]:
    """A signed-on console."""
    async with trio.open_nursery() as nursery:
        client = await connect(nursery, dial_to(config), console(config))
        try:
            yield client
        finally:
            await client.aclose()


async def counts(config: Path, lot: str = "north") -> dict[str, Any]:
    """A lot's occupancy by the engine."""
    async with asking(config) as client:
        answer = await client.ask(m.Query(lot, "occupancy", {}))
    assert isinstance(answer, m.Answer)
    return answer.body
