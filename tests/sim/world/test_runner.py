"""Playing seeds, summing up, and shrinking the story of one that fails."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest

from liftgate.sim.world import runner
from liftgate.sim.world.plan import Happening, Plan, draw_plan
from liftgate.sim.world.shape import Shape
from liftgate.sim.world.story import Found
from liftgate.sim.world.world import World

SECOND_MS = 1000


class Step(Happening, frozen=True, kw_only=True):
    """A happening for a world that is played by these tests."""

    name: str

    def line(self) -> str:
        return f"{self.name} happens"


def draw_steps(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """One a second."""
    return [Step(at_ms=number * SECOND_MS, name=f"step {number}") for number in range(60)]


def plan_of_steps() -> Plan:
    """A plan with nothing but steps."""
    return draw_plan(5, [("steps", draw_steps)])


class Played:
    """Plays plans of steps: it goes wrong where step 7 comes before step 30. tries: how many were played."""

    def __init__(self) -> None:
        self.tries = 0

    def __call__(self, plan: Plan) -> runner.Outcome:
        self.tries += 1
        names = {step.line() for step in plan.happenings}
        wrong = {"step 7 happens", "step 30 happens"} <= names
        other = (Found("other", 0, "", ""),) if "step 8 happens" not in names else ()
        found = Found("clash", 30 * SECOND_MS, "7 and 30", "not both")
        return runner.Outcome(plan.seed, (found,) if wrong else other)


def examine(play: Played, more: bool = True) -> runner.Failure:
    """Shrink the story of the whole plan."""
    plan = plan_of_steps()
    found = play(plan).found[0]
    return runner.examine(plan, tuple(range(60)), found, play, lambda: more)


def test_the_story_is_shrunk_to_what_it_takes() -> None:
    """Two of sixty happenings are left, with their time; another kind of finding does not count."""
    failure = examine(Played())
    assert (failure.kept, failure.of, failure.whole) == ((7, 30), 60, True)
    assert failure.lines == ("0:00:07.000  step 7 happens", "0:00:30.000  step 30 happens")


def test_without_time_only_what_came_after_is_left_out() -> None:
    """At least everything after the finding goes, and the report says that there may be less."""
    failure = examine(Played(), more=False)
    assert (failure.kept, failure.whole) == (tuple(range(31)), False)


def test_what_would_end_this_process_is_not_played_here() -> None:
    """A seed whose process died is reported with its whole story."""
    play = Played()
    found = runner.died(5, -9).found[0]
    failure = runner.examine(plan_of_steps(), tuple(range(60)), found, play, lambda: True)
    assert (play.tries, len(failure.kept)) == (0, 60)


def test_totals_are_sums() -> None:
    """Of all outcomes; the failed ones are kept in order."""
    totals = runner.Totals()
    bad = runner.Outcome(2, (Found("x", 0, "", ""),), scans=4, counts={"cut": 2})
    for outcome in (runner.Outcome(1, (), scans=3, counts={"cut": 1, "kill": 1}), bad):
        totals.add(outcome)
    assert (totals.seeds, totals.scans, dict(totals.counts)) == (2, 7, {"cut": 3, "kill": 1})
    assert totals.failed == [bad]


def test_a_run_for_a_while_ends() -> None:
    """After its time no more seeds are given, however many there are."""
    assert list(runner.until(count(), 0)) == []
    assert list(runner.until(iter((4, 5)), 60)) == [4, 5]


def test_fresh_seeds_are_new_ones() -> None:
    """Two runs have no seed in common unless one began within the other's count of milliseconds."""
    first = list(islice(runner.fresh_seeds(), 3))
    assert first == [first[0], first[0] + 1, first[0] + 2]
    assert first[0] > 1_700_000_000_000


def test_a_file_of_seeds(tmp_path: Path) -> None:
    """Each line a seed and what it found; lines with # are for people."""
    path = tmp_path / "seeds.txt"
    path.write_text("# kept\n\n12  spot twice, fixed\n7\n")
    assert runner.read_seeds(path) == [(12, "spot twice, fixed"), (7, "")]


def test_an_exception_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a world does not survive names its place."""

    def run(self: World) -> None:
        raise LookupError("nowhere")

    monkeypatch.setattr(World, "run", run)
    (found,) = runner.play(3).found
    assert found.kind == runner.CRASHED
    assert "LookupError: nowhere" in found.text and "test_runner.py" in found.text


def test_two_runs_of_a_seed_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A seed that tells two stories is a finding of its own."""
    hashes: Iterator[str] = map(str, count())
    monkeypatch.setattr(
        runner, "play_plan", lambda plan, plant: runner.Outcome(plan.seed, (), sha256=next(hashes))
    )
    assert [found.kind for found in runner.play(3, twice=True).found] == [runner.TWO_STORIES]
    assert runner.play(3).found == ()


SAME_ANYWHERE = """
import json
from liftgate.sim.world import runner
outcomes = [runner.play(seed) for seed in range(40, 44)]
print(json.dumps([[o.sha256, o.simulated_ms, o.records, o.counts] for o in outcomes], sort_keys=True))
"""


def test_a_seed_played_twice() -> None:
    """The same bytes in the journal, in one process."""
    assert runner.play(3, twice=True).found == ()


@pytest.mark.long
def test_one_seed_one_story() -> None:
    """The same bytes in the journal in two processes that hash strings and place objects differently."""
    told = []
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SAME_ANYWHERE],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        told.append(json.loads(done.stdout))
    assert told[0] == told[1]
    assert len({sha256 for sha256, *_ in told[0]}) == 4
