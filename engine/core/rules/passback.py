"""Anti-passback as `[lot.rules.passback]` and `[lot.rules.identity]` have it; without both, `place.py` asks.

A car that is where it should be costs what it costs there; all else here is for those that are not.
"""

from typing import Any

from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.passback import CAME_IN, WENT_OUT
from liftgate.engine.core.rules.base import PartRule, Rule
from liftgate.engine.core.rules.place import ALREADY_INSIDE, NOT_INSIDE, is_judged_elsewhere, whereabouts


class PassbackIn(PartRule):
    """At an entry: the car is just outside the area, or there is a reason to let it in all the same."""

    name = "anti-passback"

    @classmethod
    def made_for(cls, lot: Lot) -> Rule | None:
        return cls(lot.parts["passback"]) if is_judged_elsewhere(lot) else None

    def check(self, lot: Lot, read: ReadCredential) -> int:
        stay = read.stay
        outside = read.lane.area.parent
        if stay is None:
            return 0 if outside is None else _unseen_outside(self.part, read)
        if stay.area is outside:
            return 0
        return _second_entry(self.part, read)

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        return f"{whereabouts(read)}; {self.part.mode_of(read.lane.area.id)} here"


class PassbackOut(PartRule):
    """At an exit: the car is in the area or in one inside it, or there is a reason to let it out."""

    name = "anti-passback"

    def __init__(self, part: Any, identity: Any) -> None:
        super().__init__(part)
        self.identity = identity

    @classmethod
    def made_for(cls, lot: Lot) -> Rule | None:
        if not is_judged_elsewhere(lot):
            return None
        return cls(lot.parts["passback"], lot.parts["identity"])

    def check(self, lot: Lot, read: ReadCredential) -> int:
        stay = read.stay
        if stay is None:
            return _no_entry(self.part, self.identity, lot, read)
        if stay.area is not None and stay.area.within(read.lane.area):
            return 0
        return _elsewhere(self.part, read)

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        return f"{whereabouts(read)}; {self.part.mode_of(read.lane.area.id)} here"


def _second_entry(part: Any, read: ReadCredential) -> int:
    """A stay is open, and its car not just outside."""
    stay, area = read.stay, read.lane.area
    if stay is None:
        return 0
    inside = stay.area is not None and stay.area.within(area)
    if inside and part.has_unnamed(area, WENT_OUT, read.time_ms):
        read.mark("unnamed", (area.id, WENT_OUT))
        if not stay.forgiven:
            return _flag(read, ALREADY_INSIDE, "followed")
    if stay.forgiven:
        read.mark("passback", "doubt")
        return 0
    if part.mode_of(area.id) == "timed" and inside:
        if read.time_ms - part.last_entry_ms(stay, area) < part.rules.within_s * 1000:
            return ALREADY_INSIDE
        read.mark("passback", "timed")
        return 0
    return _by_mode(part, read, ALREADY_INSIDE)


def _unseen_outside(part: Any, read: ReadCredential) -> int:
    """An entry of an inner area, and nobody saw the car come into the outer one."""
    outside = read.lane.area.parent
    if outside is not None and part.has_unnamed(outside, CAME_IN, read.time_ms):
        read.mark("unnamed", (outside.id, CAME_IN))
        return _flag(read, NOT_INSIDE, "followed")
    if outside is not None and part.may_be_in(outside, read.time_ms):
        return _flag(read, NOT_INSIDE, "doubt")
    return _by_mode(part, read, NOT_INSIDE)


def _no_entry(part: Any, identity: Any, lot: Lot, read: ReadCredential) -> int:
    """An exit without a stay."""
    if read.credential in lot.forgiven:
        return 0
    area = read.lane.area
    if part.has_unnamed(area, CAME_IN, read.time_ms):
        read.mark("unnamed", (area.id, CAME_IN))
        return _as_unknown(read, "followed")
    if part.may_be_in(area, read.time_ms):
        return _as_unknown(read, "doubt")
    wanted = identity.exit_without_entry
    if wanted == "stay":
        return _as_unknown(read, "no entry")
    if wanted == "open":
        return _flag(read, NOT_INSIDE, "no entry")
    return NOT_INSIDE if wanted == "refuse" else _by_mode(part, read, NOT_INSIDE)


def _elsewhere(part: Any, read: ReadCredential) -> int:
    """A stay is open, and its car not inside the area that it leaves."""
    stay, area = read.stay, read.lane.area
    if stay is None:
        return 0
    if stay.area is not None and part.has_unnamed(area, CAME_IN, read.time_ms):
        read.mark("unnamed", (area.id, CAME_IN))
        if not stay.forgiven:
            return _flag(read, NOT_INSIDE, "followed")
    if stay.forgiven:
        read.mark("passback", "doubt")
        return 0
    return _by_mode(part, read, NOT_INSIDE)


def _by_mode(part: Any, read: ReadCredential, reason: int) -> int:
    """Soft areas let it through with a flag; timed ones only judge second entries, and else are hard."""
    return _flag(read, reason, "soft") if part.mode_of(read.lane.area.id) == "soft" else reason


def _as_unknown(read: ReadCredential, why: str) -> int:
    read.mark("unknown_entry", True)
    return _flag(read, NOT_INSIDE, why)


def _flag(read: ReadCredential, reason: int, why: str) -> int:
    """Let it through: the decision names the reason, and `passback` says why it was not refused."""
    read.soft_reason = reason
    read.mark("passback", why)
    return 0
