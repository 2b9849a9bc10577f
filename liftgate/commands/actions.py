"""Commands that have actions of their own: `liftgate journal verify`, `liftgate dead list`, …"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any

from liftgate.commands.common import config_option, say_example


class Actions:
    """The actions of one command, each with --config, help from its first words, and an example."""

    def __init__(self, parser: argparse.ArgumentParser, command: str) -> None:
        self._actions = parser.add_subparsers(required=True, metavar="ACTION")
        self._command = command

    def add(
        self, name: str, run: Callable[[argparse.Namespace], int], what: str, more: str = "", **defaults: Any
    ) -> argparse.ArgumentParser:
        """One more. what: a sentence or two for its --help, up to the first stop or comma in the list of
        actions; more: options of the example; defaults: values that `run` finds in its namespace.
        """
        parser = self._actions.add_parser(name, help=re.split("[.,:]", what)[0].lower())
        say_example(parser, what, f"liftgate {self._command} {name} --config configs/demo.toml{more}")
        config_option(parser)
        parser.set_defaults(run=run, **defaults)
        return parser
