"""Spots: nobody's spot is given twice, and each car gets the nearest free one that it may have."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.entitlements import classes_of
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.layout import Block
from liftgate.sim.world.audit.records import Event, tell
from liftgate.sim.world.audit.stays import Place

FULL, CLASS_FULL = 300, 301
_MAY_PLACE = (r.SCAN, r.HISTORY, r.PASSAGE, r.LOT_CONFIGURED)


class Spots(Chapter):
    """Room by count, then a spot: of the first class that the credential may use and that has one, in the
    gate's order, lowest number first. A car that waits for the same area keeps what it was promised.
    """

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        if look.way == r.IN and (reason := self._room(look, lot)[0]):
            yield reason

    def judge(self, event: Event, lot: Lot) -> None:
        history = event["type"] == r.HISTORY and event["what"] == r.SCAN
        if not history and event["type"] != r.SCAN:
            return
        given = None
        if event["verdict_given" if history else "verdict"] == r.OPEN:
            look = lot.look(event)
            came = lot.entitled.came_alone(event) if history else None
            given = self._room(look, lot, came)[1] if look.way == r.IN else None
        if event["spot"] != _spot_name(lot, given):
            self.find("wrong spot", tell(event), f"spot {_spot_name(lot, given)}")

    def folded(self, event: Event, lot: Lot) -> None:
        if event["type"] not in _MAY_PLACE:
            return
        for place, times in Counter(lot.stays.places()).items():
            if times > 1 and place[1]:
                self.find("spot twice", tell(event), f"{_spot_name(lot, place)} is had or held once")

    def _room(self, look: Look, lot: Lot, came: dict[str, Any] | None = None) -> tuple[int, Place | None]:
        """(0 or the reason why there is none, the place that is to be given)."""
        stay, area = look.stay, look.lane.area
        if stay is not None and lot.stays.holds(stay, area):
            return 0, stay.to_place
        if lot.stays.available(area) <= 0:
            return FULL, None
        taken = Counter(lot.stays.places())
        free = [
            (block, place)
            for block in lot.layout.lane_blocks(look.lane)
            if (place := _free_place(lot, block, taken)) is not None
        ]
        for wanted in classes_of(look, lot, came):
            for block, place in free:
                if block.spot_class == wanted:
                    return 0, place
        return (CLASS_FULL if free else FULL), None


def _free_place(lot: Lot, block: Block, taken: Counter[Place]) -> Place | None:
    """The block's lowest free spot, or itself while it has room where spots have no numbers."""
    if not lot.layout.by_spot:
        return (block.key, 0) if taken[block.key, 0] < block.size else None
    numbers = range(1, block.size + 1)
    return next(((block.key, number) for number in numbers if not taken[block.key, number]), None)


def _spot_name(lot: Lot, place: Place | None) -> str | None:
    if place is None:
        return None
    return lot.layout.blocks[place[0]].spot(place[1]) if place[1] else place[0]
