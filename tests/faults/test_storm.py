"""`kill -9` while a storm of readers brings its backlog in: told once, found alike, and nothing opened."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.faults.engines import LOT, make_engine, reader_ids
from tests.faults.storm import Storm

SPOTS = 20_000  # more than all cars: what is found must not depend on who came first


async def killed(folder: Path, readers: int, rounds: int, kills: int) -> str:
    """Kill the engine so many times before all is in; what was survived."""
    engine = make_engine(folder, readers, SPOTS)
    draws = random.Random(kills)
    with engine:
        storm = Storm(reader_ids(readers), lambda: engine.address, rounds, batch=25)
        each = storm.left() // (kills + 1)
        async with storm.working():
            for _ in range(kills):
                await storm.wait_entries(draws.randrange(each // 2, each))
                engine.kill()
                assert storm.left(), "all was in already"
                engine.start()
            await storm.wait_entries(storm.left())
            await storm.wait_answers(readers)
        counts = engine.counts(LOT)
        assert counts.occupancy == storm.judge() + storm.cars_alone()
        engine.terminate()
        assert engine.wait_exit() == 0, engine.log_text()
    storm.judge_journal(folder)
    assert storm.found_again, "nothing was sent again while its answer was kept"
    said = f"{kills} kills, {storm.entries()} entries told, {storm.found_again} findings told again"
    return f"{said}, {storm.answered} live scans answered"


def test_killed_twice_in_a_storm(tmp_path: Path) -> None:
    """Ten readers, quickly."""
    assert asyncio.run(killed(tmp_path, readers=10, rounds=30, kills=2)).startswith("2 kills, 2400 entries")


@pytest.mark.long
def test_killed_again_and_again_in_a_storm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Forty readers with 1,600 entries each, and ten kills while these come in."""
    said = asyncio.run(killed(tmp_path, readers=40, rounds=200, kills=10))
    with capsys.disabled():
        print(f"\nkill -9 in a storm: {said}")
    assert said.startswith("10 kills, 64000 entries")
