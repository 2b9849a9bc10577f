"""`liftgate status`: how engine and relay are, each sink with its position, how far behind, and why."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity, SignOnFailed
from liftgate.commands import desk
from liftgate.commands.common import (
    FAILED,
    FINE,
    NoEngine,
    Trouble,
    address_options,
    config_option,
    dialer,
    find,
    pick_service,
    run_trio,
    say_example,
)
from liftgate.configs.loader import load
from liftgate.configs.schema import Config
from liftgate.history.clock import now_ms
from liftgate.relay.health import RelayStatus, SinkStatus
from liftgate.relay.process import read_status, runs
from liftgate.sim.city.client import ConnectionLost


class Whole(msgspec.Struct, kw_only=True):
    """What the command found. engine: its answer to QUERY status, None while away, then engine_why says why;
    relay: what it said last, None where none is configured or none ever ran; running: whether it does now.
    """

    engine: dict[str, Any] | None
    engine_why: str
    relay: RelayStatus | None
    running: bool


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Say how the engine and the relay's sinks are. Exit code: 0 all is well, 1 the engine or a\n"
        "configured relay is away, or a sink is degraded.",
        "liftgate status --config configs/demo.toml",
    )
    config_option(parser)
    address_options(parser)
    parser.add_argument("--as", dest="service", metavar="ID", help="which configured service to be")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look and say. Raises ConfigErrors, Trouble."""
    config = load(args.config)
    engine, why = _ask(args, config)
    state = config.relay.state if config.relay is not None else None
    whole = Whole(
        engine=engine,
        engine_why=why,
        relay=read_status(state) if state is not None else None,
        running=state is not None and runs(state),
    )
    if whole.relay is not None and engine is not None:
        for sink in whole.relay.sinks:  # the relay may be away, or not connected
            sink.end = max(sink.end, int(engine["durable_position"]))
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(whole)).decode())
    else:
        print(*_lines(args, config, whole), sep="\n")
    return FINE if _well(config, whole) else FAILED


def _ask(args: argparse.Namespace, config: Config) -> tuple[dict[str, Any] | None, str]:
    """The engine's status, or why there is none."""
    service = pick_service(config, args.service, "query")
    identity = Identity(m.SERVICE, service.id, service.key)
    try:
        answer = run_trio(desk.reply, dialer(args, config), identity, m.Query("", "status", {}))
    except (NoEngine, SignOnFailed, ConnectionLost) as error:
        return None, str(error)
    if not isinstance(answer, m.Answer) or not answer.ok:
        raise Trouble(f"service {service.id} may not query")
    return answer.body, ""


def _well(config: Config, whole: Whole) -> bool:
    if whole.engine is None:
        return False
    if config.relay is None:
        return True
    sinks = whole.relay.sinks if whole.relay is not None else []
    return whole.running and all(sink.state != "degraded" for sink in sinks)


def _lines(args: argparse.Namespace, config: Config, whole: Whole) -> Iterator[str]:
    if whole.engine is None:
        yield f"engine     away: {whole.engine_why}"
    else:
        host, port = find(args, config)
        position, accepting = whole.engine["durable_position"], whole.engine["accepting"]
        full = "" if accepting else ", takes nothing: its disk is full"
        yield f"engine     {whole.engine['engine']} at {host}:{port}, position {position}{full}"
        told = whole.engine.get("policies") or {}
        if told:
            states = ", ".join(f"{count} {state}" for state, count in sorted(told.items()))
            yield f"policies   what readers may do alone: {states}"
    if config.relay is None:
        yield "relay      none is configured"
    elif whole.relay is None:
        yield f"relay      never ran: liftgate relay --config {args.config}"
    else:
        age_s = max(now_ms() - whole.relay.at_ms, 0) // 1000
        running = (
            f"runs, process {whole.relay.pid}" if whole.running else f"away, its last word {age_s} s ago"
        )
        yield f"relay      {running}"
        for sink in whole.relay.sinks:
            yield from sink_lines(sink)


def sink_lines(sink: SinkStatus) -> Iterator[str]:
    """One sink for people: how it is, then why, and what it refused."""
    since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(sink.since_ms / 1000))
    yield f"{sink.name:10} {sink.state} since {since}, position {sink.safe}, {sink.behind:,} events behind"
    if sink.why:
        yield f"{'':10} {sink.why}"
    if sink.dead_letters:
        yield f"{'':10} {sink.dead_letters} dead letters: liftgate dead list"
    if sink.skipped:
        yield f"{'':10} {sink.skipped:,} events it will never have were skipped: liftgate compare says which"
