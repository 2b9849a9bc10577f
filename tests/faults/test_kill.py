"""`kill -9` and SIGTERM under full load, on a real process: nothing answered is lost, nothing done twice."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.faults.engines import LOT, make_engine, reader_ids
from tests.faults.swarm import Swarm
from tests.independent.engine_process import Engine

READERS = 40
SPOTS = 700  # fewer than the cars that want in, so that "full" happens too


def check(swarm: Swarm, engine: Engine, folder: Path) -> None:
    """Every answer is in the journal at its position; occupancy is what the answers say."""
    inside = swarm.judge()
    counts = engine.counts(LOT)
    assert counts.occupancy == inside and counts.available == SPOTS - inside
    engine.terminate()
    assert engine.wait_exit() == 0, engine.log_text()
    swarm.judge_journal(folder)


async def killed(folder: Path, kills: int, answers_between: int) -> str:
    """Kill the engine so many times while a swarm works; what was survived."""
    engine = make_engine(folder, READERS, SPOTS)
    draws = random.Random(kills)
    survived = 0
    with engine:
        swarm = Swarm(reader_ids(READERS), lambda: engine.address)
        async with swarm.working():
            for _ in range(kills):
                await swarm.wait_answers(draws.randrange(answers_between // 2, answers_between))
                engine.kill()
                engine.start()
                survived += 1
            await swarm.wait_answers(answers_between)
        check(swarm, engine, folder)
    return f"{survived} of {kills}; {swarm.answered} events answered"


def test_killed_twice(tmp_path: Path) -> None:
    """Two kills under load, quickly."""
    assert asyncio.run(killed(tmp_path, 2, 1500)).startswith("2 of 2")


@pytest.mark.long
def test_killed_twenty_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty kills in a row under load."""
    said = asyncio.run(killed(tmp_path, 20, 8000))
    with capsys.disabled():
        print(f"\nkill -9 under load: {said}")
    assert said.startswith("20 of 20")


def test_terminated_under_load(tmp_path: Path) -> None:
    """SIGTERM under load: exit 0, and after a start every answer is there and the rest is decided once."""

    async def run() -> None:
        engine = make_engine(tmp_path, READERS, SPOTS)
        with engine:
            swarm = Swarm(reader_ids(READERS), lambda: engine.address)
            async with swarm.working():
                await swarm.wait_answers(3000)
                engine.terminate()
                assert await asyncio.to_thread(engine.wait_exit) == 0, engine.log_text()
                engine.start()
                await swarm.wait_answers(1000)
            check(swarm, engine, tmp_path)

    asyncio.run(run())
