"""`liftgate ticket`: issue tickets, say what is in one, revoke one, and look after their keys."""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import segno

from liftgate.codecs.credentials import ticket
from liftgate.codecs.credentials.errors import CredentialError
from liftgate.codecs.credentials.ticket import CTI_BYTES, Sealed, Ticket
from liftgate.commands import desk, ticket_keys
from liftgate.commands.actions import Actions
from liftgate.commands.common import (
    FAILED,
    FINE,
    USAGE,
    NoEngine,
    Trouble,
    address_options,
    duration_ms,
    say_example,
)
from liftgate.configs.loader import load
from liftgate.configs.schema import SPOT_CLASSES, Config
from liftgate.gateways.keyring import Keyring

ERROR_CORRECTION = "m"
"""15 % of a code may be dirt or a fold; a step more costs a fifth more modules, and lanes have phones."""

QUIET_ZONE = 4
"""Modules around a code, as ISO/IEC 18004 asks for."""

EXAMPLE_TOKEN = "LG1:6BF"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Tickets that nobody can make up: signed (a reader without a network can check them) or MACed\n"
        "(a smaller code). docs/credentials.md goes through it step by step.",
        "liftgate ticket keys --config configs/demo.toml --lot north --make 2026a.key",
        "liftgate ticket issue --config configs/demo.toml --lot north --key 2026a.key --valid 24h",
        "liftgate ticket show --config configs/demo.toml LG1:6BF",
    )
    actions = Actions(parser, "ticket")
    _issue_options(actions)
    said = "Say what is in a ticket, and whether it is good now."
    show = actions.add("show", _show, said, f" {EXAMPLE_TOKEN}")
    show.add_argument("token", metavar="TOKEN", help="as scanned, LG1:…; - reads it from the standard input")
    _engine_options(show)
    revoke = actions.add(
        "revoke",
        _revoke,
        "Keep a ticket out: its cti goes on the lot's deny list. Who is inside may leave.",
        " --lot north --cti 00112233aabbccdd --reason 'paid back'",
    )
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("token", nargs="?", metavar="TOKEN", help="as scanned, LG1:…")
    which.add_argument("--cti", metavar="HEX", help="its identity, 16 hex digits, as `issue` said")
    revoke.add_argument("--lot", metavar="ID", help="which lot (default: the ticket's, or the only one)")
    revoke.add_argument("--reason", default="", metavar="TEXT", help="for whoever asks why later")
    _engine_options(revoke)
    keys = actions.add(
        "keys",
        ticket_keys.run,
        "List the keys of a lot, or make one, or retire one. On a running engine it holds at once.",
        " --lot north",
    )
    ticket_keys.options(keys)
    _engine_options(keys)


def _engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="service", metavar="ID", help="which configured service to be")
    address_options(parser)


def _issue_options(actions: Actions) -> None:
    parser = actions.add(
        "issue",
        _issue,
        "Print a ticket as a QR code. It needs the key and no engine.",
        " --lot north --key 2026a.key --valid 24h",
    )
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    parser.add_argument(
        "--key", required=True, type=Path, metavar="FILE", help="made by `ticket keys --make`"
    )
    parser.add_argument("--kid", metavar="KID", help="the key's name (default: the file's, without its end)")
    parser.add_argument("--mac", action="store_true", help="it is a key for MACs: see `ticket keys --mac`")
    parser.add_argument(
        "--valid", type=duration_ms, default=duration_ms("24h"), metavar="TIME", help="for so long (24h)"
    )
    parser.add_argument("--begins", metavar="TIME", help="not before, as 2026-12-31T08:00:00Z (default: now)")
    parser.add_argument("--class", dest="spot_class", choices=SPOT_CLASSES, help="of its spot")
    parser.add_argument("--single-use", action="store_true", help="good for one entry")
    parser.add_argument("--issuer", metavar="TEXT", help="who issued it, for who reads it")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the code there")
    parser.add_argument("--png", type=Path, metavar="FILE", help="and there")
    parser.add_argument("--no-code", action="store_true", help="print no code, only what it says")


