"""What a rule is."""

from typing import Any

from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lane, Lot


class Rule:
    """One question about a scan.

    `check` returns 0 or the reason of protocol.md's table that refuses the scan; it changes nothing but the
    scan's working place. `explain` says in words what the rule saw: it is asked only for the trace of a
    refusal, so that an opened barrier never waits for prose.
    """

    name = ""
    always = True
    """Asked in every lot, whatever its rules say."""

    @classmethod
    def made_for(cls, lot: Lot) -> "Rule | None":
        """The rule as this lot asks it; None where the lot's rules leave it out."""
        return cls()

    def concerns(self, lane: Lane) -> bool:
        """Whether `check` can come to anything but 0, or mark anything, at this lane as it is: a live scan
        asks no others. What changes that has the lot choose anew (`Lot.choose_rules`).
        """
        return True

    def check(self, lot: Lot, read: ReadCredential) -> int:
        raise NotImplementedError

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        raise NotImplementedError


class PartRule(Rule):
    """A rule that a theme brings; part: the state behind it (`parts/`)."""

    always = False

    def __init__(self, part: Any) -> None:
        self.part = part
