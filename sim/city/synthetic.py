"""Traffic made from occupancy curves: shares of car parks (data/birmingham), scaled to any capacity.

Model. Between two readings of a car park the number of cars goes from one target to the next exactly. On
top of that net change cars are exchanged: as many more arrivals as departures, Poisson with
turnover_per_hour of the cars inside. Movements fall uniformly into the time between the readings; who
leaves is drawn uniformly from those inside, so stays are close to exponential, with no memory. Nobody
published the nights (16:30 to 08:00): there only the net change happens. A lot is never above its capacity
nor below empty: where a draw would make it so, the other direction is taken, which is always still to come
because both targets lie within.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from random import Random

from liftgate.sim.city.cards import Cards
from liftgate.sim.city.traffic import CityDataError, CityLot, Direction, Movement, Tally, Traffic

# Spaces as published. The extract has these four: small to large, the first one full at times.
CAR_PARKS = {"BHMEURBRD01": 470, "BHMBCCMKT01": 577, "Shopping": 1920, "Others-CCCPS135a": 3883}
# The extract: 26 days of winter time, when local time in Birmingham is UTC.
FROM_DAY = "2016-11-07"
TO_DAY = "2016-12-02"
# About a car in four changes each hour, a mean stay of four hours: a guess, the data has counts only.
TURNOVER_PER_HOUR = 0.25

_FILE = "data/birmingham/rate_grid_30min.csv.gz"
_HOUR_MS = 3_600_000
# Readings further apart than this have a night between them, or a failed sensor.
_TURNOVER_GAP_MS_MAX = 2 * _HOUR_MS


@dataclass(frozen=True, slots=True)
class Curve:
    """Cars that shall be inside a lot: targets[i] at at_ms[i] (Unix ms, rising), each 0 … capacity."""

    lot: CityLot
    at_ms: tuple[int, ...]
    targets: tuple[int, ...]


def load_shares() -> dict[str, list[tuple[int, float]]]:
    """Return each car park's readings (Unix ms, occupied share 0…1); slots without one are left out."""
    packed = (files(__package__) / _FILE).read_bytes()
    rows = list(csv.DictReader(gzip.decompress(packed).decode("ascii").splitlines()))
    return {park: [(_slot_ms(row), float(row[park])) for row in rows if row[park]] for park in CAR_PARKS}


def curve(lot: CityLot, shares: Iterable[tuple[int, float]]) -> Curve:
    """Return the shares as cars of the lot's capacity, rounded. CityDataError: a share outside 0…1."""
    readings = list(shares)
    for at_ms, share in readings:
        if not 0.0 <= share <= 1.0:
            raise CityDataError(f"{lot.id}: share {share} at {at_ms}")
    targets = tuple(math.floor(share * lot.capacity + 0.5) for _, share in readings)
    return Curve(lot, tuple(at_ms for at_ms, _ in readings), targets)


def birmingham(
    seed: int, capacity: int | None = None, turnover_per_hour: float = TURNOVER_PER_HOUR
) -> Traffic:
    """Return a story of all shipped car parks. capacity: of each lot instead of its published one."""
    curves = [
        curve(CityLot(park, CAR_PARKS[park] if capacity is None else capacity), shares)
        for park, shares in load_shares().items()
    ]
    return generate(curves, seed, turnover_per_hour)


def generate(curves: Iterable[Curve], seed: int, turnover_per_hour: float = TURNOVER_PER_HOUR) -> Traffic:
    """Return the story of a seed; the truth is counted while it is made.

    Each lot draws from a generator of its own, so that a lot more or less leaves the others' story as it was.
    Raises CityDataError for no curve at all, or one with fewer than two targets.
    """
    made = list(curves)
    if not made or any(len(one.targets) < 2 for one in made):
        raise CityDataError("a story needs at least one curve, and each of them two targets")
    tally = Tally(one.lot for one in made)
    streams = [list(_Generator(one, seed, turnover_per_hour, tally).run()) for one in made]
    moves = tuple(heapq.merge(*streams, key=lambda movement: movement.at_ms))
    from_ms, to_ms = min(one.at_ms[0] for one in made), max(one.at_ms[-1] for one in made)
    return Traffic(tuple(one.lot for one in made), moves, tally.truth(), from_ms, to_ms)


class _Generator:
    """One lot's movements. Uses random() only: Python promises for no other method that it repeats."""

    __slots__ = ("_cards", "_curve", "_inside", "_rng", "_tally", "_turnover_per_hour")

    def __init__(self, target: Curve, seed: int, turnover_per_hour: float, tally: Tally) -> None:
        self._curve = target
        self._rng = Random(f"{seed}/{target.lot.id}")
        self._turnover_per_hour = turnover_per_hour
        self._tally = tally
        self._cards = Cards(target.lot.id)
        self._inside: list[int] = []

    def run(self) -> Iterator[Movement]:
        """Yield the cars that are there at the first reading, one ms before it, then reading by reading."""
        at_ms, targets = self._curve.at_ms, self._curve.targets
        for _ in range(targets[0]):
            yield self._enter(at_ms[0] - 1)
        for until in range(1, len(targets)):
            yield from self._between(at_ms[until - 1], at_ms[until], targets[until])

    def _between(self, from_ms: int, to_ms: int, target: int) -> Iterator[Movement]:
        """Yield the movements of from_ms <= t < to_ms, after which target cars are inside."""
        net = target - len(self._inside)
        exchanged = self._exchanged(to_ms - from_ms, (target + len(self._inside)) / 2)
        entries, exits = exchanged + max(net, 0), exchanged + max(-net, 0)
        for at_ms in sorted(from_ms + self._below(to_ms - from_ms) for _ in range(entries + exits)):
            if self._enters(entries, exits):
                entries -= 1
                yield self._enter(at_ms)
            else:
                exits -= 1
                yield self._leave(at_ms)

    def _exchanged(self, length_ms: int, inside_mean: float) -> int:
        """Return a Poisson count: how many exponential gaps of mean 1 fit into the expected number."""
        if length_ms > _TURNOVER_GAP_MS_MAX:
            return 0
        left = inside_mean * self._turnover_per_hour * length_ms / _HOUR_MS
        fitted = 0
        while (left := left + math.log(1.0 - self._rng.random())) > 0.0:
            fitted += 1
        return fitted

    def _enters(self, entries: int, exits: int) -> bool:
        """Draw without putting back, except where the lot is empty or full."""
        drawn = self._below(entries + exits) < entries
        if not self._inside:
            return True
        return drawn and len(self._inside) < self._curve.lot.capacity

    def _enter(self, at_ms: int) -> Movement:
        number = self._cards.take(at_ms)
        self._inside.append(number)
        return self._counted(at_ms, number, Direction.ENTRY)

    def _leave(self, at_ms: int) -> Movement:
        place = self._below(len(self._inside))
        self._inside[place], self._inside[-1] = self._inside[-1], self._inside[place]
        number = self._inside.pop()
        self._cards.give_back(number, at_ms)
        return self._counted(at_ms, number, Direction.EXIT)

    def _counted(self, at_ms: int, number: int, direction: Direction) -> Movement:
        movement = Movement(at_ms, self._curve.lot.id, self._cards.token(number), direction)
        self._tally.add(movement)
        return movement

    def _below(self, bound: int) -> int:
        return int(self._rng.random() * bound)


def _slot_ms(row: dict[str, str]) -> int:
    return int(datetime.fromisoformat(row["slot_local"]).replace(tzinfo=UTC).timestamp()) * 1000
