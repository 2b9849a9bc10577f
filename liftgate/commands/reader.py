"""`liftgate reader`: the device registry of a running engine."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from liftgate.codecs.events.plain import plain
from liftgate.commands import registry_desk as registry
from liftgate.commands.actions import Actions
from liftgate.commands.common import FAILED, FINE, USAGE, Trouble, address_options, say_example
from liftgate.commands.fields import read_hex
from liftgate.commands.registry_desk import NewKey, Row
from liftgate.configs.loader import load
from liftgate.engine.core.parts.registry_orders import OVERLAP_S_MAX
from liftgate.sim.city.client import Client

_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LANE_WORDS = ("number", "direction", "area", "gate", "confirm", "codes", "cards", "plates")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Add readers to a running engine, give them new keys, cut them off. Everybody else works on. All of\n"
        "it is journalled with who asked for it, and holds through restarts and changes of the file.\n"
        "A key is shown once. Exit code: 0 done, 1 refused or not there, 2 wrong usage.",
        "liftgate reader add --config configs/demo.toml --lot north --lane 'direction=exit area=north' g7",
        "liftgate reader list --config configs/demo.toml",
    )
    actions = Actions(parser, "reader")
    lanes = " --lot north --lane 'direction=entry area=north gate=west'"
    add = actions.add(
        "add", _add, "Register a reader: it may sign on as soon as this is answered.", f"{lanes} gate-7"
    )
    _common(add)
    _key_options(add)
    _lane_option(add, required=True)
    change = actions.add(
        "change", _change, "Give a registered reader other lanes; its key stays.", f"{lanes} gate-7"
    )
    _common(change)
    _lane_option(change, required=True)
    rotate = actions.add(
        "rotate-key",
        _rotate,
        "Give a registered reader a new key. Both are good until the new one is first used, or --overlap is\n"
        "over: then the old one is dead, and a connection by it ends.",
        " --overlap 3d gate-7",
    )
    _common(rotate)
    _key_options(rotate)
    text = "how long the old key is good at most: 0s, 90m, 12h, 7d (default: 7d)"
    rotate.add_argument("--overlap", type=_span_s, default=7 * 86_400, metavar="SPAN", help=text)
    revoke = actions.add(
        "revoke",
        _revoke,
        "Cut a registered reader off at once. Its keys are forgotten; its numbers and answers stay.",
        " --reason stolen gate-7",
    )
    _common(revoke)
    restore = actions.add(
        "restore", _restore, "Let a revoked reader in again, under a new key, with its old lanes.", " gate-7"
    )
    _common(restore)
    _key_options(restore)
    _lane_option(restore, required=False)
    rewrap = actions.add(
        "rewrap",
        _rewrap,
        "Wrap registered readers' keys anew, after the engine was started with another registry_key.\n"
        "Readers keep their keys. Where one is being rotated the new key is kept, and the old one dies.",
        " --old registry.key.old",
    )
    _which_engine(rewrap)
    rewrap.add_argument("--reason", default="", metavar="TEXT", help="why, for whoever reads the journal")
    rewrap.add_argument(
        "--old", type=Path, required=True, metavar="FILE", help="the registry_key before, 64 hex digits"
    )
    listed = actions.add("list", _list, "Every reader, of the file and of the registry.", "")
    _which_engine(listed)
    listed.add_argument("--json", action="store_true", help="a JSON object a line")
    show = actions.add("show", _show, "All that is known of one reader.", " gate-7")
    _which_engine(show)
    show.add_argument("--json", action="store_true", help="as one JSON object")
    show.add_argument("reader", metavar="READER")


def _which_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one, or the reader's)")
    parser.add_argument("--as", dest="service", metavar="ID", help="which configured service to be")
    address_options(parser)


def _common(parser: argparse.ArgumentParser) -> None:
    _which_engine(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for whoever reads the journal")
    parser.add_argument(
        "--id", type=_order_id, metavar="HEX", help="16 bytes: repeat an order whose answer was lost"
    )
    parser.add_argument("reader", metavar="READER")


def _key_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key-in", type=Path, metavar="FILE", help="64 hex digits: a key that the reader has already"
    )
    parser.add_argument(
        "--key-out", type=Path, metavar="FILE", help="write the key to this new file, do not print it"
    )


def _lane_option(parser: argparse.ArgumentParser, *, required: bool) -> None:
    text = "as [[reader.lane]]: 'direction=entry area=north', and number, gate, confirm, cards, kinds=qr,card"
    parser.add_argument(
        "--lane", action="append", required=required, metavar="WORDS", help=f"{text}; repeatable"
    )


def _span_s(text: str) -> int:
    match = _SPAN.fullmatch(text)
    seconds = int(match[1]) * _UNIT_S[match[2]] if match is not None else -1
    if not 0 <= seconds <= OVERLAP_S_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 0s, 90m, 12h or 7d, at most 90d")
    return seconds


def _order_id(text: str) -> bytes:
    id = read_hex("--id", text)
    if len(id) != 16:
        raise Trouble("--id is 16 bytes, 32 hex digits", USAGE)
    return id


# -- orders


def _add(args: argparse.Namespace) -> int:
    config = load(args.config)
    lanes = registry.lanes_of(args.lane)
    args.lot = registry.one_lot(args, config)
    key = registry.new_key(args, config)
    done = registry.give(args, config, "add_reader", {"lanes": lanes}, key)
    return _print_done(args, done, key)


def _change(args: argparse.Namespace) -> int:
    order = {"lanes": registry.lanes_of(args.lane)}
    return _print_done(args, registry.give(args, load(args.config), "change_reader", order))


def _rotate(args: argparse.Namespace) -> int:
    config = load(args.config)
    key = registry.new_key(args, config)
    done = registry.give(args, config, "rotate_reader_key", {"overlap_s": args.overlap}, key)
    code = _print_done(args, done, key)
    if args.overlap:
        print(f"old key      good until the new one is used, and {_time(done['until_ms'])} at the latest")
    else:
        print("old key      dead")
    return code


def _revoke(args: argparse.Namespace) -> int:
    done = registry.give(args, load(args.config), "revoke_reader", {})
    code = _print_done(args, done)
    print(f"connection   {'cut' if done['before']['connected'] else 'there was none'}")
    return code


def _restore(args: argparse.Namespace) -> int:
    config = load(args.config)
    lanes = {"lanes": registry.lanes_of(args.lane)} if args.lane else {}
    key = registry.new_key(args, config)
    return _print_done(args, registry.give(args, config, "restore_reader", lanes, key), key)


def _rewrap(args: argparse.Namespace) -> int:
    config = load(args.config)
    left: list[str] = []
    done = 0
    for reader, key in registry.wrapped_before(args, config):
        if key is None:
            left.append(reader)
            continue
        args.reader, args.id, args.key_in = reader, None, args.old
        registry.give(args, config, "rotate_reader_key", {"overlap_s": 0}, key)
        done += 1
    print(f"{done} readers' keys are wrapped anew")
    for reader in left:
        print(f"left         {reader}: its key was wrapped under neither; rotate-key gives it a new one")
    return FAILED if left else FINE


def _print_done(args: argparse.Namespace, done: Row, key: NewKey | None = None) -> int:
    print(f"reader       {args.reader}")
    print(f"lot          {done['lot']}")
    if key is not None and key.out is not None:
        print(f"key          in {key.out}")
    elif key is not None and args.key_in is not None:
        print(f"key          as in {args.key_in}")
    elif key is not None:
        print(f"key          {key.key.hex()}")
        print("             shown this once: the engine keeps it wrapped and shows it to nobody")
    if key is not None:
        print(f"check        {key.check}")
    print(f"done         journal position {done['position']}")
    return FINE


# -- looking


def _list(args: argparse.Namespace) -> int:
    config = load(args.config)

    async def work(client: Client) -> list[Row]:
        return [row for lot in registry.lots_of(args, config) for row in await registry.rows_of(client, lot)]

    rows: list[Row] = registry.talk(args, config, "query", work)
    if args.json:
        for row in rows:
            print(_json(row))
        return FINE
    table = [("READER", "LOT", "FROM", "LANES", "STATE"), *map(_line, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(f"{word:{width}}" for word, width in zip(line, widths, strict=True)).rstrip())
    locked = sum(bool(row["locked"]) for row in rows)
    if locked:
        print(f"{locked} cannot sign on: their keys cannot be unwrapped; `liftgate reader show` says why")
    return FAILED if locked else FINE


def _line(row: Row) -> tuple[str, ...]:
    lanes = ", ".join(f"{number} {direction} {area}" for number, direction, area, *_ in row["lanes"])
    return row["reader"], row["lot"], row["source"], lanes, state(row)


def state(row: Row) -> str:
    """How a reader is, in some words: what somebody should act on comes first."""
    if row["source"] == "registry" and row["revoked"]:
        return f"revoked {_time(row['revoked_ms'])} by {row['revoked_by']}"
    if row["locked"]:
        return "locked out"
    rotating = len(row.get("checks", ())) > 1
    said = "connected" if row["connected"] else f"last heard {_time(row['heard_ms'])}"
    if not row["connected"] and not row["heard_ms"]:
        said = "not heard since the engine started"
    return f"{said}, new key not used yet" if rotating else said


def _show(args: argparse.Namespace) -> int:
    config = load(args.config)

    async def work(client: Client) -> Row:
        return await registry.find(client, registry.lots_of(args, config), args.reader)

    row: Row = registry.talk(args, config, "query", work)
    print(*([_json(row)] if args.json else _facts(row)), sep="\n")
    return FAILED if row["locked"] else FINE


def _facts(row: Row) -> Iterator[str]:
    yield f"reader       {row['reader']}"
    yield f"lot          {row['lot']}"
    yield f"from         {'the configuration file' if row['source'] == 'file' else 'the registry'}"
    yield f"state        {state(row)}{' from ' + row['peer'] if row['peer'] else ''}"
    if row["locked"]:
        yield f"locked out   {row['locked']}"
    for lane in row["lanes"]:
        words = dict(zip(_LANE_WORDS, lane, strict=False))
        yield "lane         " + " ".join(
            f"{name}={value}" for name, value in words.items() if value is not None
        )
    if "added_ms" in row:
        yield f"added        {_by(row, 'added')}"
        yield f"rotated      {_by(row, 'rotated')}"
        yield f"revoked      {_by(row, 'revoked')}"
        yield f"reason       {row['reason'] or '-'}"
        for place, check in enumerate(row["checks"]):
            until = f", good until {_time(row['until_ms'])}" if place + 1 < len(row["checks"]) else ""
            yield f"key          check {check}{until}"


def _by(row: Row, what: str) -> str:
    at_ms = row[f"{what}_ms"]
    return f"{_time(at_ms)} by {row[f'{what}_by']}" if at_ms else "never"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(" ", "seconds")[:19] + "Z"


def _json(row: Row) -> str:
    lanes = [dict(zip(_LANE_WORDS, lane, strict=False)) for lane in row["lanes"]]
    return msgspec.json.encode(plain({**row, "lanes": lanes})).decode()
