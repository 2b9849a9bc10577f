"""What reservations keep from others, by area and class, and the spots they keep by name."""

from liftgate.engine.core.model import Block, Lot
from liftgate.engine.core.parts.reservations.book import KEEPS_A_PLACE, Reservation


class AreaHolds:
    """What is kept in one area.

    percents: by class, the sum over reservations for any spot of it; kept: by class, how many spots are kept
    by name (they are not among the free ones); total: places kept in all.
    """

    def __init__(self) -> None:
        self.percents: dict[str, int] = {}
        self.kept: dict[str, int] = {}
        self.total = 0

    def places(self, spot_class: str) -> int:
        """Of the free spots of a class, how many are not for others; a part of a place is none yet."""
        return self.percents.get(spot_class, 0) // 100

    def add(self, found: Reservation, sign: int) -> None:
        """Count what a reservation keeps, or with sign -1 no longer."""
        name = found.spot_class
        if found.withheld:
            _count(self.kept, name, sign)
            self.total += sign
            return
        before = self.places(name)
        _count(self.percents, name, sign * found.percent)
        self.total += self.places(name) - before


def _count(counts: dict[str, int], name: str, change: int) -> None:
    counts[name] = counts.get(name, 0) + change
    if not counts[name]:
        del counts[name]


class Holds:
    """by_area: where something is kept; spots: by name those that are taken out of a block, for whom and of
    which; wanted: reservations whose spot is to be kept and has a car in it, or is kept for who comes
    earlier; on: False where the lot has no rules for reservations, then nothing is kept.
    """

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.by_area: dict[str, AreaHolds] = {}
        self.spots: dict[str, tuple[Reservation, Block]] = {}
        self.wanted: dict[bytes, Reservation] = {}
        self.on = False

    def keep(self, found: Reservation, take: bool = True) -> None:
        """Keep what it is to keep; nothing where its car is there or it still waits.

        take: its spot too, if that is free; a snapshot may hold one that was not taken yet.
        """
        if not self.on or found.state not in KEEPS_A_PLACE:
            return
        found.withheld = False
        if found.spot and found.percent >= 100 and not (take and self._take(found)):
            self.wanted[found.id] = found
        if found.percent:
            self.by_area.setdefault(found.area, AreaHolds()).add(found, 1)

    def give_up(self, found: Reservation, taken: bool = False) -> None:
        """Undo `keep`. taken: its spot is its own car's now."""
        if not self.on or found.state not in KEEPS_A_PLACE:
            return
        if found.percent:
            holds = self.by_area[found.area]
            holds.add(found, -1)
            if not holds.percents and not holds.kept:
                del self.by_area[found.area]
        self.wanted.pop(found.id, None)
        block = self._block_of(found)
        if block is not None:
            del self.spots[found.spot]
            if block.free is not None and not taken:
                block.free.release(spot_number(found.spot))
        found.withheld = False

    def _take(self, found: Reservation) -> bool:
        block = self.lot.blocks.get(block_key(found.spot))
        if block is None or block.free is None or not block.free.take(spot_number(found.spot)):
            return False
        self.spots[found.spot] = found, block
        found.withheld = True
        return True

    def _block_of(self, found: Reservation) -> Block | None:
        """From which its spot is taken out, None where that is not kept for it."""
        holder, block = self.spots.get(found.spot, (None, None))
        return block if holder is found else None

    def withhold(self) -> None:
        """Take the spots that got free out of those given to others, and those kept for who comes later.

        Who booked a spot for the afternoon has it kept since noon; who booked it until then comes first.
        """
        for found in sorted(self.wanted.values(), key=lambda found: found.order):
            holder, _ = self.spots.get(found.spot, (None, None))
            if holder is not None and found.order < holder.order:
                self.give_up(holder)
                self.keep(holder, take=False)
            if is_free(self.lot, found.spot):
                self.give_up(found)
                self.keep(found)

    def free_again(self) -> list[Reservation]:
        """Those whose spot is to be kept and has no car in it now, who comes first first."""
        free = (found for found in self.wanted.values() if is_free(self.lot, found.spot))
        return sorted(free, key=lambda found: found.order)

    def rebuilt(self, found: Reservation) -> bool:
        """Whether the lot was configured anew and the block of its kept spot is another."""
        block = self._block_of(found)
        return block is not None and self.lot.blocks.get(block.key) is not block


def block_key(spot: str) -> str:
    return spot.rpartition("-")[0]


def spot_number(spot: str) -> int:
    return int(spot.rpartition("-")[2])


def is_free(lot: Lot, spot: str) -> bool:
    """Whether there is such a spot, in nobody's hand."""
    block = lot.blocks.get(block_key(spot))
    return block is not None and block.free is not None and block.free.is_free(spot_number(spot))
