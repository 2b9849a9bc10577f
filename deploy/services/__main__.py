"""The command line of the services, which `make services` and `make services-down` call."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from deploy.services import example, jars, registry, stack
from deploy.services.errors import NotInstalled, ServiceError
from deploy.services.kinds import KINDS

FAILED, CANNOT = 1, 2
"""Exit codes: a service did not start; nothing was tried, because something must be done first."""

COMMANDS = {
    "up": "start services, or say that they run; the file services.json of their folder says where",
    "down": "stop services and wait until they are gone",
    "status": "which run, where, with how much memory; exit code 1 if one of those named does not answer",
    "missing": "Debian packages that must be installed first, one a line",
    "fetch": "get the jars of Cassandra and Kafka into the cache; --record pins what comes",
    "kill": "kill -9",
    "pause": "SIGSTOP",
    "resume": "SIGCONT",
    "guard": "wait for the end of standard input, then kill what runs under the folder and remove it",
}

DISTURBING = {"kill", "pause", "resume"}
"""For these somebody must say which."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    names = options.names or list(KINDS)
    try:
        return int(_RUN[options.command](options, names))
    except NotInstalled as error:
        print(error, file=sys.stderr)
        return CANNOT
    except ServiceError as error:
        print(error, file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.services", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        some, which = ("+", "") if name in DISTURBING else ("*", " (default: all)")
        command.add_argument(
            "names", nargs=some, type=_service, metavar="SERVICE", help=f"of {', '.join(KINDS)}{which}"
        )
        command.add_argument("--dir", type=Path, default=registry.root_folder(), help="default: %(default)s")
        if name == "up":
            command.add_argument("--install", action="store_true", help="as root: install what is missing")
        if name == "fetch":
            command.add_argument("--record", action="store_true", help="write lib.sha256 anew")
    return parser


def _service(name: str) -> str:
    if name not in KINDS:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(KINDS)}")
    return name


def _up(options: argparse.Namespace, names: list[str]) -> int:
    packages = stack.missing(names)
    if packages and options.install and os.geteuid() == 0:
        print(f"installing {' '.join(packages)}", flush=True)
        stack.install(packages)
    outcomes = stack.up(options.dir, names, _tell)
    print(f"{options.dir / registry.FILE} says so to programs")
    if options.dir.resolve() == registry.root_folder().resolve():
        for line in example.differences(registry.running(options.dir)):
            print(line)
    return FAILED if any(outcome.error for outcome in outcomes) else 0


def _tell(outcome: stack.Outcome) -> None:
    service = outcome.service
    if outcome.error:
        print(f"{service.name:<10} failed: {outcome.error}", file=sys.stderr, flush=True)
        return
    how = "already running" if outcome.ready_s is None else f"ready in {outcome.ready_s:.1f} s"
    print(_line(service.name, service.address, service.pid, service.rss_mib(), how), flush=True)


def _line(name: str, address: str, pid: int | None, rss_mib: int, how: str) -> str:
    return f"{name:<10} {address:<16} pid {pid or '-':<8} {rss_mib:>5} MiB  {how}"


def _down(options: argparse.Namespace, names: list[str]) -> int:
    stack.down(options.dir, names, print)
    return 0


def _status(options: argparse.Namespace, names: list[str]) -> int:
    down = 0
    for service in stack.known(options.dir):
        if service.name not in names:
            continue
        ready = service.is_ready()
        down += not ready
        how = "ready" if ready else "does not answer" if service.pid else "stopped"
        print(_line(service.name, service.address, service.pid, service.rss_mib(), how))
    return FAILED if down else 0


def _missing(options: argparse.Namespace, names: list[str]) -> int:
    for package in stack.missing(names):
        print(package)
    return 0


def _fetch(options: argparse.Namespace, names: list[str]) -> int:
    for name in names:
        if (jars.RECIPES / name).exists():
            folder = jars.jars_folder(name)
            count = jars.record(name) if options.record else len(jars.digests(jars.fetch(name)))
            print(f"{name}: {count} jars {'recorded' if options.record else f'verified in {folder}'}")
    return 0


def _disturb(options: argparse.Namespace, names: list[str]) -> int:
    for service in stack.known(options.dir):
        if service.name in names:
            {"kill": service.kill, "pause": service.pause, "resume": service.resume}[options.command]()
    return 0


def _guard(options: argparse.Namespace, names: list[str]) -> int:
    """However the process at the other end goes, its servers go too: kill -9 runs no clean-up of its own."""
    sys.stdin.buffer.read()
    stack.down(options.dir, names, print, hard=True)
    shutil.rmtree(options.dir)
    return 0


_RUN = {
    "up": _up,
    "down": _down,
    "status": _status,
    "missing": _missing,
    "fetch": _fetch,
    "kill": _disturb,
    "pause": _disturb,
    "resume": _disturb,
    "guard": _guard,
}


if __name__ == "__main__":
    sys.exit(main())
