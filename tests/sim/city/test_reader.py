"""The simulated reader against a real engine: what it keeps, sends again, replays and obeys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from liftgate.codecs import messages as m
from liftgate.sim.city.reader import CARD, PASSED, EventLog, Reader
from liftgate.sim.city.run import now_ms
from tests.cli.commands import demo, engine, events, liftgate, ready_file
from tests.sim.city.engines import asking, counts, dial_to, reader_config

ID = "north-both-1"  # its scan counts at once


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of one's own."""
    return demo(tmp_path)


@pytest.fixture
def running(config: Path) -> Iterator[Path]:
    """One that an engine runs on."""
    with engine(config):
        yield config


def reader(nursery: trio.Nursery, config: Path, log: EventLog | None = None, id: str = ID) -> Reader:
    """A reader of that configuration."""
    return Reader(nursery, dial_to(config), reader_config(config, id), now_ms, log)


def history(config: Path) -> list[int]:
    """Numbers of the replayed events in the journal."""
    told = events(liftgate("journal", "dump", "--config", config))
    return [event["no"] for event in told if event["type"] == "HistoryRecorded"]


async def test_what_it_decided_alone_is_replayed_once(running: Path) -> None:
    """Backlog of several frames, told on connecting: all of it is recorded, once; the log is empty then."""
    log = EventLog()
    async with trio.open_nursery() as nursery:
        device = reader(nursery, running, log)
        # Even numbers are the cars before them going out again.
        numbers = [device.scan_alone(0, CARD, bytes((4, n // 2)), m.OPEN) for n in range(230)]
        kept = dict(log.alone)
        await device.replay()
        assert log.alone == {}
        log.alone = kept
        await device.replay()
        await device.aclose()
    assert history(running) == numbers
    assert device.findings == []
    assert (await counts(running))["occupancy"] == 0


async def test_findings_of_a_replay(running: Path) -> None:
    """A car let out that the rules would have refused is a finding; nothing is refused afterwards."""
    async with trio.open_nursery() as nursery:
        device = reader(nursery, running, id="north-exit-1")
        number = device.scan_alone(0, CARD, b"\x04", m.OPEN)
        await device.replay()
        await device.aclose()
    assert device.findings == [(number, 211)]


async def test_live_scans_need_not_wait_for_what_is_known(running: Path) -> None:
    """A reader made anew with the same log goes on counting; what the engine has is dropped from the log."""
    log = EventLog()
    async with trio.open_nursery() as nursery:
        device = reader(nursery, running, log)
        first = await device.scan(0, CARD, b"\x04\x01")
        await device.aclose()
        log.alone[first.no] = (m.OPEN, m.Scan(first.no, now_ms(), 0, CARD, b"\x04\x01"))
        second = reader(nursery, running, log)
        decision = await second.scan(0, CARD, b"\x04\x02")
        await second.aclose()
    assert (first.no, decision.no, log.alone) == (1, 2, {})
    assert history(running) == []


async def test_an_event_outlives_the_engine(config: Path) -> None:
    """The engine killed and started anew elsewhere: the scan under way is answered, and counted once."""
    async with trio.open_nursery() as nursery:
        device = reader(nursery, config)
        with engine(config) as process:
            await device.scan(0, CARD, b"\x04\x01")
            process.kill()
            await trio.to_thread.run_sync(process.wait)
        ready_file(config).unlink()
        answers = []

        async def ask() -> None:
            answers.append(await device.scan(0, CARD, b"\x04\x02"))

        async with trio.open_nursery() as asking_nursery:
            asking_nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked(0.05)
            running = engine(config)
            await trio.to_thread.run_sync(running.__enter__)
        try:
            assert [(answer.no, answer.verdict) for answer in answers] == [(2, m.OPEN)]
            assert (await counts(config))["occupancy"] == 2
            await device.aclose()
        finally:
            running.__exit__(None, None, None)


async def test_a_passage_is_acknowledged(running: Path) -> None:
    """At a lane that waits for the car, the spot is held until the passage is told."""
    async with trio.open_nursery() as nursery:
        device = reader(nursery, running, id="north-entry-1")
        decision = await device.scan(0, CARD, b"\x04")
        before = await counts(running)
        ack = await device.passage(0, PASSED, decision.session)
        after = await counts(running)
        await device.aclose()
    assert (before["occupancy"], before["held"], after["occupancy"], after["held"]) == (0, 1, 1, 0)
    assert (ack.no, ack.position > decision.position) == (2, True)


async def test_it_obeys(running: Path) -> None:
    """What an operator orders at its lane arrives, and is known in its state."""
    async with trio.open_nursery() as nursery:
        device = reader(nursery, running)
        await device.report(0)
        orders = {
            "set_lane": {"lane": 0, "mode": 3, "actor": "test"},
            "display": {"lane": 0, "text": "Hello", "seconds": 5, "actor": "test"},
            "open_lane": {"lane": 0, "cause": "test", "actor": "test"},
        }
        async with asking(running) as client:
            for name, args in orders.items():
                command = m.CommandMessage(os.urandom(16), "north", name, {"reader": ID, **args})
                outcome = await client.ask(command)
                assert isinstance(outcome, m.Outcome) and outcome.ok, outcome
        await device.report(0)  # answered behind what was ordered
        decision = await device.scan(0, CARD, b"\x04")
        await device.aclose()
    state = device.lanes[0]
    assert (state.mode, state.display, state.vended_at_ms > 0) == (3, "Hello", True)
    assert (decision.verdict, decision.reason) == (m.REFUSE, 100)
