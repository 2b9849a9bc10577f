"""`liftgate ask`: what a running engine knows, from its memory."""

from __future__ import annotations

import argparse
import sys

import msgspec
import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.commands import fields
from liftgate.commands.common import (
    FAILED,
    FINE,
    USAGE,
    Trouble,
    address_options,
    config_option,
    dialer,
    pick_service,
    run_trio,
    say_example,
)
from liftgate.commands.do import lot_of, shape_of, summaries
from liftgate.commands.records import plain
from liftgate.configs.loader import load
from liftgate.gateways.queries import QUERIES
from liftgate.sim.city.client import Dial, connect

WORDS = {name: answer.__doc__ or shape.__doc__ for name, (shape, answer) in QUERIES.items()}
"""What each query answers: said where it is answered, or with what it asks for."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Ask the engine about a lot; the answer is JSON, bytes in hex. Nothing is journalled.\n"
        "Without a query: the list of them. With --explain: what one takes.",
        "liftgate ask --list",
        "liftgate ask --config configs/demo.toml occupancy",
        "liftgate ask --config configs/demo.toml rules",
    )
    parser.add_argument("--list", action="store_true", help="every query with what it answers")
    parser.add_argument("--explain", metavar="QUERY", help="what a query takes")
    config_option(parser, required=False)
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    parser.add_argument("--as", dest="service", metavar="ID", help="which configured service to be")
    address_options(parser)
    parser.add_argument("query", nargs="?", metavar="QUERY")
    parser.add_argument("values", nargs="*", metavar="name=value")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask. Raises ConfigErrors, Trouble, NoEngine, SignOnFailed, ConnectionLost."""
    if args.explain:
        print("\n".join(fields.described(args.explain, shape_of(args.explain, QUERIES, "query"))))
        return FINE
    if args.list or args.query is None:
        print("\n".join(summaries(WORDS)))
        return FINE
    if args.config is None:
        raise Trouble("--config says which engine", USAGE)
    given = fields.read_fields(args.values, shape_of(args.query, QUERIES, "query"))
    config = load(args.config)
    lot = lot_of(config, args.lot)
    service = pick_service(config, args.service, "query", lot=lot)
    query = m.Query(lot, args.query, given)
    return run_trio(_ask, dialer(args, config), Identity(m.SERVICE, service.id, service.key), query)


async def _ask(dial: Dial, identity: Identity, query: m.Query) -> int:
    async with trio.open_nursery() as nursery:
        client = await connect(nursery, dial, identity)
        try:
            answer = await client.ask(query)
        finally:
            await client.aclose()
            nursery.cancel_scope.cancel()
    assert isinstance(answer, m.Answer)
    if not answer.ok:
        raise Trouble(f"{answer.code} {plain(answer.body) or ''}".strip(), FAILED)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain(answer.body))).decode() + "\n")
    return FINE
