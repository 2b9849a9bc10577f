"""`liftgate do`: an operator's order to a running engine."""

from __future__ import annotations

import argparse
import getpass
import secrets
from typing import Any

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
from liftgate.commands.records import plain
from liftgate.configs.loader import load
from liftgate.configs.problems import suggestion
from liftgate.configs.schema import Config
from liftgate.engine.core.orders import ORDERS
from liftgate.sim.city.client import ConnectionLost, Dial, connect


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Give the engine an order; it is done once, journalled with who asked for it, and answered when\n"
        "it is durable. Values are text, numbers or JSON, bytes in hex; card=, plate= and qr= a credential.\n"
        "Without an order: the list of them. With --explain: what one takes. Exit code: 0 done, 1 refused.",
        "liftgate do --list",
        "liftgate do --explain correct_count",
        "liftgate do --config configs/demo.toml correct_count area=north to=12 reason='counted by hand'",
        "liftgate do --config configs/demo.toml deny_credential card=04DE5F1EACC040 reason=stolen",
    )
    parser.add_argument("--list", action="store_true", help="every order with what it does")
    parser.add_argument("--explain", metavar="ORDER", help="what an order takes")
    config_option(parser, required=False)
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    parser.add_argument("--id", metavar="HEX", help="16 bytes: repeat an order whose answer was lost")
    parser.add_argument("--as", dest="service", metavar="ID", help="which configured service to be")
    address_options(parser)
    parser.add_argument("order", nargs="?", metavar="ORDER")
    parser.add_argument("values", nargs="*", metavar="name=value")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it. Raises ConfigErrors, Trouble, NoEngine, SignOnFailed, ConnectionLost."""
    if args.explain:
        print("\n".join(fields.described(args.explain, shape_of(args.explain, ORDERS, "order"))))
        return FINE
    if args.list or args.order is None:
        print("\n".join(summaries({name: shape.__doc__ for name, (shape, _) in ORDERS.items()})))
        return FINE
    if args.config is None:
        raise Trouble("--config says which engine", USAGE)
    shape = shape_of(args.order, ORDERS, "order")
    given = fields.read_fields(args.values, shape)
    if "actor" in shape.__struct_fields__:
        given.setdefault("actor", getpass.getuser())
    config = load(args.config)
    lot = lot_of(config, args.lot)
    service = pick_service(config, args.service, args.order, lot=lot)
    command = m.CommandMessage(_id(args.id), lot, args.order, given)
    identity = Identity(m.SERVICE, service.id, service.key)
    return run_trio(_order, dialer(args, config), identity, command)


def shape_of(name: str, known: dict[str, tuple[type[Any], Any]], what: str) -> type[Any]:
    """The args of an order or a query. Raises Trouble."""
    if name not in known:
        hint = suggestion(name, known) or f"; liftgate {'do' if what == 'order' else 'ask'} --list has them"
        raise Trouble(f"there is no {what} {name}{hint}", USAGE)
    return known[name][0]


def summaries(docs: dict[str, str | None]) -> list[str]:
    """A line for each order or query: its name and what it does."""
    width = max(map(len, docs))
    return [f"{name:{width}}  {(doc or '').splitlines()[0]}" for name, doc in docs.items()]


def lot_of(config: Config, wanted: str | None) -> str:
    """The lot of that name, or the only one. Raises Trouble."""
    ids = [lot.id for lot in config.lots]
    if wanted is None and len(ids) == 1:
        return ids[0]
    if wanted not in ids:
        raise Trouble(f"say which lot: --lot {' | '.join(ids)}", USAGE)
    return str(wanted)


def _id(text: str | None) -> bytes:
    if text is None:
        return secrets.token_bytes(16)
    id = fields.read_hex("--id", text)
    if len(id) != 16:
        raise Trouble("--id is 16 bytes, 32 hex digits", USAGE)
    return id


async def _order(dial: Dial, identity: Identity, command: m.CommandMessage) -> int:
    async with trio.open_nursery() as nursery:
        client = await connect(nursery, dial, identity)
        try:
            outcome = await client.ask(command)
        except ConnectionLost as lost:
            again = f"whether it was done is not known; the same with --id {command.id.hex()} asks again"
            raise Trouble(f"{lost}: {again}") from lost
        finally:
            await client.aclose()
            nursery.cancel_scope.cancel()
    assert isinstance(outcome, m.Outcome)
    for name, value in outcome.body.items():
        print(f"{name:12} {plain(value)}")
    if not outcome.ok:
        print(f"refused      {outcome.code}")
        return FAILED
    print(f"done         journal position {outcome.position}")
    return FINE
