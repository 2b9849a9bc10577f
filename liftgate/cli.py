"""The command line."""

import argparse
import os
import sys
from pathlib import Path

import trio

from liftgate.configs.loader import load
from liftgate.configs.problems import ConfigErrors
from liftgate.gateways.tcp import serve, write_ready_file


def main() -> int:
    """Run `liftgate`."""
    parser = argparse.ArgumentParser(prog="liftgate")
    commands = parser.add_subparsers(dest="command", required=True)
    engine = commands.add_parser("engine")
    engine.add_argument("--config", type=Path, required=True)
    engine.add_argument("--ready-file", type=Path)
    args = parser.parse_args()
    try:
        config = load(args.config)
    except ConfigErrors as errors:
        for problem in errors.problems:
            print(problem, file=sys.stderr)
        return 2

    def ready(host: str, port: int) -> None:
        if args.ready_file is not None:
            write_ready_file(args.ready_file, host, port, os.getpid())

    trio.run(serve, config, ready)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
