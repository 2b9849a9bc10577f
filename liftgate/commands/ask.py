"""`liftgate ask`: what a running engine knows, from its memory."""

from __future__ import annotations

import argparse
import sys

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.codecs.events.plain import plain
from liftgate.commands import desk, fields
from liftgate.commands.common import (
    FAILED,
    FINE,
    USAGE,
    Trouble,
    dialer,
    pick_service,
    run_trio,
    say_example,
)
from liftgate.configs.loader import load
from liftgate.gateways.queries import GATEWAY_QUERIES
from liftgate.gateways.queries import QUERIES as OF_LOTS

QUERIES = OF_LOTS | GATEWAY_QUERIES
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
    desk.options(parser, "query", "what it answers")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Ask. Raises ConfigErrors, Trouble, NoEngine, SignOnFailed, ConnectionLost."""
    if args.explain:
        print("\n".join(fields.described(args.explain, desk.shape_of(args.explain, QUERIES, "query"))))
        return FINE
    if args.list or args.query is None:
        print(desk.summaries(WORDS))
        return FINE
    if args.config is None:
        raise Trouble("--config says which engine", USAGE)
    given = fields.read_fields(args.values, desk.shape_of(args.query, QUERIES, "query"))
    config = load(args.config)
    lot = desk.lot_of(config, args.lot)
    service = pick_service(config, args.service, "query", lot=lot)
    query = m.Query(lot, args.query, given)
    identity = Identity(m.SERVICE, service.id, service.key)
    answer = run_trio(desk.reply, dialer(args, config), identity, query)
    assert isinstance(answer, m.Answer)
    if not answer.ok:
        raise Trouble(f"{answer.code} {plain(answer.body) or ''}".strip(), FAILED)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain(answer.body))).decode() + "\n")
    return FINE
