"""`liftgate scan` on a real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import CARD, events, facts, liftgate, ready_file, scan


def held(config: Path) -> list[str]:
    """Effects of the passages in the journal."""
    dump = liftgate("journal", "dump", "--config", config)
    return [event["effect"] for event in events(dump) if event["type"] == "PassageRecorded"]


def test_a_first_scan_opens_and_names_the_spot(running: Path) -> None:
    """A card at an entry: open, exit 0, a spot, where it is durable, and how to ask why."""
    done = scan(running)
    said = facts(done)
    assert (done.returncode, said["verdict"], said["spot"]) == (0, "OPEN", "P1-A-001")
    assert "journal position" in said["durable"]
    assert f"liftgate why --config {running} --reader north-entry-1 --boot" in said["why"]
    assert held(running) == ["moved"]


def test_a_second_scan_is_refused_in_words(running: Path) -> None:
    """Already inside: exit 3, with the reason in words and its number."""
    scan(running)
    done = scan(running)
    assert done.returncode == 3
    assert facts(done)["reason"] == "already inside (anti-passback) (210)"


def test_in_and_out_again(running: Path) -> None:
    """What went in by one reader comes out by another, and may come in again."""
    codes = [scan(running, reader=reader).returncode for reader in ("north-entry-1", "north-exit-1") * 2]
    assert codes == [0, 0, 0, 0]


@pytest.mark.parametrize(("what", "effects", "again"), [("backed-out", ["withdrawn"], 0), ("none", [], 0)])
def test_the_car_need_not_pass(running: Path, what: str, effects: list[str], again: int) -> None:
    """A car that backs out, or that is not seen to pass, is not inside: its card opens again."""
    assert scan(running, "--passage", what).returncode == 0
    assert held(running) == effects
    assert scan(running).returncode == again


def test_a_plate_is_a_credential_too(running: Path) -> None:
    """--plate scans a plate, which why then shows as text."""
    assert (
        liftgate("scan", "--config", running, "--reader", "north-both-1", "--plate", "B-LG 2042").returncode
        == 0
    )
    why = liftgate("why", "--config", running, "--plate", "B-LG 2042")
    assert facts(why)["scan"] == "plate B-LG 2042 at north-both-1 lane 0"


def test_without_an_engine_it_says_how_to_start_one(config: Path) -> None:
    """No engine: exit 1 and one message with the command, no traceback."""
    done = scan(config)
    assert done.returncode == 1
    assert "no engine runs on" in done.stderr
    assert f"liftgate engine --config {config}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_leftover_of_a_killed_engine_is_no_engine(config: Path) -> None:
    """A file that names a port where nobody listens leads to the same message."""
    ready_file(config).parent.mkdir(parents=True)
    ready_file(config).write_text('{"host": "127.0.0.1", "port": 1, "pid": 1}')
    done = scan(config)
    assert done.returncode == 1
    assert "nothing listens at 127.0.0.1:1 (Connection refused)" in done.stderr


def test_a_wrong_key_is_said(running: Path) -> None:
    """An engine that was started with other keys refuses; the message points at the key."""
    text = running.read_text()
    running.write_text(text.replace('key = "0001', 'key = "ff01', 1))
    done = scan(running)
    assert done.returncode == 1
    assert "sign-on failed for north-entry-1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--reader", "north-entry-2", "--card", CARD), 'did you mean "north-entry-1"?'),
        (("--reader", "north-entry-1", "--card", CARD, "--lane", "9"), "has no lane 9; it has: 0"),
        (("--reader", "north-entry-1", "--card", "xyz"), "'xyz' is not in hex digits"),
        (("--reader", "north-entry-1"), "one of the arguments --card --plate --qr --tag is required"),
    ],
)
def test_wrong_usage_is_exit_2(config: Path, arguments: tuple[str, ...], message: str) -> None:
    """What cannot be meant is said before anything is asked."""
    done = liftgate("scan", "--config", config, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
