"""What `liftgate do` and `ask` share: naming an order or a query with its args, a lot, and one reply."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.commands.common import USAGE, Result, Trouble, address_options, config_option
from liftgate.configs.problems import suggestion
from liftgate.configs.schema import Config
from liftgate.sim.city.client import Client, Dial, connect

Known = dict[str, tuple[type[Any], Any]]
"""Orders or queries: by name, the shape of their args and what carries them out."""


def options(parser: argparse.ArgumentParser, noun: str, summary: str) -> None:
    """--list, --explain, which engine and lot, then the name and its args. noun: order or query."""
    parser.add_argument("--list", action="store_true", help=f"every {noun} with {summary}")
    parser.add_argument("--explain", metavar=noun.upper(), help="what one takes")
    config_option(parser, required=False)
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    parser.add_argument("--as", dest="service", metavar="ID", help="which configured service to be")
    address_options(parser)
    parser.add_argument(noun, nargs="?", metavar=noun.upper())
    parser.add_argument("values", nargs="*", metavar="name=value")


def shape_of(name: str, known: Known, noun: str) -> type[Any]:
    """The args of an order or a query. Raises Trouble."""
    if name not in known:
        hint = suggestion(name, known) or "; --list has them all"
        raise Trouble(f"there is no {noun} {name}{hint}", USAGE)
    return known[name][0]


def summaries(docs: dict[str, str | None]) -> str:
    """A line for each order or query: its name and what it does."""
    width = max(map(len, docs))
    return "\n".join(f"{name:{width}}  {(doc or '').splitlines()[0]}" for name, doc in docs.items())


def lot_of(config: Config, wanted: str | None) -> str:
    """The lot of that name, or the only one. Raises Trouble."""
    ids = [lot.id for lot in config.lots]
    if wanted is None and len(ids) == 1:
        return ids[0]
    if wanted not in ids:
        raise Trouble(f"say which lot: --lot {' | '.join(ids)}", USAGE)
    return str(wanted)


async def reply(dial: Dial, identity: Identity, message: m.Message) -> m.Message:
    """Sign on, ask once, say goodbye. Raises NoEngine, SignOnFailed, ConnectionLost, RequestRefused."""
    return await talk(dial, identity, lambda client: client.ask(message))


async def talk(dial: Dial, identity: Identity, work: Callable[[Client], Awaitable[Result]]) -> Result:
    """Sign on, do the work on that connection, say goodbye. Raises what `reply` does, and what work does."""
    async with trio.open_nursery() as nursery:
        client = await connect(nursery, dial, identity)
        try:
            result = await work(client)
        finally:
            await client.aclose()
            nursery.cancel_scope.cancel()
    return result
