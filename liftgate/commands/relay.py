"""`liftgate relay`: carry the engine's events on to the sinks until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import uvloop

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.commands import logs
from liftgate.commands.common import (
    FAILED,
    FINE,
    USAGE,
    Trouble,
    address_options,
    config_option,
    find,
    pick_service,
    say_example,
    tls_context,
)
from liftgate.configs.loader import load
from liftgate.configs.relay import RelayConfig
from liftgate.configs.schema import Config
from liftgate.relay.engine import Dialer, Replaced
from liftgate.relay.process import Feed, RelayRuns, serve
from liftgate.relay.sink import SinkMisfit
from liftgate.relay.sinks import make_sink


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Follow the engine's feed and store it in every sink of [relay], until SIGTERM or Ctrl-C, which\n"
        "ends in order. Engine and sinks may come and go meanwhile: `liftgate status` says how things are.\n"
        "Logs go to stderr; LIFTGATE_LOG=debug says more.",
        "liftgate relay --config configs/demo.toml",
    )
    config_option(parser)
    address_options(parser)
    parser.add_argument(
        "--ready-file", type=Path, metavar="PATH", help='write {"pid"} here as soon as it runs'
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input is closed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve. Raises ConfigErrors, Trouble."""
    logs.configure()
    config = load(args.config)
    relay = relay_of(config)
    dialer = Dialer(lambda: find(args, config), tls_context(config.engine))
    try:
        uvloop.run(_serve(args, relay, feeds_of(config, relay), dialer))
    except* Replaced:
        raise Trouble(
            "another relay signed on in place of this one: two of them run on this engine, and this one ends",
            FAILED,
        ) from None
    return FINE


def relay_of(config: Config) -> RelayConfig:
    """The file's [relay]. Raises Trouble if there is none."""
    if config.relay is None:
        raise Trouble("no [relay] is configured: docs/relay.md says what it takes", USAGE)
    return config.relay


def feeds_of(config: Config, relay: RelayConfig) -> list[Feed]:
    """The sinks and as whom each signs on. Raises Trouble where one cannot be had at all."""
    feeds = []
    for kind in relay.sinks:
        service = pick_service(config, relay.service_of(kind))
        try:
            sink = make_sink(kind, config)
        except SinkMisfit as misfit:
            raise Trouble(str(misfit), USAGE) from misfit
        feeds.append(Feed(sink, Identity(m.SERVICE, service.id, service.key)))
    return feeds


async def _serve(args: argparse.Namespace, relay: RelayConfig, feeds: list[Feed], dialer: Dialer) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if args.stop_with_stdin:
        await stop_when_closed(stopping)

    def ready() -> None:
        if args.ready_file is not None:
            aside = args.ready_file.with_name(args.ready_file.name + ".new")
            aside.write_text(json.dumps({"pid": os.getpid()}))
            aside.rename(args.ready_file)

    try:
        await serve(relay, feeds, dialer, ready, stopping)
    except RelayRuns as error:
        raise Trouble(str(error), FAILED) from None


class _UntilClosed(asyncio.Protocol):
    """Sets an event when whoever started this is gone, however that ended."""

    def __init__(self, closed: asyncio.Event) -> None:
        self._closed = closed

    def connection_lost(self, error: Exception | None) -> None:
        self._closed.set()


async def stop_when_closed(stopping: asyncio.Event) -> None:
    """Have `stopping` set when standard input is closed."""
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: _UntilClosed(stopping), os.fdopen(os.dup(sys.stdin.fileno()), "rb"))
