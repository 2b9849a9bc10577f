"""`liftgate config check`: every mistake of a configuration at once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from liftgate.commands.common import FINE, USAGE, say_example
from liftgate.commands.records import lots_of
from liftgate.configs.loader import load
from liftgate.configs.problems import ConfigErrors
from liftgate.configs.schema import Config
from liftgate.engine.configured import RegistryConflict, check_registry
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.storage import StorageError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(parser, "Look at configuration files.", "liftgate config check configs/example.toml")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("check", help="say everything that is wrong with a file")
    say_example(
        check,
        "Read the file as the engine would, keys and certificates included, and say everything that is\n"
        "wrong with it at once, each with line and key. Where its journal is there, also whether it names a\n"
        "reader that the device registry has. Exit code: 0 fine, 2 mistakes.",
        "liftgate config check configs/example.toml",
    )
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print mistakes to stderr, or what the file has."""
    try:
        config = load(args.file)
    except ConfigErrors as errors:
        print(*errors.problems, sep="\n", file=sys.stderr)
        many = len(errors.problems)
        print(f"{args.file}: {many} mistake{'s' if many > 1 else ''}", file=sys.stderr)
        return USAGE
    try:
        check_registry(config, lots_of(config))
    except RegistryConflict as conflict:
        print(f"{args.file}: {conflict}", file=sys.stderr)
        return USAGE
    except (JournalRotten, StorageError) as error:
        print(
            f"{args.file}: its journal cannot be read, so readers in it are not known: {error}",
            file=sys.stderr,
        )
        return USAGE
    print(f"{args.file}: fine: {_sum(config)}")
    return FINE


def _sum(config: Config) -> str:
    spots = sum(block.count for lot in config.lots for area in lot.areas for block in area.spots)
    lanes = sum(len(reader.lanes) for reader in config.readers)
    parts = (
        (len(config.lots), "lot"),
        (spots, "spot"),
        (len(config.readers), "reader"),
        (lanes, "lane"),
        (len(config.services), "service"),
    )
    return ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in parts)
