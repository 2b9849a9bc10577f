"""`kill -9` of engine and prover with tickets and tags in flight: none opens twice, none is forgotten."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.engines import LOT, reader_ids
from tests.faults.tickets import Crowd, prover_pid, ticket_engine
from tests.independent.engine_process import Engine

READERS, SPOTS = 9, 50_000
BETWEEN = 1000
GONE_S_MAX = 20


def wait_gone(pid: int) -> None:
    """Return when the process has ended, whoever has to reap it."""
    deadline = time.monotonic() + GONE_S_MAX
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        assert time.monotonic() < deadline, f"process {pid} is still {state}"
        time.sleep(0.01)  # not a child of ours: nobody tells


async def kill_engine(engine: Engine, crowd: Crowd) -> None:
    """Under load; its prover ends by itself."""
    pid = prover_pid(engine)
    engine.kill()
    wait_gone(pid)
    engine.start()


async def kill_engine_with_proofs_under_way(engine: Engine, crowd: Crowd) -> None:
    """All that readers may have in flight is tickets that nobody has looked at."""
    pid = prover_pid(engine)
    os.kill(pid, signal.SIGSTOP)
    await crowd.wait_until(crowd.all_wait)
    engine.kill()
    os.kill(pid, signal.SIGKILL)
    engine.start()


async def kill_prover(engine: Engine, crowd: Crowd) -> None:
    """With all that it may have: cards go on without it, tickets are asked again and go on with the next."""
    pid, before = prover_pid(engine), crowd.put_off
    os.kill(pid, signal.SIGSTOP)
    await crowd.wait_until(crowd.all_wait)
    await crowd.wait_answers(100)
    assert prover_pid(engine) == pid
    os.kill(pid, signal.SIGKILL)
    await crowd.wait_tickets(BETWEEN)
    assert crowd.put_off > before and prover_pid(engine) != pid


FAULTS = (kill_engine, kill_engine_with_proofs_under_way, kill_prover)


async def killed(folder: Path, times: int) -> str:
    """Each of the faults so often, in any order; what was survived."""
    engine = ticket_engine(folder, READERS, SPOTS)
    faults = [*FAULTS] * times
    random.Random(times).shuffle(faults)
    with engine:
        crowd = Crowd(reader_ids(READERS), lambda: engine.address)
        async with crowd.working():
            for fault in faults:
                await crowd.wait_tickets(BETWEEN)
                await fault(engine, crowd)
            await crowd.wait_tickets(BETWEEN)
        inside = crowd.judge()
        assert engine.counts(LOT).occupancy == inside
        engine.terminate()
        assert engine.wait_exit() == 0, engine.log_text()
    crowd.judge_journal(folder)
    return f"{len(faults)} kills; {crowd.answered} answers, {crowd.put_off} put off"


@pytest.mark.long
def test_killed_with_tickets_in_flight(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Engine and prover, nine times in any order."""
    said = asyncio.run(killed(tmp_path, 3))
    with capsys.disabled():
        print(f"\nkill -9 with tickets in flight: {said}")
    assert said.startswith("9 kills")
