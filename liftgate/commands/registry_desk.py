"""What `liftgate reader` needs: talking to the engine about its registry, and keys on their way out."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.codecs.events.registry import check_of
from liftgate.codecs.keywrap import KEY_BYTES, WrongKey, unwrap, wrap
from liftgate.commands import desk, records
from liftgate.commands.common import USAGE, Trouble, dialer, pick_service, run_trio
from liftgate.configs.schema import KINDS, Config, Key, LaneConfig, ReaderConfig
from liftgate.configs.secrets import file_bytes
from liftgate.engine.configured import registered_in
from liftgate.engine.core.parts.registry_orders import ORDERS, LaneArgs
from liftgate.sim.city.client import Client, ConnectionLost

Row = dict[str, Any]


class NewKey(NamedTuple):
    """A key for a reader. out: the file that it was written to, None where it is to be printed."""

    key: Key
    wrapped: bytes
    out: Path | None

    @property
    def check(self) -> str:
        """What `reader show` calls it."""
        return check_of(self.wrapped)


# -- keys


def new_key(args: argparse.Namespace, config: Config) -> NewKey:
    """The key in --key-in or a random one, wrapped; written to --key-out, where one is named, before anything
    is asked of the engine: a disk that is full must not cost a reader its key. Raises Trouble.
    """
    wrapping = config.engine.registry_key
    if wrapping is None:
        raise Trouble(
            f"{args.config} has no [engine] registry_key, under which readers' keys are kept. Make one:\n"
            "  openssl rand -hex 32 > registry.key\n"
            'and say registry_key_file = "registry.key" there; then start the engine again with it',
            USAGE,
        )
    key = Key(secrets.token_bytes(KEY_BYTES)) if args.key_in is None else _read_key(args.key_in)
    if args.key_out is not None:
        _write_key(args.key_out, key)
    return NewKey(key, wrap(wrapping, key), args.key_out)


def _read_key(path: Path) -> Key:
    try:
        found = bytes.fromhex(file_bytes(path).decode("ascii").strip())
    except OSError as error:
        raise Trouble(f"cannot read {path}: {error.strerror}", USAGE) from error
    except ValueError:
        found = b""  # and nothing of what may be most of a key is shown
    if len(found) != KEY_BYTES:
        raise Trouble(f"{path} must hold 64 hex digits (32 bytes)", USAGE)
    return Key(found)


def _write_key(path: Path, key: bytes) -> None:
    """A new file that only its owner reads."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Trouble(f"cannot write the key to {path}: {error.strerror}", USAGE) from error
    with os.fdopen(file, "w") as out:
        out.write(key.hex() + "\n")
        out.flush()
        os.fsync(out.fileno())


def wrapped_before(args: argparse.Namespace, config: Config) -> list[tuple[str, NewKey | None]]:
    """The readers whose keys are not wrapped under the configuration's registry_key, each with its newest key
    wrapped under that; None where args.old does not unwrap it. By the journal. Raises Trouble.
    """
    wrapping, old = config.engine.registry_key, _read_key(args.old)
    if wrapping is None:
        raise Trouble(f"{args.config} has no [engine] registry_key", USAGE)
    wanted = lots_of(args, config)
    entries = [each for lot in records.lots_of(config) if lot.id in wanted for each in registered_in(lot)]
    found: list[tuple[str, NewKey | None]] = []
    for each in entries:
        if _unwrapped(wrapping, each.keys[-1]) is None:
            key = _unwrapped(old, each.keys[-1])
            found.append((each.reader, None if key is None else NewKey(Key(key), wrap(wrapping, key), None)))
    return found


def _unwrapped(wrapping: bytes, wrapped: bytes) -> bytes | None:
    try:
        return unwrap(wrapping, wrapped)
    except WrongKey:
        return None


# -- lanes


def lanes_of(texts: list[str]) -> list[Row]:
    """--lane's words as the args of an order; a lane without a number has its place. Raises Trouble."""
    return [_lane(text, place) for place, text in enumerate(texts)]


def _lane(text: str, place: int) -> Row:
    words: Row = {"number": place}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals or name not in LaneArgs.__struct_fields__:
            known = ", ".join(LaneArgs.__struct_fields__)
            raise Trouble(f"--lane {text!r}: {word!r} is not name=value with a name of {known}", USAGE)
        words[name] = value.split(",") if name == "kinds" else value
    try:
        msgspec.convert(words, LaneArgs, strict=False)
    except msgspec.ValidationError as error:
        raise Trouble(f"--lane {text!r}: {error}; kinds are {', '.join(KINDS)}", USAGE) from error
    plain: Row = msgspec.to_builtins(msgspec.convert(words, LaneArgs, strict=False))
    return plain


# -- talking


