"""Known bugs in what the themes of rules add (`plants.py` has the others)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

from liftgate.engine.core.events import ReaderEvent
from liftgate.engine.core.model import Area, Stay
from liftgate.engine.core.parts import PARTS, ledger, local_time, passback, reconciliation, setup
from liftgate.engine.core.parts.entitlements import EntitlementsPart
from liftgate.engine.core.parts.lanes.modes import Modes
from liftgate.engine.core.parts.lanes.tides import Tides
from liftgate.engine.core.parts.reservations.book import Book
from liftgate.engine.core.parts.reservations.holds import AreaHolds
from liftgate.engine.core.rules.entitlements import IsEntitled
from liftgate.engine.core.rules.lanes import GoesWithTheTide, NotHeldByPlan
from liftgate.engine.core.rules.limits import IsOpenNow
from liftgate.sim.world.planting import Bug, replaced, replacing, without_rule


@contextmanager
def never_ends_a_mode() -> Iterator[None]:
    """What was set by hand until some time holds on after it."""
    with replaced(Modes, "ended", lambda self, now_ms: []):
        yield


@contextmanager
def tells_no_mode() -> Iterator[None]:
    """A reader hears of its lanes' modes only when it signs on."""
    with replaced(Modes, "tell", lambda self, lane: None):
        yield


class _NothingIsUsed(EntitlementsPart):
    """The part that forgets at every car that moves what was used of passes."""

    def moved(self, stay: Stay, before: Area | None) -> None:
        super().moved(stay, before)
        self._forget()

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        super().heard(event, stay)
        self._forget()

    def _forget(self) -> None:
        for found in self.passes.values():
            found.used = 0


@contextmanager
def uses_are_not_counted() -> Iterator[None]:
    """An entry by a pass uses nothing up."""
    parts = tuple(_NothingIsUsed if part is EntitlementsPart else part for part in PARTS)
    with replaced(setup, "PARTS", parts):
        yield


def _never_impossible(area: Any) -> int:
    """Any count can be."""
    return ledger.NORMAL


def _always_agrees(*told: Any) -> str:
    """No lane has a difference."""
    return ""


@contextmanager
def lets_out_on_one_follower() -> Iterator[None]:
    """A car that followed without a name is owed for ever, whoever used it up."""
    with replaced(passback.Passback, "_seen", lambda self, area, way: None):
        yield


BUGS: dict[str, Bug] = {
    "uses-forgotten": Bug("an entry by a pass uses nothing up", uses_are_not_counted),
    "no-entitlements": Bug("passes and groups are not asked", without_rule(IsEntitled)),
    "follower-again": Bug("one follower lets out any number", lets_out_on_one_follower),
    "endless-mode": Bug("a mode with an end never ends", never_ends_a_mode),
    "untold-mode": Bug("readers are not told of modes that change", tells_no_mode),
    "no-tide": Bug("tides are not asked", without_rule(GoesWithTheTide)),
    "still-tide": Bug("no tide turns by its schedule", replacing(Tides, "due", lambda self, now_ms: ())),
    "plan-keeps-nothing": Bug("places that a plan keeps are given away", without_rule(NotHeldByPlan)),
    "utc-times": Bug(
        "times of day are UTC's", replacing(local_time, "ZoneInfo", lambda name, zone=ZoneInfo: zone("UTC"))
    ),
    "no-impossible": Bug(
        "no count is found to be impossible", replacing(ledger, "state_of", _never_impossible)
    ),
    "rows-agree": Bug("a row has no difference", replacing(reconciliation, "difference_of", _always_agrees)),
    "open-at-night": Bug("closing times are not asked", without_rule(IsOpenNow)),
    "no-hold": Bug("what reservations keep is not counted", replacing(AreaHolds, "places", lambda *told: 0)),
    "last-in-line": Bug(
        "the last in line is offered what gets free",
        replacing(Book, "waiting", lambda book, real=Book.waiting: real(book)[::-1]),
    ),
}
"""By name, as in `plants.BUGS`."""
