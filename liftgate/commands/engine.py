"""`liftgate engine`: run the engine until it is told to stop."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import trio

from liftgate.commands import logs
from liftgate.commands.common import Trouble, config_option, ready_path, run_trio, say_example
from liftgate.configs.loader import load
from liftgate.configs.schema import Config
from liftgate.gateways.tcp import serve, write_ready_file

STOPPERS = (signal.SIGTERM, signal.SIGINT)


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Recover the journal, listen, and decide scans until SIGTERM or Ctrl-C, which ends in order: what\n"
        "is decided is answered, everybody gets GOODBYE. Logs go to stderr; LIFTGATE_LOG=debug says more.\n"
        "While it runs, a file beside the journal's folder says where it listens; scan, tail and sim find\n"
        "it by that.",
        "liftgate engine --config configs/example.toml",
    )
    config_option(parser)
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="PATH",
        help='also write {"host","port","pid"} here as soon as it listens',
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input is closed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve. Raises ConfigErrors, Trouble, and what serve() raises."""
    logs.configure()
    config = load(args.config)
    paths = [ready_path(config.engine), *([args.ready_file] if args.ready_file is not None else [])]
    try:
        run_trio(_serve, config, paths, args.stop_with_stdin)
    except OSError as error:
        at = error.filename or f"{config.engine.host}:{config.engine.port}"
        raise Trouble(f"cannot listen at {at}: {error.strerror or error}") from error
    return 0


async def _serve(config: Config, paths: list[Path], stop_with_stdin: bool) -> None:
    written = []

    def ready(host: str, port: int, mqtt: tuple[str, int] | None) -> None:
        said: dict[str, Any] = {"host": host, "port": port, "pid": os.getpid()}
        if mqtt is not None:
            said["mqtt"] = {"host": mqtt[0], "port": mqtt[1]}
        for path in paths:
            write_ready_file(path, said)
            written.append(path)

    stopping = trio.Event()
    stop_on_signals(trio.lowlevel.current_trio_token(), stopping)
    async with trio.open_nursery() as nursery:
        if stop_with_stdin:
            nursery.start_soon(_stop_with_stdin, stopping)
        try:
            await serve(config, ready, stopping)
        finally:
            # A leftover would send clients nowhere. The other file, if any, is whose it is.
            if written:
                written[0].unlink(missing_ok=True)
            # The interpreter's own end puts handlers back to "kill", and leaves what is ignored.
            for number in STOPPERS:
                signal.signal(number, signal.SIG_IGN)
        nursery.cancel_scope.cancel()


def stop_on_signals(token: trio.lowlevel.TrioToken, stopping: trio.Event) -> None:
    """Stop in order at SIGTERM or Ctrl-C, and let nothing that comes after it interrupt that.

    Not trio's receiver: one signal more than it handed out it raises again when it closes, in the middle of
    the stop.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(trio.RunFinishedError):  # it has stopped already
            token.run_sync_soon(stopping.set, idempotent=True)

    for number in STOPPERS:
        signal.signal(number, stop)


async def _stop_with_stdin(stopping: trio.Event) -> None:
    """Stop in order when whoever started this is gone, however that ended."""
    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as stream:
        while await stream.receive_some(4096):
            pass
    stopping.set()
