"""Known bugs in what the themes of rules add (`plants.py` has the others)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from zoneinfo import ZoneInfo

from liftgate.engine.core.events import ReaderEvent
from liftgate.engine.core.model import Area, Stay
from liftgate.engine.core.parts import PARTS, ledger, local_time, reconciliation, setup
from liftgate.engine.core.parts.base import Part
from liftgate.engine.core.parts.entitlements import EntitlementsPart
from liftgate.engine.core.parts.identity import Identity
from liftgate.engine.core.parts.lanes.modes import Modes
from liftgate.engine.core.parts.lanes.tides import Tides
from liftgate.engine.core.parts.offline import OfflinePart
from liftgate.engine.core.parts.passback import Passback
from liftgate.engine.core.parts.reservations.book import Book
from liftgate.engine.core.parts.reservations.holds import AreaHolds
from liftgate.engine.core.parts.tickets import Tickets
from liftgate.engine.core.rules.entitlements import IsEntitled
from liftgate.engine.core.rules.lanes import GoesWithTheTide, NotHeldByPlan
from liftgate.engine.core.rules.limits import IsOpenNow
from liftgate.gateways.policies import Policies
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


class _OwesForEver(Passback):
    """The part that keeps a car which followed without a name, whoever was let out for it."""

    def _seen(self, area: str, way: int) -> None:
        pass


class _KeepsPlates(Identity):
    """The part that keeps a plate for whoever comes next, though its credential has come."""

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        before = dict(self.seen)
        super().heard(event, stay)
        self.seen = before | self.seen


def _with_part(real: type[Part], wrong: type[Part]) -> Callable[[], AbstractContextManager[None]]:
    """Lots get the wrong part in place of the real one."""
    parts = tuple(wrong if part is real else part for part in PARTS)
    return replacing(setup, "PARTS", parts)


def _never_impossible(area: Any) -> int:
    """Any count can be."""
    return ledger.NORMAL


def _always_agrees(*told: Any) -> str:
    """No lane has a difference."""
    return ""


BUGS: dict[str, Bug] = {
    "uses-forgotten": Bug("an entry by a pass uses nothing up", _with_part(EntitlementsPart, _NothingIsUsed)),
    "no-entitlements": Bug("passes and groups are not asked", without_rule(IsEntitled)),
    "follower-again": Bug("one follower lets out any number", _with_part(Passback, _OwesForEver)),
    "plate-again": Bug("a plate goes into the next stay, too", _with_part(Identity, _KeepsPlates)),
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
    "ticket-again": Bug("no ticket is ever used", replacing(Tickets, "_use", lambda *told: None)),
    "tap-again": Bug("no tag's counter is kept", replacing(Tickets, "_count", lambda *told: None)),
    "no-limits-alone": Bug(
        "what readers alone opened is held to no limits",
        replacing(OfflinePart, "exceeded", lambda self, *told: ()),
    ),
    "old-policy": Bug(
        "readers keep the POLICY that followed WELCOME",
        replacing(Policies, "order_done", lambda self, lot: None),
    ),
    "last-in-line": Bug(
        "the last in line is offered what gets free",
        replacing(Book, "waiting", lambda book, real=Book.waiting: real(book)[::-1]),
    ),
}
"""By name, as in `plants.BUGS`."""
