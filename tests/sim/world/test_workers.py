"""Seeds over processes: every seed has its outcome, also when its process has not."""

from __future__ import annotations

import os
import time
from itertools import count

import pytest

from liftgate.sim.world.workers import Stuck, Workers, stop_when_stuck


def twofold(seed: int) -> tuple[int, int]:
    """A quick one; seed 13 ends its process."""
    if seed == 13:
        os._exit(3)
    return seed, 2 * seed


def died(seed: int, exit_code: int) -> tuple[int, int]:
    """The exit code stands in for the outcome."""
    return seed, -exit_code


def test_every_seed_is_played_once() -> None:
    """Over two processes, in whatever order."""
    with Workers(twofold, died, 2) as workers:
        assert sorted(workers.results(iter(range(12)))) == [(seed, 2 * seed) for seed in range(12)]


def test_a_process_that_ends_names_its_seed() -> None:
    """The seed that ended it gets `died`; the others are played by the process that takes its place."""
    with Workers(twofold, died, 1) as workers:
        assert list(workers.results(iter((12, 13, 14)))) == [(12, 24), (13, -3), (14, 28)]


def test_seeds_are_taken_as_there_is_time_for_them() -> None:
    """An endless row of seeds may be left whenever enough came back."""
    seeds = count()
    with Workers(twofold, died, 2) as workers:
        results = workers.results(seeds)
        for _ in range(5):
            next(results)
    assert next(seeds) <= 8


def test_what_goes_round_in_circles_is_stopped() -> None:
    """Stuck is raised where the CPU time was spent, and not after it was called off."""
    stop_when_stuck(0.05)
    with pytest.raises(Stuck):
        while True:
            pass
    stop_when_stuck(0.05)
    stop_when_stuck(0)
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
