"""The library on a microcontroller (QEMU) and the real engine: power cuts on either side, and life alone."""

import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.board import FIRMWARE, Board, new_flash
from tests.independent.engine_process import (
    ENTRY,
    EXIT,
    KEY,
    Engine,
    lot_toml,
    service_toml,
    write_config,
)

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        shutil.which("arm-none-eabi-gcc") is None or shutil.which("qemu-system-arm") is None,
        reason="packages gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm are needed",
    ),
]

READER = "north-r1"
LANES = [(ENTRY, "entry"), (EXIT, "exit")]
OPEN, REFUSE = 1, 2
OFFLINE = """[lot.rules.offline]
hours = 4
entries = 2
cards = "known"
"""


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    subprocess.run(["make", "-s", "-C", str(FIRMWARE), "image"], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Run an engine whose address survives its restarts."""
    # A line that went dead says nothing: silence is all a UART has to tell by.
    config = write_config(tmp_path, lot_toml("north", spots=500), engine="heartbeat_s = 1")
    with Engine(config) as running:
        keep_address(running)
        yield running


def keep_address(engine: Engine) -> None:
    """Let an engine that runs have the same address after its restarts."""
    text = engine.config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{engine.address[1]}")
    engine.config.write_text(text)


@pytest.fixture
def board(tmp_path: Path, engine: Engine) -> Iterator[Board]:
    """Return a board that is off."""
    new_flash(tmp_path / "flash.bin", READER, KEY, LANES)
    board = Board(tmp_path / "flash.bin", engine.address)
    yield board
    board.power_off()


def journal(engine: Engine) -> list[dict[str, Any]]:
    """Return what the journal has of the reader's events."""
    command = [sys.executable, "-m", "liftgate.cli", "journal", "dump", "--config", str(engine.config)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [
        event
        for event in map(json.loads, text.splitlines())
        if event.get("reader") == READER and "no" in event
    ]


def test_a_board_signs_on_scans_loses_power_and_comes_back_as_the_same_reader(
    engine: Engine, board: Board
) -> None:
    """Its log stands in flash: what was answered is not sent again, and the numbering goes on."""
    with board:
        board.wait_status(state="online")
        assert board.ask("card 04A1B2", r"decision (\d+) (\w+) (\d+) (\w+) .*").groups() == (
            "1",
            "open",
            "0",
            "engine",
        )
        board.ask("pass", "passage 2")
        before = board.wait_status(kept="0")
        board.power_off()
        board.power_on()
        after = board.wait_status(state="online")
        assert (after["boot"], after["next"]) == (before["boot"], "3")
        assert board.ask("card 04A1B2", r"decision 3 (\w+) (\d+) .*").groups() == ("refuse", "210")
    events = journal(engine)
    assert [(event["no"], event["type"]) for event in events] == [
        (1, "ScanDecided"),
        (2, "PassageRecorded"),
        (3, "ScanDecided"),
    ]
    assert {str(event["boot"]) for event in events} == {before["boot"]}
    assert engine.counts("north").occupancy == 1


def test_a_board_without_engine_opens_exits_and_replays_that_after_a_power_cut(
    engine: Engine, board: Board
) -> None:
    """No policy was ever given: it lets out and not in; all of that is told later, once, as what was done."""
    with board:
        board.wait_status(state="online")
        board.ask("card 04A1B2", "decision 1 open .*")
        board.ask("card 04A1B4", "decision 2 open .*")
        board.wait_status(kept="0")
        engine.kill()
        board.wait_status(alone="1")
        board.ask("card 04A1B3", "decision 3 refuse 500 alone .*")
        board.do(f"lane {EXIT}")
        board.ask("card 04A1B2", "decision 4 open 0 alone .*")
        board.power_off()
        board.power_on()
        board.wait_status(kept="2", alone="1")
        board.do(f"lane {EXIT}")
        board.ask("card 04A1B4", "decision 5 open 0 alone .*")
        engine.start()
        board.wait_status(state="online", kept="0")
    told = [event for event in journal(engine) if event["type"] == "HistoryRecorded"]
    assert [(event["no"], event["verdict_given"]) for event in told] == [(3, REFUSE), (4, OPEN), (5, OPEN)]
    assert engine.counts("north").occupancy == 0


def test_a_board_alone_lets_in_by_the_engines_policy_through_a_power_cut(tmp_path: Path) -> None:
    """Known cards up to its limit, nobody denied; the engine is told of each and finds nothing wrong."""
    lot = lot_toml("north", spots=500).replace("[[lot.area]]", f"{OFFLINE}[[lot.area]]", 1)
    config = write_config(tmp_path, lot, engine="heartbeat_s = 1")
    may = ["register_credential", "deny_credential"]
    config.write_text(config.read_text() + service_toml("office", may))
    new_flash(tmp_path / "flash.bin", READER, KEY, LANES)
    with Engine(config) as engine:
        keep_address(engine)
        with engine.service("office") as office:
            for number, card in enumerate(("04A1", "04A2", "04A3", "04A4")):
                args = {"kind": 2, "token": bytes.fromhex(card), "actor": "office"}
                assert office.command("north", "register_credential", args, bytes([1] * 15 + [number])).body[
                    1
                ]
            args = {"kind": 2, "token": b"\x04\xa2", "actor": "office", "reason": "lost"}
            assert office.command("north", "deny_credential", args, bytes([2] * 16)).body[1]
        with Board(tmp_path / "flash.bin", engine.address) as board:
            board.wait_status(state="online")
            board.wait("policy taken")
            engine.kill()
            board.wait_status(alone="1")
            board.ask("card 04A1", "decision 1 open 0 alone .*")
            board.ask("card 04A2", "decision 2 refuse 201 alone .*")
            board.power_off()
            board.power_on()
            board.wait_status(alone="1")
            board.ask("card 04FF", "decision 3 refuse 200 alone .*")
            board.ask("card 04A3", "decision 4 open 0 alone .*")
            board.ask("card 04A4", "decision 5 refuse 500 alone .*")
            engine.start()
            board.wait_status(state="online", kept="0")
    told = [event for event in journal(engine) if event["type"] == "HistoryRecorded"]
    assert [(event["no"], event["verdict_given"]) for event in told] == [
        (1, OPEN),
        (2, REFUSE),
        (3, REFUSE),
        (4, OPEN),
        (5, REFUSE),
    ]
    assert [event["finding"] for event in told if event["verdict_given"] == OPEN] == [0, 0]


def test_power_cuts_at_any_moment_lose_and_double_no_event_that_was_kept(
    engine: Engine, board: Board
) -> None:
    """Scans and passages while the board's power, or the engine's, goes: each is in the journal once."""
    chance = random.Random(6)
    kept: set[int] = set()
    boots: set[str] = set()
    for round_ in range(16):
        board.power_on()
        boots.add(board.status()["boot"])
        for number in range(chance.randint(1, 12)):
            board.do(f"card 04{round_:02X}{number:02X}", "pass")
        if round_ % 4 == 3:
            engine.kill()
        time.sleep(chance.random() * 0.3)  # not a wait: the moment of the cut
        said = board.power_off()
        kept |= {int(line.split()[1]) for line in said if line.startswith(("scan ", "passage "))}
        if engine.process is None:
            engine.start()
    board.power_on()
    board.wait_status(state="online", kept="0")
    boots.add(board.status()["boot"])
    board.power_off()
    times = Counter(event["no"] for event in journal(engine))
    assert len(boots) == 1
    assert len(kept) > 30
    assert kept <= times.keys()
    assert set(times.values()) == {1}
