"""`liftgate tail`: events as JSON lines, as they become durable."""

from __future__ import annotations

import argparse
import os
import stat
import sys

import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.codecs.events import events_of
from liftgate.codecs.events.plain import as_line
from liftgate.codecs.records import read_record
from liftgate.commands.common import (
    FINE,
    Trouble,
    address_options,
    config_option,
    dialer,
    pick_service,
    run_trio,
    say_example,
)
from liftgate.configs.loader import load
from liftgate.sim.city.client import Client, Dial, connect


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Print the engine's events, one JSON object a line, oldest first: position, type, then the event's\n"
        "fields, bytes in hex. Then wait for more. No cursor is kept, so nothing is held back for this.",
        "liftgate tail --config configs/demo.toml",
        "liftgate tail --config configs/demo.toml --after 120 --no-follow",
    )
    config_option(parser)
    parser.add_argument(
        "--after", type=int, metavar="N", help="begin behind this position (default: with the next event)"
    )
    parser.add_argument(
        "--follow",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="wait for more events (default), or end with what is durable now",
    )
    parser.add_argument("--as", dest="service", metavar="ID", help="which configured service to be")
    address_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print until the end, or until interrupted. Raises ConfigErrors, Trouble, NoEngine, SignOnFailed."""
    config = load(args.config)
    service = pick_service(config, args.service, "query", "subscribe")
    return run_trio(_tail, args, dialer(args, config), Identity(m.SERVICE, service.id, service.key))


async def _tail(args: argparse.Namespace, dial: Dial, identity: Identity) -> int:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch_stdout)
        client = await connect(nursery, dial, identity)
        try:
            status = await client.ask(m.Query("", "status", {}))
            if not isinstance(status, m.Answer) or not status.ok:
                raise Trouble(f"{identity.id} may not query: it needs that right")
            end = int(status.body["durable_position"])
            # Without --follow the end is known; from "now on" with nothing to wait for would print nothing.
            after = args.after if args.after is not None else (end if args.follow else 0)
            if after < end or args.follow:
                await client.request(m.Subscribe("", after))
                await _print(client, after, None if args.follow else end)
        finally:
            await client.aclose()
            nursery.cancel_scope.cancel()
    return FINE


async def _watch_stdout() -> None:
    """End when whoever reads our output has gone (`liftgate tail | head`), not only at the next event.

    Nothing can be read from the writing end of a pipe, so it wakes only when the other end was closed.
    """
    if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
        await trio.lowlevel.wait_readable(sys.stdout.fileno())
        raise BrokenPipeError


async def _print(client: Client, after: int, end: int | None) -> None:
    """Print events behind `after`, up to `end` if there is one. Raises Trouble when the engine ends it."""
    async for _, message in client.unasked:
        if isinstance(message, m.Events):
            last = _print_records(message, after)
            if end is not None and last >= end:
                return
        elif isinstance(message, m.Error):
            raise Trouble(message.text)
    raise Trouble(client.ended)


def _print_records(events: m.Events, after: int) -> int:
    """Print what is new in the records; return the last position in them."""
    view, at = memoryview(events.records), 0
    while at < len(view):
        record = read_record(view, at)
        if record is None:
            raise Trouble(f"a record behind position {events.first} came damaged")
        for position, event in enumerate(events_of(record.payload, record.count), record.first):
            if position > after:
                sys.stdout.write(as_line(position, event) + "\n")
        at = record.end
    sys.stdout.flush()
    return events.last
