"""`liftgate bench …`: run a benchmark, print its figures as a table or as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from liftgate.bench import report
from liftgate.bench.build import BuildFailed
from liftgate.bench.compare import compare
from liftgate.bench.forged import RATE as HONEST_RATE
from liftgate.bench.forged import forged
from liftgate.bench.history import EVENTS, history
from liftgate.bench.idle import READERS, TooFewFiles, idle
from liftgate.bench.load import LoadFailed
from liftgate.bench.mqtt import mqtt
from liftgate.bench.proofs import proofs
from liftgate.bench.recovery import SCANS, recovery
from liftgate.bench.relay import EVENTS as BACKLOG
from liftgate.bench.relay import relay
from liftgate.bench.rules import rules
from liftgate.bench.servers import ServerFailed
from liftgate.bench.sizes import sizes
from liftgate.bench.steady import RATE, steady
from liftgate.bench.storm import BATCH, BESIDE_S, storm
from liftgate.bench.storm import EVENTS as STORM_EVENTS
from liftgate.bench.storm import RATE as LIVE_RATE
from liftgate.bench.storm import READERS as STORM_READERS
from liftgate.history.port import StoreMisfit, StoreUnavailable

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Outcome = tuple[object, report.Printable]
Run = Callable[[argparse.Namespace], Outcome]
BROKERS = "127.0.0.1:9092"
FAILURES = (StoreMisfit, StoreUnavailable, BuildFailed, LoadFailed, ServerFailed, TooFewFiles)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `liftgate bench ARGV`. Returns 0, or 1 with the reason on stderr if it could not be run."""
    arguments = parser().parse_args(argv)
    try:
        result, table = arguments.run(arguments)
    except FAILURES as failure:
        print(
            "\n".join(["liftgate bench: " + str(failure), *getattr(failure, "__notes__", ())]),
            file=sys.stderr,
        )
        return 1
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(result)).decode())
    else:
        Console().print(table)
    return 0


def parser() -> argparse.ArgumentParser:
    """The arguments of `liftgate bench`; each benchmark a subcommand with --json."""
    top = argparse.ArgumentParser(
        prog="liftgate bench", description="Durable answers a second, measured here."
    )
    commands = top.add_subparsers(required=True, metavar="WHAT")
    redis = _command(commands, "redis", _redis, "against Redis doing the same work, and against the limit")
    _rounds(redis, 5, 3.0)
    open_loop = _command(commands, "steady", _steady, "time to an answer at a steady rate (open loop)")
    _rounds(open_loop, 3, 5.0)
    open_loop.add_argument("--rate", type=float, default=RATE, help="scans a second (%(default)s)")
    _rounds(_command(commands, "sizes", _sizes, "lots of 100, 10,000 and 1,000,000 spots"), 3, 2.0)
    _rounds(_command(commands, "rules", _rules, "a lot with every rule on, and one without"), 5, 2.0)
    silent = _command(commands, "idle", _idle, "memory of silent readers, and a scan among them")
    silent.add_argument("--readers", type=int, default=READERS, help="silent ones (%(default)s)")
    silent.add_argument("--seconds", type=float, default=3.0, help="of each measurement (%(default)s)")
    came_back = _command(commands, "storm", _storm, "readers that come back with backlogs, while others scan")
    came_back.add_argument("--readers", type=int, default=STORM_READERS, help="at once (%(default)s)")
    came_back.add_argument("--events", type=int, default=STORM_EVENTS, help="of each (%(default)s)")
    came_back.add_argument("--seconds", type=float, default=BESIDE_S, help="before and after (%(default)s)")
    came_back.add_argument("--rate", type=float, default=LIVE_RATE, help="live scans a second (%(default)s)")
    came_back.add_argument("--batch", type=int, default=BATCH, help="entries of a REPLAY (%(default)s)")
    back = _command(
        commands, "recovery", _recovery, "replay after a kill, against the live run that wrote it"
    )
    back.add_argument("--scans", type=int, default=SCANS, help="for each of 1,024 cards (%(default)s)")
    past = _command(commands, "history", _history, "rows and events a second into a SQLite history")
    past.add_argument("--rounds", type=int, default=3, help="medians are taken over these (%(default)s)")
    past.add_argument("--events", type=int, default=EVENTS, help="of each round (%(default)s)")
    rows = _command(
        commands, "cassandra", _cassandra, "rows a second into Cassandra, against a bare loop of its driver"
    )
    rows.add_argument("--host", default="127.0.0.1", help="of a node (%(default)s)")
    rows.add_argument("--port", type=int, default=9042, help="as `make services` tells (%(default)s)")
    rows.add_argument("--rounds", type=int, default=5, help="medians are taken over these (%(default)s)")
    rows.add_argument("--events", type=int, default=50_000, help="of each round (%(default)s)")
    carried = _command(commands, "relay", _relay, "from the journal through the relay into its sinks")
    carried.add_argument("--events", type=int, default=BACKLOG, help="of backlog (%(default)s)")
    carried.add_argument("--seconds", type=float, default=3.0, help="of each measurement (%(default)s)")
    sinks = ("null", "history", "stream")
    carried.add_argument(
        "--sinks", nargs="+", choices=sinks, default=["null"], help="one after another (%(default)s)"
    )
    carried.add_argument("--brokers", default=BROKERS, help="of sink stream: host:port,… (%(default)s)")
    sent = _command(commands, "stream", _stream, "events into Kafka, against a bare loop of its client")
    _rounds(sent, 5, 3.0)
    published = _command(
        commands, "mqtt", _mqtt, "QoS 1 acknowledgements of the MQTT listener and of mosquitto"
    )
    _rounds(published, 3, 3.0)
    sent.add_argument("--brokers", default=BROKERS, help="host:port,… (%(default)s)")
    _rounds(
        _command(commands, "proofs", _proofs, "proofs of tickets and tags, on the loop and off it"), 5, 1.0
    )
    garbage = _command(commands, "forged", _forged, "honest scans while others hold forged tickets up")
    _rounds(garbage, 5, 3.0)
    garbage.add_argument(
        "--rate", type=float, default=HONEST_RATE, help="honest scans a second (%(default)s)"
    )
    return top


