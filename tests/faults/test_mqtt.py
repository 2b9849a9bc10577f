"""The engine killed under the load of MQTT readers: every acknowledged event exists, once."""

import asyncio
from pathlib import Path

import pytest

from deploy.services.ports import free_ports
from tests.faults.engines import make_engine, reader_ids
from tests.faults.mqtt_fleet import Fleet

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
