"""Keys of tickets: made, listed, retired; and what the actions of `liftgate ticket` ask an engine."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.codecs.credentials.ticket import CTI_BYTES
from liftgate.commands import desk
from liftgate.commands.common import FINE, USAGE, NoEngine, Trouble, dialer, pick_service, run_trio
from liftgate.commands.fields import read_hex
from liftgate.configs.loader import load
from liftgate.configs.schema import Config
from liftgate.configs.secrets import file_bytes

KEY_BYTES = 32


def options(parser: argparse.ArgumentParser) -> None:
    """What `ticket keys` takes."""
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--make", type=Path, metavar="FILE", help="make a key, its secret in this new file")
    what.add_argument("--retire", metavar="KID", help="let a key vouch no more")
    parser.add_argument("--kid", metavar="KID", help="the key's name (default: the file's, without its end)")
    parser.add_argument(
        "--mac", action="store_true", help="make one for MACs: smaller codes, a shared secret"
    )
    parser.add_argument("--at", metavar="TIME", help="retire it then, as 2026-12-31T23:59:59Z (default: now)")


def run(args: argparse.Namespace) -> int:
    """Raises ConfigErrors, Trouble, NoEngine, SignOnFailed, ConnectionLost."""
    config = load(args.config)
    lot = desk.lot_of(config, args.lot)
    if args.make is not None:
        return _make(args, config, lot)
    if args.retire is not None:
        return _retire(args, config, lot)
    return _list(args, config, lot)


def _make(args: argparse.Namespace, config: Config, lot: str) -> int:
    """The secret stays here; the engine gets what it needs to check, at once or by the file."""
    kid, secret = args.kid or args.make.stem, secrets.token_bytes(KEY_BYTES)
    key = {"kid": kid} | ({"alg": "hmac"} if args.mac else {"public": _public(secret)})
    _write(args.make, secret)
    print(f"secret    {args.make}: keep it where tickets are issued, and nowhere else")
    print("file      what [lot.rules.tickets] has to say from the next start on:")
    print(_toml(key, args.make))
    if args.mac:
        print("engine    it needs the secret, so it takes the key when it starts with this file")
        return FINE
    try:
        give(args, config, lot, "add_ticket_key", {**key, "actor": getpass.getuser()})
    except NoEngine:
        print("engine    none runs: it takes the key when it starts with this file")
    else:
        print(f"engine    key {kid} vouches for tickets of lot {lot} from now on, also after a restart")
    return FINE


def _public(secret: bytes) -> str:
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw().hex()


def _write(path: Path, secret: bytes) -> None:
    """A new file that only its owner reads. Raises Trouble for one that is there: it may be in use."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Trouble(f"cannot make {path}: {error.strerror}") from error
    with os.fdopen(handle, "w") as file:
        file.write(secret.hex() + "\n")


def _toml(key: dict[str, str], path: Path) -> str:
    lines = ["[[lot.rules.tickets.keys]]", *(f'{name} = "{value}"' for name, value in key.items())]
    if "alg" in key:
        lines += ["[[lot.secret]]", f'name = "{key["kid"]}"', f'key_file = "{path.absolute()}"']
    return "\n".join(f"    {line}" for line in lines)


def _retire(args: argparse.Namespace, config: Config, lot: str) -> int:
    order = {"kid": args.retire, "actor": getpass.getuser()}
    if args.at is not None:
        moment_s(args.at)
        order["not_after"] = args.at
    give(args, config, lot, "retire_ticket_key", order)
    print(f"retired   key {args.retire} of lot {lot}{'' if args.at is None else ' from ' + args.at + ' on'}")
    return FINE


def _list(args: argparse.Namespace, config: Config, lot: str) -> int:
    body = ask(args, config, lot, "ticket_keys", {})
    if not body["on"]:
        print(f"lot {lot} has no rules of tickets")
    for key in body["keys"]:
        begins, ends = key.get("not_before"), key.get("not_after")
        times = f"{'from ' + begins if begins else ''} {'until ' + ends if ends else ''}".strip() or "always"
        print(f"{key['kid']:16} {key.get('alg', 'ed25519'):8} {times:24} {key.get('public', '')}".rstrip())
    for kid in (body["tags"] or {}).get("keys", ()):
        print(f"{kid:16} ntag424")
    return FINE


# -- what the actions share


def read_secret(path: Path) -> bytes:
    """The 32 bytes of a key's file. Raises Trouble, which shows nothing of what stands there."""
    try:
        text = file_bytes(path).decode("ascii", "replace").strip()
    except OSError as error:
        raise Trouble(f"cannot read {path}: {error.strerror}", USAGE) from error
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise Trouble(f"{path} is no key: it has one line of {2 * KEY_BYTES} hex digits", USAGE)
    return secret


def read_cti(text: str) -> bytes:
    """Raises Trouble."""
    cti = read_hex("--cti", text)
    if len(cti) != CTI_BYTES:
        raise Trouble(f"--cti has {2 * CTI_BYTES} hex digits", USAGE)
    return cti


def moment_s(text: str) -> int:
    """A time with its zone in Unix s. Raises Trouble."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Trouble(f"{text} is no time: write it as 2026-12-31T08:00:00Z", USAGE) from error
    if moment.tzinfo is None:
        raise Trouble(f"{text} says no time zone: write it as {text}Z", USAGE)
    return int(moment.timestamp())


def ask(
    args: argparse.Namespace, config: Config, lot: str, name: str, what: dict[str, Any]
) -> dict[str, Any]:
    """Ask a running engine. Raises Trouble, NoEngine, SignOnFailed, ConnectionLost."""
    service = pick_service(config, args.service, "query", lot=lot)
    identity = Identity(m.SERVICE, service.id, service.key)
    answer = run_trio(desk.reply, dialer(args, config), identity, m.Query(lot, name, what))
    assert isinstance(answer, m.Answer)
    if not answer.ok:
        raise Trouble(f"{name}: {answer.code} {answer.body.get('text', '')}".strip())
    return answer.body


def give(args: argparse.Namespace, config: Config, lot: str, name: str, what: dict[str, Any]) -> m.Outcome:
    """Give a running engine an order. Raises Trouble where it refuses it, and what `ask` raises."""
    service = pick_service(config, args.service, name, lot=lot)
    identity = Identity(m.SERVICE, service.id, service.key)
    command = m.CommandMessage(secrets.token_bytes(16), lot, name, what)
    outcome = run_trio(desk.reply, dialer(args, config), identity, command)
    assert isinstance(outcome, m.Outcome)
    if not outcome.ok:
        raise Trouble(f"{name} was refused: {outcome.code} {outcome.body.get('text', '')}".strip())
    return outcome
