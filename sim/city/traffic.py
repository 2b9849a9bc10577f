"""What traffic is: cars that drive in and out of lots at known times, and how many are inside at any time.

The truth here is counted from the movements alone. Nothing in this module knows an engine, so that
comparing the two means something.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum


class CityDataError(ValueError):
    """The data breaks its own rules: out before in, out of an empty lot, more cars than spots."""


class Direction(Enum):
    """Which way a car passes the barrier."""

    ENTRY = "entry"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class CityLot:
    """A lot of the city. capacity: usable spots."""

    id: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Movement:
    """One car through one barrier. at_ms: Unix ms in the time of the data; token: card UID, 7 bytes."""

    at_ms: int
    lot: str
    token: bytes
    direction: Direction


class Truth:
    """How many cars are inside each lot at any time of the data.

    A lot's count is a step series; between two steps it stands still, before the first it is 0.
    """

    __slots__ = ("_at_ms", "_inside")

    def __init__(self, steps: Mapping[str, Iterable[tuple[int, int]]]) -> None:
        """steps: for each lot (at_ms, inside) in the order of the movements; several may share one at_ms."""
        pairs = {lot: tuple(series) for lot, series in steps.items()}
        self._at_ms = {lot: [at_ms for at_ms, _ in series] for lot, series in pairs.items()}
        self._inside = {lot: [inside for _, inside in series] for lot, series in pairs.items()}

    def inside(self, lot: str, at_ms: int) -> int:
        """Return the cars inside after every movement up to and including at_ms. KeyError: no such lot."""
        steps_done = bisect_right(self._at_ms[lot], at_ms)
        return self._inside[lot][steps_done - 1] if steps_done else 0

    def peak(self, lot: str) -> int:
        """Return the most cars that were ever inside, momentary ones within a minute included."""
        return max(self._inside[lot], default=0)

    def final(self, lot: str) -> int:
        """Return the cars inside after the last movement."""
        return self._inside[lot][-1] if self._inside[lot] else 0

    def steps(self, lot: str) -> list[tuple[int, int]]:
        """Return the series itself, (at_ms, inside) after each movement."""
        return list(zip(self._at_ms[lot], self._inside[lot], strict=True))


class Tally:
    """Counts a truth while movements are made or read, one by one and in order."""

    __slots__ = ("_inside", "_last_at_ms", "_steps")

    def __init__(self, lots: Iterable[CityLot]) -> None:
        self._steps: dict[str, list[tuple[int, int]]] = {lot.id: [] for lot in lots}
        self._inside: dict[str, int] = dict.fromkeys(self._steps, 0)
        self._last_at_ms: dict[str, int] = {}

    def add(self, movement: Movement) -> None:
        """Count one movement. CityDataError: it is older than its lot's last, or leaves an empty lot."""
        lot, at_ms = movement.lot, movement.at_ms
        inside = self._inside[lot] + (1 if movement.direction is Direction.ENTRY else -1)
        if inside < 0:
            raise CityDataError(f"{lot}: a car leaves the empty lot at {at_ms}")
        if at_ms < self._last_at_ms.get(lot, at_ms):
            raise CityDataError(f"{lot}: a movement at {at_ms} after one at {self._last_at_ms[lot]}")
        self._last_at_ms[lot] = at_ms
        self._inside[lot] = inside
        self._steps[lot].append((at_ms, inside))

    def inside(self, lot: str) -> int:
        """Return the cars inside now."""
        return self._inside[lot]

    def truth(self) -> Truth:
        """Return what was counted so far."""
        return Truth(self._steps)


def count(lots: Iterable[CityLot], movements: Iterable[Movement]) -> Truth:
    """Return the truth of movements that are already in order. Raises CityDataError as Tally.add does."""
    tally = Tally(lots)
    for movement in movements:
        tally.add(movement)
    return tally.truth()


@dataclass(frozen=True, slots=True)
class Traffic:
    """A whole story: lots, every movement in order, and the truth.

    from_ms, to_ms: the part of the data that is complete (half open). Movements outside belong to cars that
    were inside at either end. A truth above a lot's capacity raises CityDataError: an engine would rightly
    refuse such a car, and from then on the two could not be compared. (Counting the refusals into the truth
    was the alternative; it would rebuild the engine's rule in its own judge.)
    """

    lots: tuple[CityLot, ...]
    movements: tuple[Movement, ...]
    truth: Truth
    from_ms: int
    to_ms: int

    def __post_init__(self) -> None:
        for lot in self.lots:
            if (peak := self.truth.peak(lot.id)) > lot.capacity:
                raise CityDataError(f"{lot.id}: {peak} cars inside at once, capacity {lot.capacity}")
