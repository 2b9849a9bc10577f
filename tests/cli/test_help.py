"""`--help` is worth reading: every command says what it does, with examples that can be pasted."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from importlib import import_module

import pytest

from liftgate.cli import COMMANDS, main, parser
from tests.cli.commands import liftgate

OWN = [name for name in COMMANDS if name != "bench"]


def parsers(name: str) -> Iterator[argparse.ArgumentParser]:
    """A command's parser, then those of its actions."""
    top = argparse.ArgumentParser(prog=f"liftgate {name}")
    import_module(f"liftgate.commands.{name}").arguments(top)
    yield top
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def examples(help_text: str) -> list[str]:
    """Lines of the examples at the end of a help text."""
    parts = re.split(r"^examples?:$", help_text, flags=re.MULTILINE)
    return [line.strip() for line in parts[-1].splitlines() if line.strip()] if len(parts) > 1 else []


@pytest.mark.parametrize("name", OWN)
def test_every_command_has_a_description_and_examples(name: str) -> None:
    """Each command and each action of it: a description, and an example that its own parser takes."""
    for one in parsers(name):
        assert one.description and len(one.description) > 15, one.prog
        shown = examples(one.format_help())
        assert shown, one.prog
        for line in shown:
            words = shlex.split(line)
            assert words[0] == "liftgate"
            parser(words[1]).parse_args(words[1:])


@pytest.mark.parametrize("name", OWN)
def test_every_option_is_explained(name: str) -> None:
    """No option without a word about it."""
    for one in parsers(name):
        assert [a.dest for a in one._actions if a.option_strings and not a.help] == []


def test_the_top_lists_every_command() -> None:
    """`liftgate --help` names all, with a line each; `liftgate` alone shows the same and exits 2."""
    done, bare = liftgate("--help"), liftgate()
    assert (done.returncode, bare.returncode, bare.stderr) == (0, 2, done.stdout)
    for name, summary in COMMANDS.items():
        assert f"{name} " in done.stdout and summary in done.stdout


def test_bench_has_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """`liftgate bench …` is the benchmarks' command line."""
    with pytest.raises(SystemExit) as ended:
        main(["bench", "redis", "--help"])
    assert ended.value.code == 0
    assert "--rounds" in capsys.readouterr().out


def test_an_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It names those there are; exit 2."""
    with pytest.raises(SystemExit) as ended:
        main(["upp"])
    assert ended.value.code == 2
    assert "'up', 'engine', 'scan'" in capsys.readouterr().err
