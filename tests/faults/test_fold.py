"""Folding beside a running engine, and killed in the middle: recovery is exact from whatever is left."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest

from liftgate.engine.core import state
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.recovery import Reader
from liftgate.engine.journal.snapshot import newest, snapshot_names
from liftgate.engine.replay import Replay
from tests.faults.engines import LOT, make_engine, reader_ids
from tests.faults.swarm import Swarm

ROOT = Path(__file__).resolve().parents[2]


def recovered(journal: Path, from_snapshot: bool) -> tuple[int, bytes]:
    """Position and state from the newest snapshot and what follows it, or from the start."""
    storage = DiskStorage(journal, make=False)
    replay = Replay(newest(storage) if from_snapshot else None)
    Reader(storage, replay.record, replay.position).read()
    return replay.position, state.dump(replay.lots[LOT])


def start_fold(journal: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "liftgate.engine.replay", str(journal)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.long
def test_fold_beside_an_engine(tmp_path: Path) -> None:
    """Folds while the engine writes and is killed, some folds killed too: the newest snapshot with its tail
    is the full replay, which is what the restarted engine says and what the readers were told."""
    draws = random.Random(3)
    journal = tmp_path / "journal"

    async def run() -> None:
        engine = make_engine(tmp_path, 20, 400, segment_bytes=1 << 20)
        with engine:
            with engine.service() as service:
                service.send(0x44, "keeper", 0)  # its cursor keeps every segment
                service.wait_events(1)
                while not (journal / "cursors").exists():  # not stored yet, a kill would take it back
                    await asyncio.sleep(0.02)
            swarm = Swarm(reader_ids(20), lambda: engine.address)
            async with swarm.working():
                for _ in range(6):
                    await swarm.wait_answers(3000)
                    fold = start_fold(journal)
                    if draws.random() < 0.5:
                        await swarm.wait_answers(draws.randrange(500, 2500))
                        fold.kill()
                    _, said = await asyncio.to_thread(fold.communicate)
                    assert fold.returncode in (0, -9), said
                    if draws.random() < 0.5:
                        engine.kill()
                        engine.start()
            assert engine.counts(LOT).occupancy == swarm.judge()
            engine.terminate()
            assert engine.wait_exit() == 0
        assert snapshot_names(DiskStorage(journal).names())
        assert recovered(journal, True) == recovered(journal, False)

    asyncio.run(run())
