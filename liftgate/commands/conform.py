"""`liftgate conform`: play the engine for a reader under test, or a reader for an engine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from liftgate.commands.common import FAILED, FINE, USAGE, Trouble, say_example
from liftgate.conform import tables
from liftgate.conform.engines import scenarios as of_engines
from liftgate.conform.engines.played import PlayedReader
from liftgate.conform.engines.played import Settings as ReaderSettings
from liftgate.conform.engines.requirements import REQUIREMENTS as OF_ENGINES
from liftgate.conform.port import Ended, Tester
from liftgate.conform.readers import scenarios as of_readers
from liftgate.conform.readers.played import PlayedEngine
from liftgate.conform.readers.played import Settings as EngineSettings
from liftgate.conform.readers.requirements import REQUIREMENTS as OF_READERS
from liftgate.conform.report import Report, Requirement, Verdict
from liftgate.conform.runner import chosen
from liftgate.conform.runner import run as play
from liftgate.conform.sockets import SocketDoor, SocketLine
from liftgate.conform.testers import Command, Person, Program, program_arguments

DEFAULT_PORT = 7400


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Hold a reader or an engine to docs/protocol.md: what it requires, pass or fail, and what was seen.\n"
        "Exit code: 0 nothing failed, 1 something did (--strict: or was not seen) or nothing was seen,\n"
        "2 wrong usage. docs/conformance.md says how to run and read it.",
        "liftgate conform --listen 0.0.0.0:7400 --reader north-entry-1 --key-file key.hex",
        "liftgate conform --connect 127.0.0.1:7400 --reader test-1 --key-file key.hex --only E-REPLAY",
        "liftgate conform --list",
    )
    _modes(parser)
    parser.add_argument("--reader", default="", metavar="ID", help="the reader's id")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--key", type=_key, metavar="HEX", help="its key, 64 hex digits")
    key.add_argument("--key-file", type=Path, metavar="FILE", help="a file with its key, 64 hex digits")
    parser.add_argument("--lane", type=int, default=0, metavar="N", help="a lane for entry (default: 0)")
    parser.add_argument(
        "--no-lane",
        type=int,
        default=250,
        metavar="N",
        help="a lane it does not have (default: 250; -1: it has all)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="these requirements only: E-SIGN, R-EVENT-3 …",
    )
    parser.add_argument("--skip", action="append", default=[], metavar="ID", help="not these requirements")
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="S",
        help="the longest to wait for anything (default: 60)",
    )
    _stimulus(parser)
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument(
        "--markdown", action="store_true", help="with --list: as the table of docs/conformance.md"
    )
    parser.add_argument("--strict", action="store_true", help="what was not seen counts as failed")
    parser.set_defaults(run=run)


def _modes(parser: argparse.ArgumentParser) -> None:
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument(
        "--listen",
        nargs="?",
        type=_address,
        const=("0.0.0.0", DEFAULT_PORT),
        metavar="HOST:PORT",
        help=f"play the engine there (default: 0.0.0.0:{DEFAULT_PORT})",
    )
    mode.add_argument(
        "--connect", type=_address, metavar="HOST:PORT", help="play a reader against this engine"
    )
    mode.add_argument("--list", action="store_true", help="list the requirements")


def _stimulus(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--stimulus",
        metavar="CMD",
        help="with --listen: a shell command that does what $LIFTGATE_ACT says (scan, pass, restart)",
    )
    group.add_argument(
        "--stimulus-stdin",
        metavar="CMD",
        help="with --listen: the reader is this program, worked by its standard input; {connect}, {port}, "
        "{reader}, {key} and {lane} are filled in",
    )
    parser.add_argument(
        "--act-within",
        type=float,
        default=30.0,
        metavar="S",
        help="how long the tester has to act (default: 30)",
    )
    parser.add_argument(
        "--alone-after",
        type=float,
        default=8.0,
        metavar="S",
        help="how long without an engine until the reader decides alone (default: 8)",
    )


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, as in 127.0.0.1:{DEFAULT_PORT}")
    return host.strip("[]") or "0.0.0.0", int(port)


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise argparse.ArgumentTypeError("a key has 64 hex digits")
    return key


def _key_of(args: argparse.Namespace) -> bytes:
    """The reader's key as given. Raises Trouble."""
    if not args.reader:
        raise Trouble("--reader says who the reader is", USAGE)
    if args.key_file is not None:
        try:
            return _key(args.key_file.read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError, argparse.ArgumentTypeError) as error:
            raise Trouble(f"--key-file {args.key_file}: {error}", USAGE) from error
    if args.key is None:
        raise Trouble("--key or --key-file is needed", USAGE)
    return bytes(args.key)


