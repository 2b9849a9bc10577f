"""Room beside what reservations keep, and the kept place for who reserved it."""

from typing import Any

from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.reservations.book import Book, Reservation
from liftgate.engine.core.parts.reservations.holds import AreaHolds, block_key, is_free, spot_number
from liftgate.engine.core.rules.base import Rule
from liftgate.engine.core.rules.classes import HasSpaceOfClass, passes_and_fallback
from liftgate.engine.core.rules.place import FULL, find_spot, without_spot

HELD_FOR_OTHERS = 310


class HasSpaceOrReservation(HasSpaceOfClass):
    """HasSpaceOfClass in a lot with reservations.

    Marks of the event: `reservation`, by which it came in, with `spot_taken` where another car stands in the
    spot that it named; `overbooked`, the reservation for which there was no place.
    """

    always = False

    def __init__(
        self, passes: dict[str, Any], fallback: dict[str, Any], book: Book, by_area: dict[str, AreaHolds]
    ) -> None:
        super().__init__(passes, fallback)
        self.book = book
        self.by_credential = book.by_credential
        self.by_code = book.by_code
        self.by_area = by_area

    @classmethod
    def made_for(cls, lot: Lot) -> "Rule | None":
        part = lot.ruled("reservations")
        if part is None:
            return None
        return cls(*passes_and_fallback(lot), part.book, part.holds.by_area)

    def check(self, lot: Lot, read: ReadCredential) -> int:
        if self.by_credential or self.by_code:
            stay = read.stay
            if stay is None or not stay.is_promised(read.lane.area):
                if self.by_code or read.credential in self.by_credential:
                    found = self.book.coming(read.credential, read.lane.area.id, read.time_ms)
                    if found is not None:
                        return self._reserved(lot, read, found)
                if self.by_area:
                    holds = self.by_area.get(read.lane.area.id)
                    if holds is not None:
                        return self._beside(lot, read, holds)
        return HasSpaceOfClass.check(self, lot, read)

    def _reserved(self, lot: Lot, read: ReadCredential, found: Reservation) -> int:
        """The spot that it named, else one of its class: what is kept is kept for all who reserved alike."""
        read.block = None
        read.number = 0
        if read.lane.area.available() > 0 and (self._named(lot, read, found) or self._of_class(read, found)):
            read.mark("reservation", found.id)
            return 0
        read.mark("overbooked", found.id)
        return FULL

    def _named(self, lot: Lot, read: ReadCredential, found: Reservation) -> bool:
        if not found.spot or not (found.withheld or is_free(lot, found.spot)):
            return False
        block = lot.blocks.get(block_key(found.spot))
        if block is None or block.area is not read.lane.area:
            return False
        read.block = block
        read.number = spot_number(found.spot)
        return True

    def _of_class(self, read: ReadCredential, found: Reservation) -> bool:
        if not find_spot(read, found.spot_class):
            return False
        if found.spot:
            read.mark("spot_taken", found.spot)
        return True

    def _beside(self, lot: Lot, read: ReadCredential, holds: AreaHolds) -> int:
        """As for anybody, but the last free places of a class are not there while they are kept."""
        available = read.lane.area.available()
        if available <= 0:
            return FULL
        if available <= holds.total:
            return HELD_FOR_OTHERS
        held = False
        classes = self.classes(lot, read)
        for wanted in (*classes, *self._others(classes)):
            places = holds.places(wanted)
            free = free_of(read, wanted) if places else 0
            if places and free <= places:
                held = held or free > 0
            elif find_spot(read, wanted):
                return 0
            held = held or wanted in holds.kept
        return HELD_FOR_OTHERS if held else without_spot(read.lane.area)

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        area = read.lane.area
        found = self.book.coming(read.credential, area.id, read.time_ms)
        said = HasSpaceOfClass.explain(self, lot, read)
        if found is not None:
            where = found.spot or f"class {found.spot_class}"
            return f"{said}; reserved {where} from {found.from_ms} to {found.to_ms}"
        holds = self.by_area.get(area.id)
        return said if holds is None else f"{said}; {holds.total} kept for reservations"


def free_of(read: ReadCredential, spot_class: str) -> int:
    """Free spots of a class where the lane leads."""
    free = 0
    for block in read.lane.area.blocks:
        if block.spot_class == spot_class:
            free += block.free.free if block.free is not None else block.count - block.taken
    return free
