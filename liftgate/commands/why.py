"""`liftgate why`: the rules behind a decision, from the journal."""

from __future__ import annotations

import argparse
import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from liftgate.codecs import messages as m
from liftgate.codecs.credentials import ticket
from liftgate.codecs.credentials.errors import CredentialError
from liftgate.codecs.events import events_of
from liftgate.codecs.events.readers import HistoryRecorded, ScanDecided
from liftgate.commands import words
from liftgate.commands.common import FAILED, FINE, USAGE, Trouble, config_option, say_example
from liftgate.commands.records import storage_of
from liftgate.configs.loader import load
from liftgate.engine.journal import inspect
from liftgate.engine.journal.storage import Storage
from liftgate.gateways.queries import explain

POSITION_MAX = (1 << 63) - 1

_TIME_MS = re.compile(r"\b[12][0-9]{12}\b")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Find the newest decision that fits, in the journal, and print its verdict, the reason in words and\n"
        "the trace of the rules that were asked. Reads files only; an engine may run on them or not.",
        "liftgate why --config configs/demo.toml --card 04DE5F1EACC040",
        "liftgate why --config configs/demo.toml --reader north-entry-1",
        "liftgate why --config configs/demo.toml --reader north-entry-1 --boot 7 --no 1",
    )
    config_option(parser)
    words.credential_options(parser, required=False)
    parser.add_argument("--reader", metavar="ID", help="decisions at this reader")
    parser.add_argument("--boot", type=int, metavar="N", help="and of this numbering")
    parser.add_argument("--no", type=int, metavar="N", help="and of this number")
    parser.add_argument(
        "--count", type=int, default=1, metavar="N", help="how many, newest first (default: 1)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is found. Raises ConfigErrors, Trouble, JournalRotten, StorageError."""
    credential = words.credential(args)
    if credential is None and args.reader is None:
        raise Trouble("say which decision: --card, --plate, --qr, --tag or --reader", USAGE)
    if args.count < 1:
        raise Trouble("--count is at least 1", USAGE)
    found = deque(
        (
            (position, event)
            for position, event in _decisions(storage_of(load(args.config)))
            if _fits(args, credential, event)
        ),
        maxlen=args.count,
    )
    if not found:
        raise Trouble("the journal has no such decision", FAILED)
    print("\n\n".join("\n".join(_lines(position, event)) for position, event in reversed(found)))
    return FINE


def _decisions(storage: Storage) -> Iterator[tuple[int, Any]]:
    for position, _, event in inspect.dump(storage, 1, POSITION_MAX, events_of):
        if isinstance(event, ScanDecided) or (
            isinstance(event, HistoryRecorded) and event.what == m.Scan.TYPE
        ):
            yield position, event


def _fits(args: argparse.Namespace, credential: tuple[int, bytes] | None, event: Any) -> bool:
    wanted = ((args.reader, event.reader), (args.boot, event.boot), (args.no, event.no))
    if any(asked is not None and asked != has for asked, has in wanted):
        return False
    return credential is None or _credential(event) in _names_of(credential)


def _names_of(credential: tuple[int, bytes]) -> list[tuple[int, bytes]]:
    """What a scan of it may be recorded under: a ticket that was genuine under its cti."""
    kind, token = credential
    if kind != 1 or not ticket.is_ticket(token):
        return [credential]
    try:
        return [credential, (kind, ticket.read(token).ticket.cti)]
    except CredentialError:
        return [credential]


def _credential(event: Any) -> tuple[int, bytes]:
    """Kind and token; a scan that came as history keeps them in its detail."""
    return (event.kind, event.token) if isinstance(event, ScanDecided) else tuple(event.detail[:2])


def _lines(position: int, event: Any) -> Iterator[str]:
    told = explain(event)
    kind, token = _credential(event)
    yield f"verdict   {words.verdict(told['verdict']).upper()}: {words.reason(told['reason'])}"
    yield f"scan      {words.kind_name(kind)} {words.shown(kind, token)} at {event.reader} lane {event.lane}"
    yield f"where     {'into' if event.way == 1 else 'out of'} {event.area}, lot {event.lot}"
    yield f"when      {_utc(event.at_ms)} UTC, journal position {position}"
    yield f"name      reader {event.reader}, boot {event.boot}, no {event.no}"
    for number, line in enumerate(told["trace"]):
        yield f"{'rules' if not number else '':9} {_TIME_MS.sub(_readable, line)}"


def _readable(match: re.Match[str]) -> str:
    """A time in a trace for people: the core, which wrote it, has no calendar."""
    return f"{_utc(int(match[0]))} UTC"


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(" ", "milliseconds")[:23]