def talk(
    args: argparse.Namespace,
    config: Config,
    right: str,
    work: Callable[[Client], Awaitable[Any]],
) -> Any:
    """Sign on as a service that may query and `right` in the lots asked for, and do the work with that."""
    service = pick_service(config, args.service, "query", right, lots=lots_of(args, config))
    identity = Identity(m.SERVICE, service.id, service.key)
    return run_trio(desk.talk, dialer(args, config), identity, work)


async def rows_of(client: Client, lot: str, reader: str = "") -> list[Row]:
    """The readers of a lot, page by page; reader: only that one. Raises Trouble."""
    rows: list[Row] = []
    while True:
        after = rows[-1]["reader"] if rows else ""
        answer = await client.ask(m.Query(lot, "readers", {"after": after, "reader": reader}))
        assert isinstance(answer, m.Answer)
        if not answer.ok:
            raise Trouble(f"lot {lot}: {answer.code}")
        rows += [{"lot": lot, **row} for row in answer.body["readers"]]
        if not answer.body["more"]:
            return rows


def lots_of(args: argparse.Namespace, config: Config) -> list[str]:
    """The lots to look in. Raises Trouble for one that is not there."""
    return [lot.id for lot in config.lots] if args.lot is None else [desk.lot_of(config, args.lot)]


def one_lot(args: argparse.Namespace, config: Config) -> str:
    """The lot named, or the only one. Raises Trouble."""
    return desk.lot_of(config, args.lot)


async def find(client: Client, lots: list[str], reader: str) -> Row:
    """Where a reader is, in the registry rather than in the file. Raises Trouble."""
    found = [row for lot in lots for row in await rows_of(client, lot, reader)]
    if not found:
        raise Trouble(
            f"there is no reader {reader} in {' or '.join(lots)}; liftgate reader list has them all"
        )
    return min(found, key=lambda row: "added_ms" not in row)


def registered(args: argparse.Namespace, config: Config, key_in: Path) -> ReaderConfig:
    """A registered reader as the file would name it: its lanes by the engine, its key by that file."""

    async def work(client: Client) -> Row:
        return await find(client, lots_of(args, config), args.reader)

    key, row = _read_key(key_in), talk(args, config, "query", work)
    names = ("number", "direction", "area", "gate", "confirm")
    lanes = [
        LaneConfig(**dict(zip(names, lane, strict=False)), cards=lane[6], kinds=KINDS)
        for lane in row["lanes"]
    ]
    return ReaderConfig(id=args.reader, key=key, lot=row["lot"], lanes=tuple(lanes))


def give(args: argparse.Namespace, config: Config, name: str, order: Row, key: NewKey | None = None) -> Row:
    """Give an order about args.reader, in the lot where it is; its outcome's body, with lot and position.

    Raises Trouble: with the order refused, a file that was made for its key is gone again.
    """
    id = secrets.token_bytes(16) if args.id is None else args.id
    body: Row = {"reader": args.reader, "actor": getpass.getuser(), "reason": args.reason, **order}
    body |= {"key": key.wrapped} if key is not None else {}
    sent = False

    async def work(client: Client) -> Row:
        nonlocal sent
        lots = lots_of(args, config)
        row: Row = {"lot": lots[0]} if name == "add_reader" else await find(client, lots, args.reader)
        lot = row["lot"]
        sent = True
        outcome = await client.ask(m.CommandMessage(id, lot, name, body))
        assert isinstance(outcome, m.Outcome)
        if not outcome.ok:
            raise Trouble(f"refused: {outcome.body.get('text', '')} ({outcome.code})".replace(":  ", ": "))
        return {"lot": lot, "position": outcome.position, **outcome.body, "before": row}

    assert name in ORDERS
    try:
        done: Row = talk(args, config, name, work)
    except ConnectionLost as lost:
        if not sent:
            _forget(key)
            raise
        raise Trouble(f"{lost}: {_unknown(args, id, key)}") from lost
    except Exception:
        _forget(key)
        raise
    if key is not None and done["check"] != key.check:
        _forget(key)
        raise Trouble("this order was done before, with another key: the one that was made now is nobody's")
    return done


def _unknown(args: argparse.Namespace, id: bytes, key: NewKey | None) -> str:
    """What to do where nobody knows whether it was done; the key must not be lost with the answer."""
    again = f"whether it was done is not known; the same with --id {id.hex()} asks again"
    if key is None or args.key_in is not None:
        return again
    if key.out is not None:
        return f"{again} (with --key-in {key.out} in place of --key-out)"
    return f"{again}, with --key-in and a file that holds {key.key.hex()}"


def _forget(key: NewKey | None) -> None:
    if key is not None and key.out is not None:
        key.out.unlink(missing_ok=True)
