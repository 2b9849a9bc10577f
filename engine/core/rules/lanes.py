"""What lanes add to a scan: the tide of a lane for both ways, and places that a plan keeps for others."""

from liftgate.codecs import codes
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.rules.base import Rule

AGAINST_THE_TIDE = 100
HELD_FOR_OTHERS = 310

_RUNS = {codes.IN: "in", codes.OUT: "out", 0: "neither way"}


class GoesWithTheTide(Rule):
    """A tidal lane lets through one way at a time, and nobody while it clears.

    Both ways alike: who is inside finds another lane or waits for the turn, a car in a lane that others come
    through finds a collision.
    """

    name = "tide"
    always = False

    @classmethod
    def made_for(cls, lot: Lot) -> "GoesWithTheTide | None":
        return None if lot.ruled("lanes") is None else cls()

    def concerns(self, lane: Lane) -> bool:
        return lane.tide is not None

    def check(self, lot: Lot, read: ReadCredential) -> int:
        tide = read.lane.tide
        if tide is None:
            return 0
        run, clear_until_ms, since_ms = tide
        now_ms = _moment(read)
        if now_ms < since_ms or (run == read.way and now_ms >= clear_until_ms):
            return 0
        return AGAINST_THE_TIDE

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        tide = read.lane.tide
        if tide is None:
            return "the lane runs both ways"
        run, clear_until_ms, since_ms = tide
        clearing = f", clearing until {clear_until_ms}" if _moment(read) < clear_until_ms else ""
        return f"the lane runs {_RUNS[run]} since {since_ms}{clearing}; the car goes {_RUNS[read.way]}"


def _moment(read: ReadCredential) -> int:
    """The engine's time, as the tide's; what comes out of history is asked about its own."""
    return read.now_ms if read.now_ms - read.time_ms <= codes.SKEW_MS_MAX else read.time_ms


class NotHeldByPlan(Rule):
    """Places that a plan of an event day keeps in an area are not there for a car that comes by itself.

    Asked after the rule of space, so that a full area is called full.
    """

    name = "event plan"
    always = False

    @classmethod
    def made_for(cls, lot: Lot) -> "NotHeldByPlan | None":
        return None if lot.ruled("lanes") is None else cls()

    def check(self, lot: Lot, read: ReadCredential) -> int:
        area = read.lane.area
        if not area.planned or area.available() > area.planned:
            return 0
        stay = read.stay
        return 0 if stay is not None and stay.is_promised(area) else HELD_FOR_OTHERS

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        area = read.lane.area
        return f"area {area.id}: {area.available()} available, of which {area.planned} are kept by a plan"
