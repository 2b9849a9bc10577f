"""`liftgate findings`: what a person should look at, from the journal."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from liftgate.codecs.events import events_of
from liftgate.codecs.events.operators import FindingMade
from liftgate.codecs.events.plain import plain
from liftgate.codecs.events.readers import HistoryRecorded, ScanDecided
from liftgate.commands import words
from liftgate.commands.common import FINE, config_option, duration_ms, say_example
from liftgate.commands.records import storage_of
from liftgate.configs.loader import load
from liftgate.engine.journal import inspect

POSITION_MAX = (1 << 63) - 1
SCAN = 0x10


class Finding(NamedTuple):
    """One of them. kind: short, for programs; about: what it is about, by name."""

    position: int
    at_ms: int
    lot: str
    kind: str
    text: str
    about: dict[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Print what the rules found and a person should look at, oldest first: the engine's own findings,\n"
        "scans that were let through although a rule objected, and what readers did while they were alone\n"
        "that the rules would have decided otherwise. Reads files only; an engine may run on them or not.",
        "liftgate findings --config configs/demo.toml --since 24h",
        "liftgate findings --config configs/demo.toml --kind overstay --json",
    )
    config_option(parser)
    parser.add_argument("--since", type=duration_ms, metavar="SPAN", help="no older than this: 90s, 30m, 24h")
    parser.add_argument("--kind", metavar="KIND", help="only this kind")
    parser.add_argument("--lot", metavar="ID", help="only this lot")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print them. Raises ConfigErrors, Trouble, JournalRotten, StorageError."""
    storage = storage_of(load(args.config))
    since_ms = 0 if args.since is None else int(time.time() * 1000) - args.since
    count = 0
    for position, _, event in inspect.dump(storage, 1, POSITION_MAX, events_of):
        for finding in found(position, event):
            if finding.at_ms >= since_ms and _wanted(args, finding):
                print(_json(finding) if args.json else _line(finding))
                count += 1
    if not count and not args.json:
        print("nothing to look at")
    return FINE


def _wanted(args: argparse.Namespace, finding: Finding) -> bool:
    return args.kind in (None, finding.kind) and args.lot in (None, finding.lot)


def found(position: int, event: Any) -> Iterator[Finding]:
    """What an event of the journal has for a person."""
    if isinstance(event, FindingMade):
        yield Finding(position, event.at_ms, event.lot, event.kind, event.text, event.about)
    elif isinstance(event, ScanDecided) and event.verdict == 1 and event.reason:
        text = f"{words.shown(event.kind, event.token)} was let through: {words.reason(event.reason)}"
        yield Finding(position, event.at_ms, event.lot, "let through", text, _named(event) | event.marks)
    elif isinstance(event, HistoryRecorded) and event.finding:
        whose = f"{words.shown(*event.detail[:2])}: " if event.what == SCAN else ""
        text = f"{whose}{words.verdict(event.verdict_given)} by a reader alone; {words.reason(event.finding)}"
        yield Finding(position, event.at_ms, event.lot, "decided alone", text, _named(event))


def _named(event: ScanDecided | HistoryRecorded) -> dict[str, Any]:
    return {"reader": event.reader, "lane": event.lane, "boot": event.boot, "no": event.no}


def _line(finding: Finding) -> str:
    at = datetime.fromtimestamp(finding.at_ms / 1000, UTC).isoformat(" ", "seconds")[:19]
    about = ", ".join(f"{name} {value}" for name, value in plain(finding.about).items())
    return f"{at} UTC  {finding.lot}  {finding.kind}: {finding.text}" + (f" ({about})" if about else "")


def _json(finding: Finding) -> str:
    return msgspec.json.encode(plain(finding._asdict())).decode()
