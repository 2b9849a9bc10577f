"""`liftgate`: finds the command, runs it, and turns what ends it into one clear message and an exit code.

Only the module of the command that is called gets imported, so that `liftgate scan` need not wait for rich.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from liftgate.commands.common import FAILED, USAGE, NoEngine, Trouble, say_example
from liftgate.configs.problems import ConfigErrors

COMMANDS = {
    "up": "engine and simulated city on one screen: begin here",
    "engine": "run the engine",
    "scan": "read one card at one lane and print the decision",
    "do": "give a running engine an order",
    "ask": "ask a running engine",
    "card": "cards that a lot knows, with groups and validity: list, import, add, remove",
    "reader": "the device registry: add a reader, give it a new key, cut it off, list all",
    "findings": "what a person should look at, from the journal",
    "why": "why a scan was decided as it was, from the journal",
    "ticket": "tickets in QR codes: issue, show, revoke, and their keys",
    "tail": "follow events as JSON lines",
    "sim": "simulated traffic against a running engine; a simulated world with one in it",
    "history": "what happened: events, stays, occupancy and counts of days gone by",
    "relay": "carry the engine's events on to history and stream",
    "mqtt": "a gateway for readers behind somebody else's MQTT broker",
    "compare": "whether history and stream have what the journal has, each event once and in order",
    "status": "how engine and relay are: each sink's position, how far behind, and why",
    "dead": "events that a sink refused: list, show, send again, drop",
    "journal": "verify, dump, sum up or repair a journal",
    "conform": "hold a reader or an engine to the protocol, requirement by requirement",
    "config": "check a configuration file",
    "bench": "measure: against Redis, against the limit, memory, recovery",
}

INTERRUPTED = 130


def parser(chosen: str) -> argparse.ArgumentParser:
    """The arguments of `liftgate`, of the chosen command in full."""
    top = argparse.ArgumentParser(prog="liftgate")
    say_example(
        top,
        "The engine behind the barrier of a car park: a scan in, a durable decision out.\n"
        "`liftgate COMMAND --help` says more about each.",
        "liftgate up",
        "liftgate scan --config configs/demo.toml --reader north-entry-1 --card 04DE5F1EACC040",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, add_help=name != "bench")
        if name == chosen:
            import_module(f"liftgate.commands.{name}").arguments(command)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run `liftgate ARGV`; return the exit code: 0 fine, 1 failed or found damage, 2 wrong usage."""
    given = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in given if not word.startswith("-")), "")
    if chosen == "bench":
        return _bench(given[given.index("bench") + 1 :])
    if not given:
        parser("").print_help(sys.stderr)
        return USAGE
    args = parser(chosen).parse_args(given)
    try:
        return int(args.run(args))
    except ConfigErrors as errors:
        print(*errors.problems, sep="\n", file=sys.stderr)
        return USAGE
    except Trouble as trouble:
        return _fail(str(trouble), trouble.code)
    except NoEngine as error:
        return _fail(
            f"{error}\nstart one: liftgate engine --config {args.config}, or the whole demo: liftgate up"
        )
    except BrokenPipeError:
        # Whoever read our output has gone (`liftgate tail | head`); nothing may be flushed there at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        message = _explained(error, getattr(args, "config", None))
        if message is None:
            raise
        return _fail(message)


def _explained(error: Exception, config: object) -> str | None:
    """What to tell of an error that a running installation can meet; None for one that is a bug here."""
    from liftgate.commands.errors import explain

    return explain(error, config)


def _fail(message: str, code: int = FAILED) -> int:
    print(f"liftgate: {message}", file=sys.stderr)
    return code


def _bench(argv: list[str]) -> int:
    from liftgate.bench.command import main as bench

    return bench(argv)


if __name__ == "__main__":
    raise SystemExit(main())
