"""The world can fail: every planted bug is found, within so many seeds.

SEEDS_MAX follows from measured shares (`docs/simulation.md` has the table): one row of seeds in a thousand
would be that long without showing the bug.
"""

from __future__ import annotations

import pytest

from liftgate.sim.world import plants, runner

pytestmark = pytest.mark.long

SEEDS_MAX = {
    "early-answer": 3,
    "failed-sync": 40,
    "forgotten-numbers": 60,
    "spot-twice": 25,
    "snapshot-off": 10,
    "early-cursor": 5,
    "early-retire": 300,
    "replay-opens": 8,
    "lost-lapse": 20,
    "other-outcome": 8,
    "order-twice": 8,
    "seq-gap": 8,
    "backed-out": 10,
    "followers": 3,
    "feed-skips": 35,
    "no-deny-list": 10,
    "revoked-key": 15,
    "old-key": 20,
    "uses-forgotten": 30,
    "no-entitlements": 10,
    "no-passback": 5,
    "endless-mode": 10,
    "untold-mode": 5,
    "no-tide": 30,
    "still-tide": 35,
    "plan-keeps-nothing": 10,
    "utc-times": 8,
    "no-impossible": 10,
    "rows-agree": 12,
    "open-at-night": 45,
    "no-hold": 10,
    "last-in-line": 80,
    "follower-again": 25,
    "plate-again": 40,
    "ticket-again": 60,
    "tap-again": 45,
    "no-limits-alone": 45,
    "old-policy": 55,
}


@pytest.mark.parametrize("name", sorted(plants.BUGS))
def test_a_planted_bug_is_found(name: str) -> None:
    """It is found, and not for a reason that is there without it."""
    found = next((o for seed in range(1, SEEDS_MAX[name] + 1) if (o := runner.play(seed, name)).found), None)
    assert found is not None
    assert runner.play(found.seed).found == ()


def test_nothing_stays_planted() -> None:
    """After each, the engine is what it was: the same seed passes and writes the same journal."""
    before = runner.play(1)
    for name in plants.BUGS:
        with plants.planted(name):
            pass
    assert (before.found, runner.play(1).sha256) == ((), before.sha256)
