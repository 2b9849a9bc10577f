"""`liftgate history`: migrate the store; events, stays, occupancy and counts out of it."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

import msgspec

from liftgate.codecs import raw
from liftgate.commands import words
from liftgate.commands.actions import Actions
from liftgate.commands.common import FINE, USAGE, Trouble, duration_ms, say_example
from liftgate.commands.history_lines import (
    COUNTS_HEAD,
    STAYS_HEAD,
    count_line,
    event_line,
    point_line,
    stay_line,
)
from liftgate.configs.history import HistoryConfig
from liftgate.configs.loader import load
from liftgate.configs.schema import Config
from liftgate.history import series
from liftgate.history.clock import now_ms
from liftgate.history.port import WHOLE, EventRow, StayRow, Store
from liftgate.history.privacy import Hasher
from liftgate.history.stays import day_of
from liftgate.history.stores import store_of

Row = TypeVar("Row")
Args = argparse.Namespace
Work = Callable[[Args, Config, HistoryConfig, Store], Awaitable[None]]

DAY_MS = 86_400_000
PAGE = 1000
"""Rows that are read at once; an answer of any length is printed page by page."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Read what the relay wrote into the store that [history] names, also while it writes. Days and\n"
        "times are UTC. Credentials are hashes there; --card, --plate and --qr are hashed with its key.",
        "liftgate history stays --config configs/demo.toml --lot north --day 2026-11-23",
    )
    actions = Actions(parser, "history")
    _asking(actions, "migrate", _migrate, "Bring the store's schema to what this program needs.")
    events = _asking(actions, "events", _events, "Print the events of a lot and day, by seq.", " --lot north")
    _day_options(events)
    stays = _asking(
        actions,
        "stays",
        _stays,
        "Print the stays of a lot that began on a day, or the last ones of a credential in all lots.",
        " --card 04DE5F1EACC040",
    )
    _day_options(stays)
    words.credential_options(stays, required=False)
    occupancy = _asking(
        actions,
        "occupancy",
        _occupancy,
        "Print how many cars were in a lot, or in one of its areas, at each step of time.",
        " --lot north --step 15m",
    )
    _span_options(occupancy)
    occupancy.add_argument(
        "--step", type=duration_ms, default=3_600_000, metavar="TIME", help="whole 5 minutes (default: 1h)"
    )
    counts = _asking(
        actions,
        "counts",
        _counts,
        "Print how many cars came and went in each hour.",
        " --lot north --area vip",
    )
    _span_options(counts)


def _asking(actions: Actions, name: str, work: Work, what: str, more: str = "") -> argparse.ArgumentParser:
    parser = actions.add(name, run, what, more, work=work)
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    return parser


def _day_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    parser.add_argument("--day", type=_day, metavar="DATE", help="2026-11-23 (default: today)")


def _span_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lot", metavar="ID", help="which lot (default: the only one)")
    parser.add_argument("--area", metavar="ID", default=WHOLE, help="which area (default: the whole lot)")
    parser.add_argument(
        "--from", dest="from_ms", type=_moment, metavar="TIME", help="2026-11-23T08:00 or a day"
    )
    parser.add_argument("--to", dest="to_ms", type=_moment, metavar="TIME", help="its end (default: now)")


def _day(text: str) -> int:
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-11-23") from error


