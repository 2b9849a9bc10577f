"""`liftgate mqtt`: carry what readers publish to somebody else's broker to the engine, and answers back."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
from pathlib import Path

import stamina.instrumentation
import structlog

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.commands import logs
from liftgate.commands.child import mqtt_kind
from liftgate.commands.common import (
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
from liftgate.commands.relay import stop_when_closed
from liftgate.configs.broker import BrokerConfig
from liftgate.configs.loader import load
from liftgate.gateways.mqtt.broker.engine import Dialer, EngineCalls
from liftgate.gateways.mqtt.broker.gateway import BrokerGateway

log = structlog.get_logger()


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Take what readers publish to the broker of [mqtt.broker], have the engine decide it, and publish\n"
        "the answers, until SIGTERM or Ctrl-C. Broker and engine may come and go meanwhile. Several such\n"
        "gateways share the readers, each with a --service of its own. Logs go to stderr.",
        "liftgate mqtt --config configs/example.toml",
    )
    config_option(parser)
    address_options(parser)
    parser.add_argument(
        "--service", metavar="ID", help="sign on as this one (default: that of [mqtt.broker])"
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input is closed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve. Raises ConfigErrors, Trouble."""
    logs.configure()
    config = load(args.config)
    if config.broker is None:
        raise Trouble("no [mqtt.broker] is configured: docs/mqtt.md says what it takes", USAGE)
    service = pick_service(config, args.service or config.broker.service)
    dialer = Dialer(lambda: find(args, config), tls_context(config.engine))
    who = Identity(m.SERVICE, service.id, service.key)
    ready = mqtt_kind(config.engine).ready
    asyncio.run(_serve(args.stop_with_stdin, ready, config.broker, dialer, who))
    return FINE


async def _serve(
    stop_with_stdin: bool, ready: Path, config: BrokerConfig, dialer: Dialer, who: Identity
) -> None:
    stamina.instrumentation.set_on_retry_hooks([])  # what fails is logged once, not at each try
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    if stop_with_stdin:
        await stop_when_closed(stopping)
    engine = EngineCalls(dialer, who)
    gateway = BrokerGateway(config, engine, f"{config.group}-{who.id}")
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(engine.run()), tasks.create_task(gateway.run())]
        _tell_ready(ready)
        await stopping.wait()
        for task in running:
            task.cancel()
    ready.unlink(missing_ok=True)
    log.info("mqtt.stopped", answered=gateway.answered)


def _tell_ready(path: Path) -> None:
    """Say that it runs, and under which pid: written aside and renamed."""
    aside = path.with_name(path.name + ".new")
    aside.parent.mkdir(parents=True, exist_ok=True)
    aside.write_text(json.dumps({"pid": os.getpid()}))
    aside.rename(path)
