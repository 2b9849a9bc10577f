"""`liftgate dead`: what a sink refused, listed, shown, asked for again and dropped."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from liftgate.relay.dead import DeadLetters, Letter
from tests.cli.commands import Done, liftgate, with_relay

RAW = msgspec.msgpack.encode([0x13, "north", 7, 1_700_000_000_000, "r1", 1, 2, 0, 0, False, []])


@pytest.fixture
def letters(config: Path) -> DeadLetters:
    """The relay's file with three letters in it."""
    letters = DeadLetters(with_relay(config))
    for position in (10, 11, 12):
        letters.put([Letter("null", position, "north", position - 3, 5, "too large", 1, False, RAW)])
    return letters


def dead(action: str, config: Path, *more: object) -> Done:
    """Run `liftgate dead ACTION`."""
    return liftgate("dead", action, "--config", config, *more)


def test_list_and_show(config: Path, letters: DeadLetters) -> None:
    """A line for each with sink, place, type and reason; show has the event's fields."""
    listed = dead("list", config).stdout.splitlines()
    assert listed[0] == "null  10  north 7  LaneReported  refused once: too large"
    assert len(listed) == 3
    shown = json.loads(dead("show", config, 10).stdout)
    assert (shown["position"], shown["event"]["reader"]) == (10, "r1")
    assert json.loads(dead("list", config, "--json").stdout.splitlines()[0]) == shown


def test_drop(config: Path, letters: DeadLetters) -> None:
    """One, or all; one that is not there is said, and nothing is dropped."""
    missing = dead("drop", config, 10, 99)
    assert (missing.returncode, letters.count("null")) == (1, 3)
    assert "no dead letter at position 99" in missing.stderr
    assert dead("drop", config, 10).stdout == "1 dropped\n"
    assert dead("drop", config, "--all").stdout == "2 dropped\n"
    assert (dead("list", config).stdout, letters.count("null")) == ("", 0)


def test_resend_without_a_relay_is_kept_as_a_wish(config: Path, letters: DeadLetters) -> None:
    """No relay runs: it is noted in the file, and said so."""
    assert dead("resend", config, 11).stdout == "1 will be sent when a relay runs\n"
    assert [letter.position for letter in letters.wanted("null", 10)] == [11]


def test_without_letters_or_a_choice(config: Path) -> None:
    """No [relay], no relay yet, no choice: each its own words and code."""
    assert dead("list", config).returncode == 2
    with_relay(config)
    done = dead("list", config)
    assert (done.returncode, "no relay ever ran on" in done.stderr) == (1, True)
    assert dead("drop", config).returncode == 2
