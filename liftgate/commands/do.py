"""`liftgate do`: an operator's order to a running engine."""

from __future__ import annotations

import argparse
import getpass
import secrets

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
from liftgate.engine.core.orders import ORDERS
from liftgate.sim.city.client import ConnectionLost, Dial


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
    desk.options(parser, "order", "what it does")
    parser.add_argument("--id", metavar="HEX", help="16 bytes: repeat an order whose answer was lost")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it. Raises ConfigErrors, Trouble, NoEngine, SignOnFailed, ConnectionLost."""
    if args.explain:
        print("\n".join(fields.described(args.explain, desk.shape_of(args.explain, ORDERS, "order"))))
        return FINE
    if args.list or args.order is None:
        print(desk.summaries({name: shape.__doc__ for name, (shape, _) in ORDERS.items()}))
        return FINE
    if args.config is None:
        raise Trouble("--config says which engine", USAGE)
    shape = desk.shape_of(args.order, ORDERS, "order")
    given = fields.read_fields(args.values, shape)
    if "actor" in shape.__struct_fields__:
        given.setdefault("actor", getpass.getuser())
    config = load(args.config)
    lot = desk.lot_of(config, args.lot)
    service = pick_service(config, args.service, args.order, lot=lot)
    command = m.CommandMessage(_id(args.id), lot, args.order, given)
    identity = Identity(m.SERVICE, service.id, service.key)
    return _print(_give(dialer(args, config), identity, command))


def _id(text: str | None) -> bytes:
    if text is None:
        return secrets.token_bytes(16)
    id = fields.read_hex("--id", text)
    if len(id) != 16:
        raise Trouble("--id is 16 bytes, 32 hex digits", USAGE)
    return id


def _give(dial: Dial, identity: Identity, command: m.CommandMessage) -> m.Outcome:
    try:
        outcome = run_trio(desk.reply, dial, identity, command)
    except ConnectionLost as lost:
        again = f"whether it was done is not known; the same with --id {command.id.hex()} asks again"
        raise Trouble(f"{lost}: {again}") from lost
    assert isinstance(outcome, m.Outcome)
    return outcome


def _print(outcome: m.Outcome) -> int:
    for name, value in outcome.body.items():
        print(f"{name:12} {plain(value)}")
    if not outcome.ok:
        print(f"refused      {outcome.code}")
        return FAILED
    print(f"done         journal position {outcome.position}")
    return FINE