def _issue(args: argparse.Namespace) -> int:
    """Raises ConfigErrors, Trouble."""
    lot = desk.lot_of(load(args.config), args.lot)
    begins_s = int(time.time()) if args.begins is None else ticket_keys.moment_s(args.begins)
    made = Ticket(
        cti=secrets.token_bytes(CTI_BYTES),
        lot=lot,
        not_before_s=begins_s,
        expires_s=begins_s + args.valid // 1000,
        spot_class=args.spot_class,
        single_use=args.single_use,
        issuer=args.issuer,
    )
    secret, kid = ticket_keys.read_secret(args.key), args.kid or args.key.stem
    try:
        token = ticket.issue(made, kid, "hmac" if args.mac else "ed25519", secret).decode()
    except CredentialError as error:
        raise Trouble(str(error), USAGE) from error
    code = segno.make(token, error=ERROR_CORRECTION, boost_error=False, micro=False)
    for path in (args.svg, args.png):
        if path is not None:
            code.save(str(path), scale=8, border=QUIET_ZONE)
    if not args.no_code:
        code.terminal(out=sys.stdout, border=QUIET_ZONE, compact=True)
    side = code.symbol_size(border=0)[0]
    print(f"token     {token}")
    print(
        f"code      version {code.designator}, {side} x {side} modules, {code.mode}, {len(token)} characters"
    )
    _say(made, kid)
    return FINE


def _say(made: Ticket, kid: str) -> None:
    kind = "one entry" if made.single_use else "any number of entries"
    lines = {
        "cti": made.cti.hex(),
        "lot": made.lot,
        "good": f"{_utc(made.not_before_s)} to {_utc(made.expires_s)} UTC, {kind}",
        "class": made.spot_class or "",
        "issuer": made.issuer or "",
        "key": kid,
    }
    for name, text in lines.items():
        if text:
            print(f"{name:9} {text}")


def _utc(at_s: int) -> str:
    """A time for people, as far as the calendar goes."""
    return datetime.fromtimestamp(min(at_s, 253_402_300_799), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _read(token: str) -> Sealed:
    """The ticket in a token. Raises Trouble."""
    text = sys.stdin.readline().rstrip("\n") if token == "-" else token
    try:
        return ticket.read(text.encode())
    except CredentialError as error:
        raise Trouble(f"this is no ticket: {error}") from error


def _show(args: argparse.Namespace) -> int:
    """Raises ConfigErrors, Trouble, SignOnFailed, ConnectionLost."""
    config = load(args.config)
    sealed = _read(args.token)
    made = sealed.ticket
    _say(made, f"{sealed.kid}, {'a MAC' if sealed.mac else 'signed'}")
    wrong = _objections(args, config, sealed)
    print(f"now       {'good' if not wrong else 'not good: ' + '; '.join(wrong)}")
    return FAILED if wrong else FINE


def _objections(args: argparse.Namespace, config: Config, sealed: Sealed) -> list[str]:
    """Everything that keeps the ticket out now."""
    made = sealed.ticket
    lots = {lot.id: lot for lot in config.lots}
    if made.lot not in lots:
        return [f"no lot {made.lot} in this configuration"]
    lot, now_s = lots[made.lot], int(time.time())
    try:
        keys = ticket_keys.ask(args, config, made.lot, "ticket_keys", {})
        rules = {"keys": keys["keys"]} if keys["on"] else None
        known = ticket_keys.ask(args, config, made.lot, "ticket", {"cti": made.cti})
    except NoEngine:
        print("engine    none runs: judged by the file alone")
        rules, known = lot.rules.get("tickets"), {}
    wrong = [_by_key(Keyring({lot.id: lot.secrets}), lot.id, rules, sealed, now_s)]
    wrong.append("" if now_s >= made.not_before_s else "not yet valid")
    wrong.append("" if now_s < made.expires_s else "expired")
    wrong.append("used before" if made.single_use and known.get("used") else "")
    wrong.append(f"on the deny list: {known['denied']}" if known.get("denied") is not None else "")
    wrong.append("its car is inside" if known.get("inside") else "")
    return [each for each in wrong if each]


def _by_key(keyring: Keyring, lot: str, rules: object, sealed: Sealed, now_s: int) -> str:
    if rules is None:
        return f"lot {lot} has no rules of tickets"
    key = keyring.made(lot, rules).tickets.get(sealed.kid)
    if key is None:
        return f"key {sealed.kid} is not known in lot {lot}"
    if not key.holds(now_s):
        return f"key {sealed.kid} does not vouch at this time"
    return "" if ticket.is_genuine(sealed, key) else f"not genuine: key {sealed.kid} did not seal it"


def _revoke(args: argparse.Namespace) -> int:
    """Raises ConfigErrors, Trouble, NoEngine, SignOnFailed, ConnectionLost."""
    config = load(args.config)
    if args.cti is None:
        made = _read(args.token).ticket
        cti, lot = made.cti, args.lot or made.lot
    else:
        cti, lot = ticket_keys.read_cti(args.cti), args.lot
    lot = desk.lot_of(config, lot)
    order = {"kind": 1, "token": cti, "actor": getpass.getuser(), "reason": args.reason}
    outcome = ticket_keys.give(args, config, lot, "deny_credential", order)
    inside = ", and its car is inside: it may leave" if outcome.body.get("inside") else ""
    print(f"revoked   {cti.hex()} in lot {lot}{inside}")
    return FINE
