"""Closing times, and the grace for a car that only turned round."""

from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.marks import TURNED_ROUND, Marks
from liftgate.engine.core.model import Lot
from liftgate.engine.core.rules.base import Rule

OUTSIDE_TIMES = 220


class IsOpenNow(Rule):
    """No car comes in from the street while the lot is closed; it goes out, and on inside, at any time.

    How it is now holds until the next edge, so that zone arithmetic is asked for twice a day. A second
    span is kept beside it: history of the day before comes between live scans.
    """

    name = "opening times"
    always = False

    def __init__(self, hours: object) -> None:
        self.hours = hours
        self.from_ms = 0
        self.to_ms = 0
        self.shut = False
        self.other: tuple[int, int, bool] = (0, 0, False)

    @classmethod
    def made_for(cls, lot: Lot) -> "IsOpenNow | None":
        hours = lot.parts["limits"].hours if "limits" in lot.parts else None
        return None if hours is None else cls(hours)

    def check(self, lot: Lot, read: ReadCredential) -> int:
        if read.lane.area.parent is not None:
            return 0
        at_ms = read.time_ms
        if at_ms < self.from_ms or at_ms >= self.to_ms:
            self._look(at_ms)
        return OUTSIDE_TIMES if self.shut else 0

    def _look(self, at_ms: int) -> None:
        before = (self.from_ms, self.to_ms, self.shut)
        found = self.other
        if at_ms < found[0] or at_ms >= found[1]:
            found = self.hours.span(at_ms)  # type: ignore[attr-defined]
        self.from_ms, self.to_ms, self.shut = found
        self.other = before

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        if read.lane.area.parent is not None:
            return "from inside: at any time"
        return f"closed until {self.to_ms}" if self.shut else "open"


class TurnsRound(Rule):
    """Who leaves soon after coming in has only turned round: marked, so that it is free."""

    name = "turning round"
    always = False

    def __init__(self, grace_ms: int) -> None:
        self.grace_ms = grace_ms
        self.said = Marks({TURNED_ROUND: True})

    @classmethod
    def made_for(cls, lot: Lot) -> "TurnsRound | None":
        grace_s = lot.parts["limits"].rules.turn_round_s if "limits" in lot.parts else 0
        return cls(grace_s * 1000) if grace_s else None

    def check(self, lot: Lot, read: ReadCredential) -> int:
        stay = read.stay
        if stay is not None and read.lane.area.parent is None:
            if read.time_ms - stay.entered_at_ms <= self.grace_ms:
                read.say(self.said)
        return 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        turned = read.marks is not None and TURNED_ROUND in read.marks
        return f"{'within' if turned else 'beyond'} {self.grace_ms // 1000} s of coming in"
