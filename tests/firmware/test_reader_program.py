"""liftgate-reader, the C library in a terminal, against the real engine."""

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.conftest import READERS
from tests.firmware.programs import Reader, load
from tests.independent.engine_process import Engine


def journal(engine: Engine) -> list[dict[str, Any]]:
    """Return all events of the engine's journal."""
    command = [sys.executable, "-m", "liftgate.cli", "journal", "dump", "--config", str(engine.config)]
    run = subprocess.run(command, text=True, capture_output=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def named(engine: Engine) -> Counter[tuple[str, int, int]]:
    """Return how often each (reader, boot, no) stands in the journal."""
    events = [event.get("event", event) for event in journal(engine)]
    told = [event for event in events if event.get("no") and event.get("reader")]
    return Counter((event["reader"], event["boot"], event["no"]) for event in told)


def test_a_card_is_scanned_and_its_car_passes(engine: Engine, tmp_path: Path) -> None:
    """Signed on, a scan is answered, the barrier goes up, the car passes, and all is acknowledged."""
    with Reader(tmp_path, engine, "south-r1") as reader:
        reader.wait("state online")
        assert reader.ask("card 04A1B2", r"kept (\d+) card")[1] == "1"
        reader.wait(r"decision 1 open reason 0 spot P1-A-001 text .*")
        reader.wait("barrier 1 up")
        reader.ask("pass", "kept 2 pass")
        reader.wait("barrier 1 down")
        assert reader.wait_drained()["replayed"] == "0"
        assert engine.counts("south").occupancy == 1
        assert reader.ask("pass", "refused pass .*")[0] == "refused pass barrier-down"
        assert reader.quit() == 0


@pytest.mark.long
def test_a_wrong_key_signs_nobody_on(engine: Engine, tmp_path: Path) -> None:
    """The engine says no more than that it refuses; the reader goes on trying, scans wait in its flash."""
    with Reader(tmp_path, engine, "south-r1", key="00" * 32) as reader:
        reader.wait("state closing.*")
        reader.ask("card 04A1B2", "kept 1 card")
        assert reader.status()["sign-ons"] == "0"


@pytest.mark.long
@pytest.mark.parametrize("sent", [True, False], ids=["sent", "not sent"])
def test_killed_between_scan_and_answer_it_is_decided_once(
    engine: Engine, tmp_path: Path, sent: bool
) -> None:
    """Same flash, same numbering: the engine has the event once, the driver who waits gets the answer."""
    with Reader(tmp_path, engine, "south-r1") as reader:
        reader.wait("state online")
        assert engine.process is not None
        engine.process.send_signal(signal.SIGSTOP)
        if not sent:
            reader.ask("net down", "net down")
        reader.ask("card 04A1B2", "kept 1 card")
        reader.kill()
        engine.process.send_signal(signal.SIGCONT)
        reader.start()
        found = reader.wait(r"log found boot (\d+) next 2 unacknowledged 1")
        reader.wait("decision 1 open .*")
        assert reader.wait_drained()["boot"] == found[1]
        assert engine.counts("south").occupancy == 1
        reader.kill()
        reader.start()
        reader.wait(r"log found boot \d+ next 2 unacknowledged 0")
        reader.ask("card 04A1B3", "kept 2 card")
        reader.wait("decision 2 open .*")
        reader.wait_drained()
    assert named(engine) == {("south-r1", int(found[1]), no): 1 for no in (1, 2)}


@pytest.mark.long
def test_the_engine_is_killed_and_comes_back(engine: Engine, tmp_path: Path) -> None:
    """Scans wait while it is away, are sent again when it is back, and each is decided once."""
    connect = f"@{engine.config.with_suffix('.ready')}"  # it comes back on another port
    options = {"connect": connect, "alone-ms": "60000", "answer-ms": "60000"}
    with Reader(tmp_path, engine, "south-r1", **options) as reader:
        reader.wait("state online")
        for number in range(1, 6):
            engine.kill()
            reader.ask(f"card 04A1B{number}", f"kept {number} card")
            engine.start()
            reader.wait(f"decision {number} open .*")
        status = reader.wait_drained()
        assert status["sign-ons"] == "6" and status["replayed"] == "0"
        assert named(engine) == {("south-r1", int(status["boot"]), no): 1 for no in range(1, 6)}


@pytest.mark.long
def test_the_network_is_pulled_and_put_back(engine: Engine, tmp_path: Path) -> None:
    """What happens while it is alone is kept, refused where nothing may decide, and replayed as history."""
    with Reader(tmp_path, engine, "south-r1", **{"alone-ms": "100"}) as reader:
        reader.wait("state online")
        reader.ask("net down", "net down")
        while reader.status()["alone-now"] == "no":
            pass  # each status takes a poll of the reader's: nothing spins
        reader.ask("card 04A1B2", "refused card alone")
        for number in range(1, 4):
            reader.ask("follow", f"kept {number} follow")
        reader.ask("net up", "net up")
        reader.wait("state online")
        assert reader.wait_drained()["replayed"] == "3"
        reader.ask("card 04A1B2", "kept 4 card")
        reader.wait("decision 4 open .*")
        assert engine.counts("south").occupancy == 4


@pytest.mark.long
def test_a_full_flash_refuses_and_tells_so_later(engine: Engine, tmp_path: Path) -> None:
    """Nothing is overwritten; when the engine is back, a fault says how much was refused."""
    options = {"alone-ms": "100", "flash-blocks": "3"}
    with Reader(tmp_path, engine, "south-r1", **options) as reader:
        reader.wait("state online")
        reader.ask("net down", "net down")
        kept = 0
        while reader.ask("follow", "(kept|refused) .*")[1] == "kept":
            kept += 1
        assert reader.seen[-1] == "refused follow log-full" and kept > 50
        reader.ask("net up", "net up")
        reader.wait(r"kept \d+ event log was full: 1 refused")
        reader.wait_drained()
        assert engine.counts("south").occupancy == kept


@pytest.mark.long
def test_readers_that_come_back_with_a_backlog_lose_and_double_nothing(engine: Engine) -> None:
    """The load generator: live scans and backlogs of all readers, each event once in the journal."""
    told = load(engine, "load", readers=READERS, scans=50, backlog=200)
    assert told["answers"] == READERS * 50 and told["replayed"] == READERS * 200
    counts = named(engine)
    assert len(counts) == READERS * 250
    assert set(counts.values()) == {1}
