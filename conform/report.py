"""What is required, and what came of it: pass, fail, or not seen, each with what was seen."""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Requirement(NamedTuple):
    """One sentence of protocol.md that can be watched from outside.

    section: its heading there; hint: what the tester has to do for it to be seen, "" where nothing.
    """

    id: str
    section: str
    text: str
    hint: str = ""


class Verdict(Enum):
    PASS = "pass"
    FAIL = "fail"
    NOT_SEEN = "not seen"


class Result(NamedTuple):
    """A requirement, what came of it, and what was seen."""

    requirement: Requirement
    verdict: Verdict
    seen: str


class Missed(Exception):
    """The side under test did not do what the protocol says, in words; the scenario ends."""


class Unseen(Exception):
    """Nobody did what the scenario needs, or the side under test is away: nothing can be judged."""


class Report:
    """Results of one run, by requirement.

    A failure stays a failure, with what was seen first; a later scenario that passes does not excuse it.
    touched: ids told of since it was cleared.
    """

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        self._requirements = {each.id: each for each in requirements}
        self._found: dict[str, tuple[Verdict, str]] = {}
        self.touched: set[str] = set()

    def check(self, id: str, holds: bool, seen: str) -> bool:
        """Judge a requirement; return `holds`. Raises KeyError for an id that nobody declared."""
        assert id in self._requirements, id
        self.touched.add(id)
        before = self._found.get(id)
        if before is None or before[0] is not Verdict.FAIL:
            self._found[id] = (Verdict.PASS if holds else Verdict.FAIL, seen)
        return holds

    def passed(self, id: str, seen: str) -> None:
        """The requirement holds."""
        self.check(id, True, seen)

    def failed(self, id: str, seen: str) -> None:
        """The requirement does not hold."""
        self.check(id, False, seen)

    def unseen(self, id: str, why: str) -> None:
        """The requirement could not be judged; a judgement before or after this stands."""
        self.touched.add(id)
        self._found.setdefault(id, (Verdict.NOT_SEEN, why))

    def results(self) -> list[Result]:
        """Every requirement in the order declared."""
        missing = (Verdict.NOT_SEEN, "the run ended before it")
        return [Result(each, *self._found.get(each.id, missing)) for each in self._requirements.values()]
