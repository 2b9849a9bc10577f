"""What `liftgate sim world` shows: progress, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

from liftgate.sim.world.runner import Outcome, Totals
from liftgate.sim.world.story import Failure, failure_lines

LINE_EVERY_S = 5

Show = Callable[[Totals], None]


class Run(NamedTuple):
    """What was played. first: the first seed; took_s: wall clock; failures: those whose story was shrunk."""

    first: int
    totals: Totals
    took_s: float
    failures: list[Failure]


def progress(count: int | None, silent: bool) -> AbstractContextManager[Show]:
    """What to call with the totals after every seed. count: how many seeds there are, None = no end known."""
    console = Console()
    if silent:
        return _silence()
    return _bar(console, count) if console.is_terminal else _lines()


@contextmanager
def _silence() -> Iterator[Show]:
    yield lambda totals: None


@contextmanager
def _lines() -> Iterator[Show]:
    """A line every few seconds, and one for each seed that fails."""
    began = said = time.monotonic()
    failed = 0

    def show(totals: Totals) -> None:
        nonlocal said, failed
        now = time.monotonic()
        for outcome in totals.failed[failed:]:
            print(in_a_line(outcome), flush=True)
        failed = len(totals.failed)
        if now - said >= LINE_EVERY_S:
            said = now
            print(f"{now - began:5.0f} s  {state(totals, now - began)}", flush=True)

    yield show


@contextmanager
def _bar(console: Console, count: int | None) -> Iterator[Show]:
    """A line that is always new, with a bar where there is an end."""
    columns: list[ProgressColumn] = [SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}")]
    if count is not None:
        columns.append(BarColumn())
    began = time.monotonic()
    with Progress(*columns, console=console, transient=True) as display:
        task = display.add_task("starting", total=count)
        failed = 0

        def show(totals: Totals) -> None:
            nonlocal failed
            for outcome in totals.failed[failed:]:
                display.console.print(in_a_line(outcome), markup=False)
            failed = len(totals.failed)
            text = state(totals, time.monotonic() - began)
            display.update(task, completed=totals.seeds, description=text)

        yield show


def in_a_line(outcome: Outcome) -> str:
    """Which seed failed, and by what: at once, as with --keep-going the stories come at the end."""
    found = outcome.found[0]
    return f"seed {outcome.seed} fails: {found.kind}: {found.text[:200]}"


def state(totals: Totals, took_s: float) -> str:
    """How far it is, in a line."""
    hours = totals.simulated_ms / 3_600_000
    rate = totals.seeds / took_s if took_s else 0.0
    seeds = f"{totals.seeds:,} {'seed' if totals.seeds == 1 else 'seeds'}"
    return (
        f"{seeds} ({rate:.1f} a second)  {hours:,.0f} simulated hours  "
        f"{totals.scans:,} scans  {len(totals.failed)} failed"
    )


def as_lines(run: Run) -> Iterator[str]:
    """The report for people."""
    for failure in run.failures:
        yield from failure_lines(failure)
    told = {failure.seed for failure in run.failures}
    for outcome in run.totals.failed:
        if outcome.seed not in told:
            yield f"seed {outcome.seed}: {outcome.found[0].kind}"
    yield f"{run.took_s:.0f} s: {state(run.totals, run.took_s)}"
    counts = sorted(run.totals.counts.items())
    if counts:
        yield "  ".join(f"{name} {count:,}" for name, count in counts)
    failed = len(run.totals.failed)
    yield f"{failed} of {run.totals.seeds:,} failed" if failed else "nothing found"


def as_json(run: Run) -> str:
    """The report as one JSON object."""
    totals = run.totals
    stories = {failure.seed: failure for failure in run.failures}
    body: dict[str, Any] = {
        "first_seed": run.first,
        "seeds": totals.seeds,
        "seconds": round(run.took_s, 3),
        "cpu_seconds": round(totals.cpu_s, 3),
        "simulated_hours": round(totals.simulated_ms / 3_600_000, 3),
        "records": totals.records,
        "scans": totals.scans,
        "answered": totals.answered,
        "counts": dict(sorted(totals.counts.items())),
        "failed": [
            {
                "seed": outcome.seed,
                "found": outcome.found,
                "story": _story(stories.get(outcome.seed)),
            }
            for outcome in totals.failed
        ],
    }
    return msgspec.json.encode(body).decode()


def _story(failure: Failure | None) -> dict[str, Any] | None:
    """A shrunk story, None where there was no time for one."""
    if failure is None:
        return None
    return {
        "happenings": failure.kept,
        "of": failure.of,
        "lines": failure.lines,
        "fewest": failure.whole,
        "repeat": failure.command(),
        "only": failure.command(only=True),
    }
