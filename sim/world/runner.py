"""Seeds: play one, sum up many, and shrink the story of one that fails."""

from __future__ import annotations

import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import structlog

from liftgate.sim.world.plan import Plan, draw_plan
from liftgate.sim.world.plants import planted
from liftgate.sim.world.shrink import Fails, More, shrink
from liftgate.sim.world.story import Failure, Found, story_lines
from liftgate.sim.world.workers import stop_when_stuck
from liftgate.sim.world.world import World
from liftgate.sim.world.zones import where

SHRINK_S = 60
"""How long the story of a failing seed is shrunk. Most are done in a third of it; somebody is waiting."""

CRASHED = "crashed"
TWO_STORIES = "two stories"
DIED = "process died"
NOT_SHRUNK = (DIED, TWO_STORIES)
"""Playing it once more may end this process, too, or shows nothing by itself."""


class Outcome(msgspec.Struct, frozen=True):
    """What playing one seed came to.

    sha256: of the journal, hex; simulated_ms: virtual time; counts: whatever the world counts, by name;
    cpu_s: what it cost.
    """

    seed: int
    found: tuple[Found, ...]
    sha256: str = ""
    simulated_ms: int = 0
    records: int = 0
    scans: int = 0
    answered: int = 0
    counts: dict[str, int] = {}
    cpu_s: float = 0.0


class Totals:
    """The sum of many outcomes. failed: those with a finding, in the order in which they came."""

    def __init__(self) -> None:
        self.seeds = 0
        self.simulated_ms = 0
        self.records = 0
        self.scans = 0
        self.answered = 0
        self.cpu_s = 0.0
        self.counts: Counter[str] = Counter()
        self.failed: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        """Add one."""
        self.seeds += 1
        self.simulated_ms += outcome.simulated_ms
        self.records += outcome.records
        self.scans += outcome.scans
        self.answered += outcome.answered
        self.cpu_s += outcome.cpu_s
        self.counts.update(outcome.counts)
        if outcome.found:
            self.failed.append(outcome)


def be_quiet() -> None:
    """No logs of the engine: it has much to say about what is done to it here."""
    structlog.configure(
        processors=[],
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=True,
    )


def play(seed: int, plant: str = "", twice: bool = False, quiet: bool = True) -> Outcome:
    """Play the story of one seed. twice: and once more, which must give the same journal."""
    if quiet:
        be_quiet()
    first = play_plan(draw_plan(seed), plant)
    if not twice or first.found:
        return first
    second = play_plan(draw_plan(seed), plant)
    if second.sha256 == first.sha256:
        return first
    text = f"the journals' SHA-256 are {first.sha256} and {second.sha256}"
    found = Found(TWO_STORIES, 0, text, "one seed, one story: the second run writes the same bytes")
    return msgspec.structs.replace(first, found=(found,))


def play_plan(plan: Plan, plant: str = "") -> Outcome:
    """Play a plan in a new world. What the world itself does not survive is a finding, too."""
    began = time.process_time()
    stop_when_stuck()
    try:
        with planted(plant):
            result = World(plan).run()
    except Exception as error:  # noqa: BLE001 - it is reported, with its place
        found = Found(CRASHED, 0, "".join(traceback.format_exception(error)[-4:]), "no exception")
        return Outcome(plan.seed, (found,), cpu_s=time.process_time() - began)
    finally:
        stop_when_stuck(0)
    return Outcome(
        result.seed,
        tuple(
            Found(one.kind, one.at_ms - plan.shape.start_ms, one.text, one.expected)
            for one in result.findings
        ),
        result.journal_sha256,
        result.simulated_ms,
        result.records,
        result.scans,
        result.answered,
        dict(result.counts),
        time.process_time() - began,
    )


def died(seed: int, exit_code: int) -> Outcome:
    """The outcome of a seed whose process ended."""
    found = Found(DIED, 0, f"the process ended with exit code {exit_code}", "a result")
    return Outcome(seed, (found,))


def only(plan: Plan, kept: Sequence[int]) -> Plan:
    """The plan with nothing but these of its happenings, by their places."""
    return msgspec.structs.replace(plan, happenings=tuple(plan.happenings[at] for at in kept))


PlayPlan = Callable[[Plan], Outcome]


def examine(
    plan: Plan,
    kept: tuple[int, ...],
    found: Found,
    play_one: PlayPlan,
    more: More,
    plant: str = "",
) -> Failure:
    """The failure with its story shrunk as far as `more` allows.

    kept: places in the plan of what was played. What was to happen after the finding is left out at once:
    nothing of it can matter.
    """

    def fails(some: tuple[int, ...]) -> bool:
        return any(one.kind == found.kind for one in play_one(only(plan, some)).found)

    happenings = plan.happenings
    whole = False
    if found.kind not in NOT_SHRUNK:
        before = tuple(at for at in kept if happenings[at].at_ms <= found.at_ms)
        if before != kept and fails(before):
            kept = before
        kept = shrink(_without_kinds(plan, kept, fails, more), fails, more)
        whole = more()
    lines, begins = story_lines(happenings, kept), where(plan.shape)
    return Failure(plan.seed, found, kept, len(happenings), lines, whole, begins, plant)


def _without_kinds(plan: Plan, kept: tuple[int, ...], fails: Fails, more: More) -> tuple[int, ...]:
    """Leave out all happenings of one kind at once, where that can be: a few tries that save many."""
    for kind in dict.fromkeys(type(happening) for happening in plan.happenings):
        others = tuple(at for at in kept if type(plan.happenings[at]) is not kind)
        if others != kept and more() and fails(others):
            kept = others
    return kept


def for_a_while(seconds: float) -> More:
    """A `more` that allows tries for so long."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def fresh_seeds() -> Iterator[int]:
    """Seeds that nobody has tried: from the time in ms on, one after the other."""
    seed = time.time_ns() // 1_000_000
    while True:
        yield seed
        seed += 1


def until(seeds: Iterator[int], seconds: float) -> Iterator[int]:
    """The seeds for as long as that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and (seed := next(seeds, None)) is not None:
        yield seed


def read_seeds(path: Path) -> list[tuple[int, str]]:
    """A file's seeds, each with what it found: lines `SEED  WHAT`; those that begin with # are for people."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    told = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return [(int(words[0]), " ".join(words[1:])) for words in told]
