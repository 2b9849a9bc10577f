"""Anti-passback, hard: who goes in was just outside, who goes out was inside, unless it was reset."""

from collections.abc import Iterable

from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import IN

ALREADY_INSIDE, NOT_INSIDE = 210, 211


class Passback(Chapter):
    """Where a car is, is what was last seen of it. A reset takes that back until it is seen again; of a car
    without a stay it allows the exit.
    """

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        if look.way == IN:
            return self._in(look, lot)
        return self._out(look, lot)

    def _in(self, look: Look, lot: Lot) -> Iterable[int]:
        outside = lot.outside(look.lane)
        if look.stay is None:
            if outside is not None:
                yield NOT_INSIDE
        elif look.stay.area != outside and not look.stay.forgiven:
            yield ALREADY_INSIDE

    def _out(self, look: Look, lot: Lot) -> Iterable[int]:
        if look.stay is None:
            if look.credential not in lot.stays.forgiven:
                yield NOT_INSIDE
        elif not look.stay.forgiven:
            area = look.stay.area
            if area is None or not lot.layout.within(area, look.lane.area):
                yield NOT_INSIDE
