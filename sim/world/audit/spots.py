"""Spots: nobody's spot is given twice, and each car gets the nearest free one that it may have."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.book import Reservation, spot_place
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.entitlements import classes_of
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.layout import Block
from liftgate.sim.world.audit.records import Event, tell
from liftgate.sim.world.audit.stays import Place

FULL, CLASS_FULL, KEPT_FOR_OTHERS = 300, 301, 310
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
        free = _free_places(look, lot)
        reserved = lot.book.coming(look)
        if reserved is not None:
            place = reserved_place(lot, reserved, free)
            return (FULL if place is None else 0), place
        return _beside(look, lot, free, classes_of(look, lot, came))


def _free_places(look: Look, lot: Lot) -> list[tuple[Block, Place]]:
    """Per block that has one, in the order of the lane, the next free spot that nobody keeps by name."""
    taken = Counter([*lot.stays.places(), *lot.book.withheld()])
    found = ((block, _free_place(lot, block, taken)) for block in lot.layout.lane_blocks(look.lane))
    return [(block, place) for block, place in found if place is not None]


def reserved_place(lot: Lot, reserved: Reservation, free: list[tuple[Block, Place]]) -> Place | None:
    """The spot that it names where that is kept or free, else the nearest one of its class."""
    if reserved.spot and (reserved.withheld or lot.book.is_free(reserved.spot)):
        place = spot_place(reserved.spot)
        if lot.layout.blocks[place[0]].area == reserved.area:
            return place
    return next((place for block, place in free if block.spot_class == reserved.spot_class), None)


def _beside(
    look: Look, lot: Lot, free: list[tuple[Block, Place]], classes: Iterable[str]
) -> tuple[int, Place | None]:
    """For who has no reservation: not the last places that are kept, of the area and of a class."""
    area, book = look.lane.area, lot.book
    if (kept := book.kept(area)) and lot.stays.available(area) <= kept:
        return KEPT_FOR_OTHERS, None
    refused = False
    for wanted in classes:
        places = book.places(area, wanted)
        count = _count_free(lot, area, wanted)
        if count > places or not places:
            for block, place in free:
                if block.spot_class == wanted:
                    return 0, place
        refused = refused or 0 < count <= places or book.by_name(area, wanted) > 0
    if refused:
        return KEPT_FOR_OTHERS, None
    return (CLASS_FULL if free else FULL), None


def _count_free(lot: Lot, area: str, wanted: str) -> int:
    """Spots of a class in an area that are nobody's and not kept by name."""
    keys = {block.key for block in lot.layout.area_blocks(area) if block.spot_class == wanted}
    taken = sum(place[0] in keys for place in [*lot.stays.places(), *lot.book.withheld()])
    return sum(lot.layout.blocks[key].size for key in keys) - taken


def _free_place(lot: Lot, block: Block, taken: Counter[Place]) -> Place | None:
    """The block's lowest free spot, or itself while it has room where spots have no numbers."""
    if not lot.layout.by_spot:
        return (block.key, 0) if taken[block.key, 0] < block.size else None
    numbers = range(1, block.size + 1)
    return next(((block.key, number) for number in numbers if not taken[block.key, number]), None)


def _spot_name(lot: Lot, place: Place | None) -> str | None:
    if place is None:
        return None
    return lot.layout.spot_name(place) or place[0]
