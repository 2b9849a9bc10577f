"""Simulated readers over MQTT, by aiomqtt, against a real engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from liftgate.codecs import messages as m
from liftgate.commands.common import find_mqtt
from liftgate.configs.loader import load
from liftgate.sim.city.mqtt import MqttWay
from liftgate.sim.city.reader import CARD, PASSED, EventLog, Reader
from liftgate.sim.city.run import now_ms
from tests.cli.commands import demo, engine, liftgate, ready_file
from tests.sim.city.engines import asking, counts, dial_to, reader_config

ID = "north-entry-1"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with an MQTT listener."""
    path = demo(tmp_path)
    path.write_text(path.read_text() + '\n[mqtt]\nlisten = "127.0.0.1:0"\n')
    return path


@contextmanager
def way(config: Path) -> Iterator[MqttWay]:
    loaded = load(config)
    over = MqttWay(lambda: find_mqtt(loaded))
    try:
        yield over
    finally:
        over.close()


@pytest.mark.long
async def test_a_reader_over_mqtt_does_all_that_one_over_frames_does(config: Path) -> None:
    """Scan, passage, backlog, and orders at its lane; then the same log goes on over frames."""
    log = EventLog()
    with engine(config), way(config) as over:
        async with trio.open_nursery() as nursery:
            device = Reader(nursery, dial_to(config), reader_config(config, ID), now_ms, log, over)
            decision = await device.scan(0, CARD, b"\x04\x01")
            await device.passage(0, PASSED, decision.session)
            device.scan_alone(0, CARD, b"\x04\x02", m.OPEN)
            await device.replay()
            async with asking(config) as client:
                args = {"reader": ID, "lane": 0, "mode": 3, "actor": "test"}
                command = m.CommandMessage(os.urandom(16), "north", "set_lane", args)
                outcome = await client.ask(command)
                assert isinstance(outcome, m.Outcome) and outcome.ok, outcome
            await device.report(0)  # answered behind what was ordered
            assert log.alone == {} and device.lanes[0].mode == 3
            await device.aclose()
            frames = Reader(nursery, dial_to(config), reader_config(config, ID), now_ms, log)
            assert (await frames.scan(0, CARD, b"\x04\x03")).no == log.last == 5
            await frames.aclose()
        there = await counts(config)
        assert (there["occupancy"], there["held"]) == (1, 1)  # the car of the backlog was never told to pass


@pytest.mark.long
async def test_an_event_outlives_the_engine_over_mqtt(config: Path) -> None:
    """The engine killed and started elsewhere: the next scan is answered there, and counted once."""
    with way(config) as over:
        async with trio.open_nursery() as nursery:
            device = Reader(
                nursery, dial_to(config), reader_config(config, "north-both-1"), now_ms, over=over
            )
            with engine(config) as process:
                await device.scan(0, CARD, b"\x04\x01")
                process.kill()
                await trio.to_thread.run_sync(process.wait)
            ready_file(config).unlink()
            with engine(config):
                assert (await device.scan(0, CARD, b"\x04\x02")).verdict == m.OPEN
                assert (await counts(config))["occupancy"] == 2
                await device.aclose()


@pytest.mark.long
def test_the_citys_count_agrees(config: Path) -> None:
    """Every other reader over MQTT: the engine counts as many cars as the data has."""
    with engine(config):
        done = liftgate("sim", "city", "--mqtt", "--config", config, "--for", "3s")
    assert done.returncode == 0 and "engine and truth agree" in done.stdout, done.stderr


def test_without_a_listener_it_says_so(tmp_path: Path) -> None:
    """One line, exit 2."""
    done = liftgate("sim", "city", "--mqtt", "--config", demo(tmp_path), "--for", "1s")
    assert done.returncode == 2 and "no [mqtt] is configured" in done.stderr