def run(args: argparse.Namespace) -> int:
    """Play, or list. Raises Trouble."""
    if args.list:
        return _list(args)
    key = _key_of(args)
    return _connect(args, key) if args.connect else _listen(args, key)


def _list(args: argparse.Namespace) -> int:
    wanted = _chosen((*OF_READERS, *OF_ENGINES), args)
    if args.markdown:
        print(tables.as_markdown(wanted), end="")
        return FINE
    for requirement in wanted:
        print(f"{requirement.id:12} {requirement.section:20.20} {requirement.text}")
    return FINE


def _chosen(requirements: tuple[Requirement, ...], args: argparse.Namespace) -> list[Requirement]:
    """Those that --only and --skip leave. Raises Trouble."""
    left_out = _skipped(requirements, args)
    return [each for each in _named(requirements, args.only) if each not in left_out]


def _skipped(requirements: tuple[Requirement, ...], args: argparse.Namespace) -> list[Requirement]:
    return _named(requirements, args.skip) if args.skip else []


def _named(requirements: tuple[Requirement, ...], names: list[str]) -> list[Requirement]:
    try:
        return chosen(requirements, names)
    except KeyError as error:
        raise Trouble(f"no requirement is called {error.args[0]}: liftgate conform --list", USAGE) from None


def _connect(args: argparse.Namespace, key: bytes) -> int:
    wanted = _chosen(OF_ENGINES, args)
    report = Report(OF_ENGINES)
    settings = ReaderSettings(args.reader, key, args.lane, args.no_lane, args.patience)
    line = SocketLine(*args.connect)
    try:
        line.dial().close()
    except Ended as error:
        raise Trouble(f"no engine listens: {error}") from error
    player = PlayedReader(line, report, settings)
    play(of_engines.SCENARIOS, player, {each.id for each in wanted}, _say)
    return _conclude(args, "engine", report, wanted)


def _listen(args: argparse.Namespace, key: bytes) -> int:
    wanted = _chosen(OF_READERS, args)
    report = Report(OF_READERS)
    try:
        door = SocketDoor(*args.listen)
    except OSError as error:
        raise Trouble(
            f"cannot listen at {args.listen[0]}:{args.listen[1]}: {error.strerror}", USAGE
        ) from error
    host, port = door.address
    _say(f"listening at {host}:{port} for reader {args.reader}")
    settings = EngineSettings(
        args.reader, key, args.lane, args.no_lane, args.patience, args.act_within, args.alone_after
    )
    tester = None
    try:
        tester = _tester(args, key, port)
        player = PlayedEngine(door, tester, report, settings)
        play(of_readers.SCENARIOS, player, {each.id for each in wanted}, _say)
    finally:
        door.shut()
        if isinstance(tester, Program):
            tester.end()
    return _conclude(args, "reader", report, wanted)


def _tester(args: argparse.Namespace, key: bytes, port: int) -> Tester:
    """Who works the reader. Raises Trouble."""
    if args.stimulus is not None:
        return Command(args.stimulus, _say, args.lane)
    if args.stimulus_stdin is None:
        return Person(_say, args.lane)
    values = {"connect": f"127.0.0.1:{port}", "port": str(port), "lane": str(args.lane)}
    values |= {"reader": args.reader, "key": key.hex()}
    try:
        return Program(program_arguments(args.stimulus_stdin, **values), _say)
    except (KeyError, ValueError, IndexError) as error:
        raise Trouble(f"--stimulus-stdin: {error}", USAGE) from error
    except OSError as error:
        raise Trouble(f"--stimulus-stdin: {error.filename}: {error.strerror}", USAGE) from error


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _conclude(args: argparse.Namespace, side: str, report: Report, wanted: list[Requirement]) -> int:
    # A failed one is shown also if only others were asked for: a bad frame may have been what ended those.
    skipped = _skipped(OF_READERS if side == "reader" else OF_ENGINES, args)
    results = [
        each
        for each in report.results()
        if each.requirement in wanted or (each.verdict is Verdict.FAIL and each.requirement not in skipped)
    ]
    if args.json:
        print(tables.as_json(side, results))
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(width=tables.PLAIN_WIDTH, highlight=False)
        tables.show(results, console)
    failed, unseen = (tables.count(results, each) for each in (Verdict.FAIL, Verdict.NOT_SEEN))
    nothing = unseen == len(results)
    return FAILED if failed or nothing or (args.strict and unseen) else FINE
