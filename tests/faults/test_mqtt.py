"""MQTT readers at work while engine, gateway and broker are killed: every acknowledged event exists, once."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.services import Service
from deploy.services.ports import free_ports
from tests.faults.engines import make_engine, reader_ids
from tests.faults.mqtt_fleet import Fleet
from tests.independent.engine_process import KEY

READERS = 12


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


class Gateway:
    """`liftgate mqtt` as a process."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._log = config.with_suffix(".mqtt.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "liftgate.cli", "mqtt", "--config", str(self._config)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """An orderly end; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(15)


BROKER = """
[[service]]
id = "mqtt"
key = "{key}"
may = ["read_credential", "record_passage", "report_lane", "record_history"]
[mqtt.broker]
host = "127.0.0.1"
port = {port}
"""


@pytest.mark.long
def test_broker_gateway_and_engine_are_killed_in_turn(tmp_path: Path, own_mosquitto: Service) -> None:
    """Readers behind a real mosquitto: each of the three is killed while they publish, and what is decided
    exists once."""
    engine = make_engine(tmp_path, READERS, 5000)
    with engine.config.open("a") as file:
        file.write(BROKER.format(key=KEY.hex(), port=own_mosquitto.port))
    gateway = Gateway(engine.config)

    async def again(kill: Callable[[], object], start: Callable[[], object]) -> None:
        await asyncio.to_thread(kill)
        await asyncio.to_thread(start)

    async def run() -> Fleet:
        fleet = Fleet(reader_ids(READERS), lambda: own_mosquitto.port, through_broker=True)
        async with fleet.working():
            await fleet.wait_more(200)
            await again(gateway.kill, gateway.start)
            await fleet.wait_more(200)
            await again(own_mosquitto.kill, own_mosquitto.start)
            await fleet.wait_more(200)
            await again(engine.kill, engine.start)
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
    assert fleet.judge(tmp_path) >= 800 and fleet.acknowledged == fleet.decided
