"""`liftgate up`: it shows agreement, notices a miscount, and ends in order however it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.configs.loader import load
from liftgate.relay.process import read_status
from liftgate.sim.city.client import connect
from tests.cli.commands import (
    WAIT_S_MAX,
    Process,
    liftgate,
    ready_file,
    scan,
    started,
    wait_ready,
    with_relay,
)


def alive(pid: int) -> bool:
    """Whether a process of that number is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_gone(pid: int) -> None:
    """Wait until the process is gone: it is nobody's child here, so there is nothing else to wait for."""
    until = time.monotonic() + WAIT_S_MAX
    while alive(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def wait_progress(process: Process) -> None:
    """Wait for the first line of progress: the story has begun."""
    assert process.stdout is not None
    for line in process.stdout:
        if " cars/s" in line:
            return
    raise AssertionError("no progress")


def miscount(config: Path, lot: str, by: int) -> None:
    """Set a lot's count wrong, as an operator could."""
    service = next(service for service in load(config).services if service.id == "console")
    said = json.loads(ready_file(config).read_text())

    async def work() -> None:
        async def dial() -> trio.SocketStream:
            return await trio.open_tcp_stream(said["host"], said["port"])

        async with trio.open_nursery() as nursery:
            client = await connect(nursery, dial, Identity(m.SERVICE, service.id, service.key))
            counts = await client.ask(m.Query(lot, "occupancy", {}))
            assert isinstance(counts, m.Answer)
            args = {"area": lot, "to": counts.body["occupancy"] + by, "actor": "test", "reason": "planted"}
            outcome = await client.ask(m.CommandMessage(os.urandom(16), lot, "correct_count", args))
            assert isinstance(outcome, m.Outcome) and outcome.ok, outcome
            await client.aclose()

    trio.run(work)


@pytest.fixture
def up(config: Path) -> list[object]:
    """`up` on a configuration of its own."""
    return ["up", "--config", config]


def test_it_ends_by_itself_and_the_counts_agree(config: Path, up: list[object], tmp_path: Path) -> None:
    """--for 3s: exit 0, every lot agrees, cars drove, the engine is stopped; the picture is a whole SVG."""
    picture = tmp_path / "up.svg"
    done = liftgate(*up, "--for", "3s", "--picture", picture)
    assert done.returncode == 0, done
    lots = re.findall(r"^  (P\d) .*?(\d+) +(\d+)  agree$", done.stdout, re.MULTILINE)
    assert [lot for lot, _, _ in lots] == ["P1", "P7", "P8"]
    assert all(counted == truth for _, counted, truth in lots)
    assert done.stdout.endswith("engine and truth agree\n")
    cars = re.search(r"^(\d+) cars through a barrier: recorded stays, ", done.stdout, re.MULTILINE)
    assert cars is not None and int(cars[1]) > 50
    assert not ready_file(config).exists()
    assert '"event": "engine.stopped"' in ready_file(config).with_suffix(".log").read_text()
    ElementTree.parse(picture)
    assert "url(" not in picture.read_text().replace("url(#", "")


def test_a_planted_miscount_is_noticed(config: Path, up: list[object]) -> None:
    """One car more in one lot: exit 1, and it says in which."""
    with started(*up, "--for", "4s") as process:
        wait_progress(process)
        miscount(config, "P7", 1)
        said, _ = process.communicate(timeout=WAIT_S_MAX)
    assert process.returncode == 1
    assert "engine and truth DISAGREE in P7 " in said
    assert len(re.findall("  agree$", said, re.MULTILINE)) == 2


def test_interrupted_it_ends_in_order(config: Path, up: list[object]) -> None:
    """Ctrl-C in the middle of the story: what was handed out is finished and compared, exit 0."""
    with started(*up, "--speed", "1200") as process:
        pid = wait_ready(config, process)["pid"]
        wait_progress(process)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=WAIT_S_MAX)
    assert (process.returncode, errors) == (0, "")
    assert said.endswith("engine and truth agree\n")
    assert not alive(pid)


def test_an_engine_that_dies_is_told(config: Path, up: list[object]) -> None:
    """The engine killed: exit 1, one message with how it ended, no traceback."""
    with started(*up, "--for", "30s") as process:
        pid = wait_ready(config, process)["pid"]
        wait_progress(process)
        os.kill(pid, signal.SIGKILL)
        _, errors = process.communicate(timeout=WAIT_S_MAX)
    assert process.returncode == 1
    assert errors.startswith("liftgate: the engine ended with -9. ")
    assert "Traceback" not in errors


@pytest.mark.long
def test_a_killed_up_takes_its_engine_along(config: Path, up: list[object]) -> None:
    """kill -9 of `up`: its engine sees its stdin close, and stops in order."""
    with started(*up) as process:
        pid = wait_ready(config, process)["pid"]
        process.kill()
        process.wait()
        wait_gone(pid)
    assert '"event": "engine.stopped"' in ready_file(config).with_suffix(".log").read_text()


@pytest.mark.long
def test_the_next_run_begins_where_the_last_left_cars(up: list[object]) -> None:
    """A kept journal: cars of the last run are driven out first, and the counts agree again."""
    assert liftgate(*up, "--for", "1s").returncode == 0
    done = liftgate(*up, "--for", "1s", "--traffic", "birmingham", "--speed", "3600")
    assert (done.returncode, done.stdout.endswith("engine and truth agree\n")) == (0, True), done


def test_strange_cars_are_no_beginning(running: Path) -> None:
    """A lot that holds somebody else's car could not be compared: exit 1 at once, with what helps."""
    scan(running, reader="p8-entry-1")
    done = liftgate("sim", "city", "--config", running, "--for", "1s")
    assert done.returncode == 1
    assert done.stderr.startswith("liftgate: lot P8 has 1 car inside that are not the city's")
    assert scan(running, reader="p8-exit-1").returncode == 0
    done = liftgate("sim", "city", "--config", running, "--for", "1s")
    assert (done.returncode, done.stdout.endswith("engine and truth agree\n")) == (0, True), done


@pytest.mark.long
def test_two_at_once(config: Path, up: list[object]) -> None:
    """A second `up` on the same journal: exit 1 with the engine's own words; the first is unharmed."""
    with started(*up, "--for", "4s") as process:
        wait_ready(config, process)
        second = liftgate(*up, "--for", "1s")
        said, _ = process.communicate(timeout=WAIT_S_MAX)
    assert second.returncode == 1
    assert "in use by another engine (process " in second.stderr
    assert (process.returncode, said.endswith("engine and truth agree\n")) == (0, True)


@pytest.mark.long
def test_a_configured_relay_runs_behind_the_engine(config: Path, up: list[object]) -> None:
    """With [relay] the relay is started, killed once started again, and stopped before the engine."""
    state = with_relay(config)
    with started(*up, "--for", "30s") as process:
        wait_progress(process)
        first = read_status(state)
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        until = time.monotonic() + WAIT_S_MAX
        while (now := read_status(state)) is None or now.pid == first.pid:
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        process.wait(WAIT_S_MAX)
    last = read_status(state)
    assert last is not None and last.sinks[0].safe > 0
    wait_gone(last.pid)


@pytest.mark.long
def test_at_the_end_the_sinks_have_what_the_city_did(config: Path, up: list[object]) -> None:
    """It waits for them, and says of each how it is: nothing is behind."""
    state = with_relay(config)
    done = liftgate(*up, "--for", "3s")
    assert done.returncode == 0, done
    assert re.search(r"^null +live since .*, 0 events behind$", done.stdout, re.MULTILINE), done.stdout
    last = read_status(state)
    assert last is not None and last.sinks[0].safe > 0