def _moment(text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
        return round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-23T08:00") from error


def run(args: Args) -> int:
    """Do it on the configured store. Raises ConfigErrors, Trouble, StoreUnavailable, StoreMisfit."""
    config = load(args.config)
    if config.history is None:
        raise Trouble(f"{args.config} has no [history], or it is off", USAGE)
    if config.history.store == "sqlite" and args.work is not _migrate and not config.history.path.exists():
        raise Trouble(f"there is no history yet: the relay would write it to {config.history.path}")
    asyncio.run(_run(args, config, config.history))
    return FINE


async def _run(args: Args, config: Config, history: HistoryConfig) -> None:
    store = store_of(history)
    try:
        if args.work is not _migrate:
            await store.open()
        await args.work(args, config, history, store)
    finally:
        await store.aclose()


async def _migrate(args: Args, config: Config, history: HistoryConfig, store: Store) -> None:
    before, now = await store.migrate()
    if args.json:
        _print_json({"before": before, "now": now})
    else:
        print(f"schema {now}: nothing to do" if before == now else f"schema {before or 'none'} is now {now}")


async def _events(args: Args, config: Config, history: HistoryConfig, store: Store) -> None:
    lot, day, seen = _lot_of(args, config), _day_of(args), 0
    page: Sequence[EventRow] = await store.events(lot, day, 0, PAGE)
    while page:
        for row in page:
            if args.json:
                _print_json(row._replace(value=msgspec.Raw(row.value))._asdict())
            else:
                print(event_line(row))
        seen += len(page)
        page = await store.events(lot, day, page[-1].seq, PAGE)
    _say_if_none(args, seen, "no events of that lot and day")


async def _stays(args: Args, config: Config, history: HistoryConfig, store: Store) -> None:
    given = words.credential(args)
    if given is not None and (args.lot or args.day is not None):
        raise Trouble(
            "--lot and --day do not go with a credential: its stays are looked up in all lots", USAGE
        )
    if given is not None:
        rows: Sequence[StayRow] = await store.stays_of(Hasher(history.key).of(raw.credential(*given)))
    else:
        rows = await _stays_of_day(store, _lot_of(args, config), _day_of(args))
    if rows and not args.json:
        print(STAYS_HEAD)
    for row in rows:
        if args.json:
            values = {
                name: value for name, value in row._asdict().items() if name not in ("formerly", "token")
            }
            _print_json({name: v.hex() if isinstance(v, bytes) else v for name, v in values.items()})
        else:
            print(stay_line(row))
    _say_if_none(args, len(rows), "no stays")


async def _stays_of_day(store: Store, lot: str, day: int) -> list[StayRow]:
    found: list[StayRow] = []
    while page := await store.stays(lot, day, found[-1].session if found else b"", PAGE):
        found += page
    return found


async def _occupancy(args: Args, config: Config, history: HistoryConfig, store: Store) -> None:
    lot, (from_ms, to_ms) = _lot_of(args, config), _span(args)
    try:
        points = await series.occupancy(store, lot, args.area, from_ms, to_ms, args.step)
    except ValueError as error:
        raise Trouble(str(error), USAGE) from error
    _print_rows(args, points, point_line)


async def _counts(args: Args, config: Config, history: HistoryConfig, store: Store) -> None:
    lot, (from_ms, to_ms) = _lot_of(args, config), _span(args)
    try:
        hours = await series.hours(store, lot, args.area, from_ms, to_ms)
    except ValueError as error:
        raise Trouble(str(error), USAGE) from error
    if not args.json:
        print(COUNTS_HEAD)
    _print_rows(args, hours, count_line)


def _print_rows(args: Args, rows: Sequence[Row], line: Callable[[Row], str]) -> None:
    for row in rows:
        if args.json:
            _print_json(row._asdict())  # type: ignore[attr-defined]
        else:
            print(line(row))


def _print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode())


def _say_if_none(args: Args, count: int, text: str) -> None:
    if not count and not args.json:
        print(text)


def _lot_of(args: Args, config: Config) -> str:
    """As told, also one that the file has no more; else the only one there is."""
    if args.lot is not None:
        return str(args.lot)
    if len(config.lots) > 1:
        raise Trouble(f"say which --lot: {', '.join(lot.id for lot in config.lots)}", USAGE)
    return config.lots[0].id


def _day_of(args: Args) -> int:
    return day_of(now_ms()) if args.day is None else int(args.day)


def _span(args: Args) -> tuple[int, int]:
    """As told, else the last 24 hours, to the end of the cell that is under way."""
    to_ms = now_ms() + series.CELL_MS if args.to_ms is None else args.to_ms
    from_ms = to_ms - DAY_MS if args.from_ms is None else args.from_ms
    if from_ms < 0 or from_ms > to_ms:
        raise Trouble("--from is after --to", USAGE)
    return from_ms, to_ms
