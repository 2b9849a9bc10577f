"""MQTT readers at work while engine, gateway and broker are killed: every acknowledged event exists, once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deploy.services import Service
from deploy.services.ports import free_ports
from tests.faults.engines import make_engine, reader_ids
from tests.faults.mqtt_fleet import Fleet
from tests.faults.mqtt_gateway import Gateway, broker_toml
from tests.independent.engine_process import Engine

READERS = 12
THERE, LOST, AWAY = "mqtt.broker_there", "mqtt.broker_lost", "mqtt.broker_away"
"""What a gateway says of its broker."""


@pytest.mark.long
def test_the_engine_is_killed_while_readers_publish(tmp_path: Path) -> None:
    """Three kills of the process that listens; standard clients connect again and send again."""
    (port,) = free_ports(1)
    engine = make_engine(tmp_path, READERS, 5000)
    with engine.config.open("a") as file:
        file.write(f'\n[mqtt]\nlisten = "127.0.0.1:{port}"\n')

    async def run() -> Fleet:
        fleet = Fleet(reader_ids(READERS), lambda: port)
        with engine:
            async with fleet.working():
                for _ in range(3):
                    await fleet.wait_more(300)
                    engine.kill()
                    await asyncio.to_thread(engine.start)
                await fleet.wait_more(100)
            engine.terminate()
            assert await asyncio.to_thread(engine.wait_exit) == 0, engine.log_text()
        return fleet

    fleet = asyncio.run(run())
    assert fleet.judge(tmp_path) >= 1000 and fleet.connections >= 4 * READERS
    assert fleet.decided


@pytest.mark.long
def test_broker_gateway_and_engine_are_killed_in_turn(tmp_path: Path, own_mosquitto: Service) -> None:
    """Readers behind a real mosquitto: each of the three is killed while they publish, and what is decided
    exists once."""

    async def again(kill: Callable[[], object], start: Callable[[], object]) -> None:
        await asyncio.to_thread(kill)
        await asyncio.to_thread(start)

    async def disturb(fleet: Fleet, engine: Engine, gateway: Gateway) -> None:
        await again(gateway.kill, gateway.start)
        await fleet.wait_more(200)
        await again(own_mosquitto.kill, own_mosquitto.start)
        await fleet.wait_more(200)
        await again(engine.kill, engine.start)

    work_behind_broker(tmp_path, own_mosquitto, disturb)


@pytest.mark.long
def test_the_broker_stands_still(tmp_path: Path, own_mosquitto: Service) -> None:
    """Paused, it takes connections and answers nobody: first for so long that every reader gives it up, then
    for so long that the gateway does, too. What it had taken and what was sent to it again is one event."""

    async def disturb(fleet: Fleet, _: Engine, gateway: Gateway) -> None:
        await asyncio.to_thread(gateway.wait_logged, THERE)
        own_mosquitto.pause()
        await fleet.wait_all_lost()
        own_mosquitto.resume()
        await fleet.wait_more(200)
        own_mosquitto.pause()
        await asyncio.to_thread(gateway.wait_logged, LOST)
        await asyncio.to_thread(gateway.wait_logged, AWAY)  # it tried, and nobody answered
        own_mosquitto.resume()
        await asyncio.to_thread(gateway.wait_logged, THERE, 2)

    work_behind_broker(tmp_path, own_mosquitto, disturb)


def work_behind_broker(
    folder: Path, broker: Service, disturb: Callable[[Fleet, Engine, Gateway], Awaitable[None]]
) -> None:
    """Readers at work behind the broker before, while and after it is disturbed: what was acknowledged is
    what was decided, and exists once."""
    engine = make_engine(folder, READERS, 5000)
    with engine.config.open("a") as file:
        file.write(broker_toml(broker.port, "carry_readers"))
    gateway = Gateway(engine.config)

    async def run() -> Fleet:
        fleet = Fleet(reader_ids(READERS), lambda: broker.port, through_broker=True)
        async with fleet.working():
            await fleet.wait_more(200)
            await disturb(fleet, engine, gateway)
            await fleet.wait_more(200)
        return fleet

    with engine:
        gateway.start()
        try:
            fleet = asyncio.run(run())
            assert gateway.end() == 0
        finally:
            gateway.kill()
        engine.terminate()
        assert engine.wait_exit() == 0, engine.log_text()
    assert fleet.judge(folder) >= 600 and fleet.acknowledged == fleet.decided
