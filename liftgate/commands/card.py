"""`liftgate card`: who is known in a lot, with groups and validity, one by one or as a CSV file."""

from __future__ import annotations

import argparse
import csv
import getpass
import secrets
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.commands import card_rows as rows
from liftgate.commands import desk, words
from liftgate.commands.actions import Actions
from liftgate.commands.card_rows import Card, Orders
from liftgate.commands.common import (
    FAILED,
    FINE,
    USAGE,
    Trouble,
    address_options,
    dialer,
    pick_service,
    run_trio,
    say_example,
)
from liftgate.commands.records import lots_of
from liftgate.configs.loader import load
from liftgate.configs.schema import Config
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.local_time import zone_of
from liftgate.sim.city.client import Client

REFUSED_SHOWN, REFUSED_CHARACTERS = 20, 160

AT_ONCE = 16
"""Orders under way, which share syncs; fewer where the engine's `in_flight_max` is lower."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Cards that a lot knows: registered ones, holders of passes, members of groups. What is listed is\n"
        "read from the journal, so it costs a running engine nothing; what is changed are orders to it.\n"
        "Exit code: 0 done, 1 something was refused, 2 wrong usage.",
        "liftgate card list --config configs/demo.toml --lot north",
        "liftgate card import --config configs/demo.toml --lot north cards.csv --dry-run",
    )
    actions = Actions(parser, "card")
    listed = actions.add(
        "list", _list, "Every card with its classes, group, validity and passes.", " --lot north"
    )
    listed.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    how = listed.add_mutually_exclusive_group()
    how.add_argument("--csv", action="store_true", help="as import takes it; what it cannot say is left out")
    how.add_argument("--json", action="store_true", help="a JSON object a line")
    taken = actions.add(
        "import",
        _import,
        "Make a lot's cards as a CSV file says. Its first line names its columns, token and any of kind,\n"
        "classes, group, valid_from, valid_until; a column that is not there changes nothing, nor do cards\n"
        "that are not. Only what differs is ordered, so the same file again is harmless.",
        " --lot north cards.csv",
    )
    _to_engine(taken)
    taken.add_argument("--dry-run", action="store_true", help="say what would be ordered, and do nothing")
    taken.add_argument("file", type=Path, metavar="FILE")
    add = actions.add(
        "add", _add, "Make one card known.", " --lot north --card 04DE5F1EACC040 --valid-until 2027-12-31"
    )
    _to_engine(add)
    words.credential_options(add, required=True)
    add.add_argument("--classes", default="", metavar="WORDS", help="of spots, in order: 'permit standard'")
    add.add_argument("--group", metavar="NAME", help="whose member it is; made where there is none")
    add.add_argument(
        "--valid-from", default="", metavar="DATE", help="first day of the lot on which it is good"
    )
    add.add_argument("--valid-until", default="", metavar="DATE", help="and the last")
    remove = actions.add(
        "remove",
        _remove,
        "Take a card's registration, validity and group away.",
        " --lot north --card 04DE5F1E",
    )
    _to_engine(remove)
    words.credential_options(remove, required=True)


def _to_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    parser.add_argument("--as", dest="service", metavar="ID", help="which configured service to be")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for whoever reads the journal")
    address_options(parser)


def _opened(args: argparse.Namespace) -> tuple[Config, Lot, ZoneInfo]:
    """The lot as its journal has it. Raises ConfigErrors, Trouble."""
    config = load(args.config)
    wanted = desk.lot_of(config, args.lot)
    lot = next((lot for lot in lots_of(config) if lot.id == wanted), None)
    if lot is None:
        raise Trouble(f"no engine ever ran lot {wanted} of {args.config}")
    return config, lot, zone_of(lot.timezone)


def _list(args: argparse.Namespace) -> int:
    _, lot, zone = _opened(args)
    cards = list(rows.cards_of(lot).values())
    if args.csv:
        return _csv(cards, zone)
    for card in cards:
        named = dict(zip(rows.COLUMNS, rows.columns(card, zone), strict=True))
        if args.json:
            more = {"passes": card.others, "denied": card.denied}
            print(msgspec.json.encode({**named, **more}).decode())
        else:
            print(_line(card, named))
    if not cards and not args.json:
        print("no card is known")
    return FINE


def _line(card: Card, named: dict[str, str]) -> str:
    until = f"{named['valid_from'] or '...'} to {named['valid_until'] or '...'}" if card.limited else ""
    said = {
        "classes": named["classes"],
        "group": card.group,
        "valid": until,
        "passes": ", ".join(card.others),
    }
    facts = [f"{name} {value}" for name, value in said.items() if value]
    return "  ".join(
        [f"{named['kind']:5} {named['token']:16}", *facts, *(["on the deny list"] if card.denied else [])]
    )


def _csv(cards: list[Card], zone: ZoneInfo) -> int:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(rows.COLUMNS)
    plain = [card for card in cards if rows.is_plain(card)]
    out.writerows(rows.columns(card, zone) for card in plain)
    if len(plain) < len(cards):
        left = len(cards) - len(plain)
        print(
            f"left out: {left} that hold passes which no column can say; list --json has them",
            file=sys.stderr,
        )
    return FINE


def _import(args: argparse.Namespace) -> int:
    config, lot, zone = _opened(args)
    try:
        with args.file.open(newline="", encoding="utf-8-sig") as file:
            wanted, columns = rows.read(file, zone)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Trouble(f"cannot read {args.file}: {error}", USAGE) from error
    known = rows.cards_of(lot)
    orders = rows.orders_for([rows.kept(card, columns, known) for card in wanted.values()], known, lot.known)
    if args.dry_run:
        for name, order in orders:
            print(msgspec.json.encode({"order": name, **_shown(order)}).decode())
        print(f"{len(wanted)} cards, {len(orders)} orders: nothing was done")
        return FINE
    print(f"{len(wanted)} cards", end=": ")
    return _give(args, config, orders)


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shown(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return value.hex().upper() if isinstance(value, bytes) else value


def _add(args: argparse.Namespace) -> int:
    config, lot, zone = _opened(args)
    kind, token = words.credential(args) or (0, b"")
    row = {"kind": "card", "token": "00", "classes": args.classes, "group": args.group or ""}
    try:
        card = rows.parsed({**row, "valid_from": args.valid_from, "valid_until": args.valid_until}, zone)
    except ValueError as error:
        raise Trouble(str(error), USAGE) from error
    columns = {"classes", "valid_from", "valid_until", *(["group"] if args.group is not None else [])}
    known = rows.cards_of(lot)
    card = rows.kept(card._replace(credential=bytes((kind,)) + token), columns, known)
    return _give(args, config, rows.orders_for([card], known, lot.known))


def _remove(args: argparse.Namespace) -> int:
    config, lot, _ = _opened(args)
    kind, token = words.credential(args) or (0, b"")
    card = rows.cards_of(lot).get(bytes((kind,)) + token)
    if card is None:
        raise Trouble("no such card is known")
    code = _give(args, config, rows.removals(card, card.credential in lot.known))
    if card.others:
        print(f"it still holds {', '.join(card.others)}: liftgate do revoke_pass")
    return code


def _give(args: argparse.Namespace, config: Config, orders: Orders) -> int:
    """Give the orders one after the other, and say how many were done."""
    if not orders:
        print("all is so already")
        return FINE
    lot = desk.lot_of(config, args.lot)
    service = pick_service(config, args.service, *dict.fromkeys(name for name, _ in orders), lot=lot)
    said = {"actor": getpass.getuser(), **({"reason": args.reason} if args.reason else {})}

    async def work(client: Client) -> list[str]:
        refused: list[str] = []
        room = trio.Semaphore(min(AT_ONCE, client.welcome.in_flight_max))

        async def give(name: str, order: dict[str, Any]) -> None:
            more = said if name != "register_credential" else {"actor": said["actor"]}
            async with room:
                outcome = await client.ask(m.CommandMessage(secrets.token_bytes(16), lot, name, order | more))
            assert isinstance(outcome, m.Outcome)
            if not outcome.ok:
                what = f"{name} {_shown(order)}"[:REFUSED_CHARACTERS]
                refused.append(f"{what}: {outcome.code} {outcome.body.get('text', '')}".rstrip())

        async with trio.open_nursery() as nursery:
            for name, order in orders:
                if name != "set_group":
                    nursery.start_soon(give, name, order)
        for name, order in orders:
            if name == "set_group":  # in turn: who changes groups leaves one before joining the other
                await give(name, order)
        return refused

    identity = Identity(m.SERVICE, service.id, service.key)
    refused = run_trio(desk.talk, dialer(args, config), identity, work)
    print(f"{len(orders) - len(refused)} orders done")
    for text in refused[:REFUSED_SHOWN]:
        print(f"refused      {text}")
    if len(refused) > REFUSED_SHOWN:
        print(f"             and {len(refused) - REFUSED_SHOWN} more")
    return FAILED if refused else FINE