def _command(commands: Commands, name: str, run: Run, what: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what, description=what)
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run)
    return command


def _rounds(command: argparse.ArgumentParser, rounds: int, seconds: float) -> None:
    command.add_argument(
        "--rounds", type=int, default=rounds, help="medians are taken over these (%(default)s)"
    )
    command.add_argument("--seconds", type=float, default=seconds, help="of each measurement (%(default)s)")


def _redis(arguments: argparse.Namespace) -> Outcome:
    result = compare(arguments.rounds, arguments.seconds)
    return result, report.comparison(result)


def _steady(arguments: argparse.Namespace) -> Outcome:
    result = steady(arguments.rounds, arguments.seconds, arguments.rate)
    return result, report.facts(result)


def _proofs(arguments: argparse.Namespace) -> Outcome:
    result = proofs(arguments.rounds, arguments.seconds)
    return result, report.facts(result)


def _forged(arguments: argparse.Namespace) -> Outcome:
    result = forged(arguments.rounds, arguments.seconds, arguments.rate)
    return result, report.facts(result)


def _sizes(arguments: argparse.Namespace) -> Outcome:
    result = sizes(arguments.rounds, arguments.seconds)
    return result, report.facts(result)


def _rules(arguments: argparse.Namespace) -> Outcome:
    result = rules(arguments.rounds, arguments.seconds)
    return result, report.facts(result)


def _idle(arguments: argparse.Namespace) -> Outcome:
    result = idle(arguments.readers, arguments.seconds)
    return result, report.facts(result)


def _storm(arguments: argparse.Namespace) -> Outcome:
    result = storm(
        arguments.readers, arguments.events, arguments.seconds, arguments.rate, batch=arguments.batch
    )
    return result, report.facts(result)


def _recovery(arguments: argparse.Namespace) -> Outcome:
    result = recovery(arguments.scans)
    return result, report.facts(result)


def _cassandra(arguments: argparse.Namespace) -> Outcome:
    # Needs a driver that not everybody has installed.
    from liftgate.bench.cassandra import cassandra

    result = cassandra(arguments.host, arguments.port, arguments.rounds, arguments.events)
    return result, report.facts(result)


def _history(arguments: argparse.Namespace) -> Outcome:
    result = history(arguments.rounds, arguments.events)
    return result, report.facts(result)


def _relay(arguments: argparse.Namespace) -> Outcome:
    result = relay(tuple(arguments.sinks), arguments.events, arguments.seconds, brokers=arguments.brokers)
    return result, report.facts(result)


def _stream(arguments: argparse.Namespace) -> Outcome:
    # Here, as its libraries are an extra that the other benchmarks do without.
    from liftgate.bench.stream import stream

    result = stream(arguments.brokers, arguments.rounds, arguments.seconds)
    return result, report.facts(result)


def _mqtt(arguments: argparse.Namespace) -> Outcome:
    result = mqtt(arguments.rounds, arguments.seconds)
    return result, report.facts(result)


if __name__ == "__main__":
    sys.exit(main())
