"""Runs scenarios one after the other, and makes of what ends one early what its requirements deserve."""

from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

from liftgate.conform.port import Ended
from liftgate.conform.report import Missed, Report, Requirement, Unseen
from liftgate.conform.wire import BadFrame


class Player(Protocol):
    """One side as the kit plays it.

    of_whole_run: requirements that no scenario judges alone.
    """

    report: Report
    of_whole_run: frozenset[str]

    def broken_by(self, bad: BadFrame) -> str:
        """Which requirement a bad frame of the other side breaks."""

    def hang_up(self) -> None:
        """Drop what a scenario left open."""

    def conclude(self) -> None:
        """Judge what only the whole run shows."""


Side = TypeVar("Side", bound=Player)
Play = Callable[[Side], None]


class Scenario(NamedTuple, Generic[Side]):
    """A short play with the side under test. ids: the requirements it judges, in that order."""

    title: str
    ids: tuple[str, ...]
    play: Play[Side]


class Stage(Generic[Side]):
    """Where scenarios are put together, in the order in which they are run."""

    def __init__(self) -> None:
        self.scenarios: list[Scenario[Side]] = []

    def scenario(self, *ids: str) -> Callable[[Play[Side]], Play[Side]]:
        """Make a function a scenario; its docstring's first line is the title."""

        def add(play: Play[Side]) -> Play[Side]:
            title = (play.__doc__ or play.__name__).splitlines()[0].rstrip(".")
            self.scenarios.append(Scenario(title, ids, play))
            return play

        return add


def chosen(requirements: Iterable[Requirement], only: Iterable[str]) -> list[Requirement]:
    """The requirements whose id begins with one of `only`, by whole words of it; all where none is given.

    Raises KeyError with what names nothing.
    """
    wanted = [each.upper() for each in only]
    everything = list(requirements)
    for each in wanted:
        if not any(_named(requirement.id, each) for requirement in everything):
            raise KeyError(each)
    return [one for one in everything if not wanted or any(_named(one.id, each) for each in wanted)]


def _named(id: str, prefix: str) -> bool:
    return f"{id}-".startswith(f"{prefix}-")


def run(
    scenarios: Iterable[Scenario[Side]], side: Side, wanted: set[str], say: Callable[[str], None]
) -> None:
    """Run the scenarios that judge anything wanted, then what the whole run shows.

    Where nothing but that is wanted, all of them are run.
    """
    everything = wanted <= side.of_whole_run
    for scenario in scenarios:
        if everything or wanted & set(scenario.ids):
            say(scenario.title)
            _run_one(scenario, side)
    side.conclude()


def _run_one(scenario: Scenario[Side], side: Side) -> None:
    report = side.report
    report.touched.clear()
    try:
        scenario.play(side)
    except Missed as missed:
        _fail_next(report, scenario.ids, str(missed))
    except Ended as ended:
        _fail_next(report, scenario.ids, str(ended) or "the connection ended")
    except BadFrame as bad:
        report.failed(side.broken_by(bad), str(bad))
        _leave(report, scenario.ids, f"it ended at a bad frame: {bad}")
    except Unseen as unseen:
        _leave(report, scenario.ids, str(unseen))
    finally:
        side.hang_up()
    _leave(report, scenario.ids, "it did not come to that")


def _fail_next(report: Report, ids: tuple[str, ...], seen: str) -> None:
    """What the scenario was about when it ended has failed; what would have come after it was not seen."""
    for id in ids:
        if id not in report.touched:
            report.failed(id, seen)
            break
    _leave(report, ids, f"it ended before: {seen}")


def _leave(report: Report, ids: tuple[str, ...], why: str) -> None:
    for id in ids:
        if id not in report.touched:
            report.unseen(id, why)
