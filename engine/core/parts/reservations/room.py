"""How many places of a class are promised for a time, and whether one more fits."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from liftgate.configs.rules.reservations import Reservations
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.reservations.book import WAITING, Book, Reservation


def capacity(lot: Lot, area: str, spot_class: str) -> int:
    """Spots of a class in an area, inner areas apart."""
    found = lot.areas.get(area)
    blocks = found.blocks if found is not None else []
    return sum(block.count for block in blocks if block.spot_class == spot_class)


def limit(lot: Lot, rules: Reservations, area: str, spot_class: str) -> int:
    """Reservations that a class takes for one moment."""
    return capacity(lot, area, spot_class) * rules.overbooking_percent // 100


class Room:
    """What is promised of one class in one area.

    times: when the number changes; counts: how many from each on. Made where it is asked, in an order or when
    a place got free, never for a scan.
    """

    def __init__(self, book: Book, area: str, spot_class: str, but: bytes | None = None) -> None:
        self.promised = [
            found
            for found in book.all.values()
            if found.area == area and found.spot_class == spot_class
            if found.state != WAITING and found.id != but
        ]
        self.times, self.counts = _profile(self.promised)

    def densest(self, from_ms: int, to_ms: int) -> int:
        """The most places promised at any moment of that time."""
        first = max(bisect_right(self.times, from_ms) - 1, 0)
        return max(self.counts[first : bisect_left(self.times, to_ms)], default=0)

    def fits(self, asked: Reservation, limit: int) -> bool:
        """Whether there is a place for it all the time, and nobody else has its spot."""
        if self.densest(asked.from_ms, asked.to_ms) >= limit:
            return False
        return not asked.spot or not any(
            found.spot == asked.spot and found.from_ms < asked.to_ms and asked.from_ms < found.to_ms
            for found in self.promised
        )


def _profile(promised: Iterable[Reservation]) -> tuple[list[int], list[int]]:
    changes: dict[int, int] = {}
    for found in promised:
        changes[found.from_ms] = changes.get(found.from_ms, 0) + 1
        changes[found.to_ms] = changes.get(found.to_ms, 0) - 1
    times = sorted(changes)
    counts, count = [], 0
    for at_ms in times:
        count += changes[at_ms]
        counts.append(count)
    return times, counts
