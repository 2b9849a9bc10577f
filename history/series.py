"""Occupancy and counts over time, from any store's cells and days."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from liftgate.history.port import CELL_MIN, DAY_MIN, CellRow, Store

CELL_MS = CELL_MIN * 60_000
HOUR_MS = 3_600_000

POINTS_MAX = 100_000
"""Points of one series: five minutes for almost a year, some 10 MB."""


AT_ONCE_MIN = 28 * DAY_MIN
"""Cells that are asked for in one query: 8,064, about a megabyte."""


class OccupancyPoint(NamedTuple):
    """at_ms: end of the step; occupancy: cars then. What was least or most within the step is not kept."""

    at_ms: int
    occupancy: int


class HourRow(NamedTuple):
    """An hour that began at at_ms: cars that lanes saw come in and go, and the net of what nobody saw."""

    at_ms: int
    entered: int
    left: int
    corrected: int


async def occupancy(
    store: Store, lot: str, area: str, from_ms: int, to_ms: int, step_ms: int = CELL_MS
) -> list[OccupancyPoint]:
    """The cars in an area (WHOLE: in the lot) at from_ms, from_ms + step_ms, … up to to_ms.

    Times lie on the edges of cells: from_ms is rounded down, and step_ms must be whole cells. The sum of all
    changes up to then, so a correction or a replay that came later is in it. Costs the area's days up to
    from_ms, a row each, and the cells of the span. Raises ValueError, StoreUnavailable.
    """
    if step_ms <= 0 or step_ms % CELL_MS:
        raise ValueError(f"a step is whole cells of {CELL_MIN} minutes, not {step_ms} ms")
    first, until = _cell(from_ms), _cell(to_ms)
    step = step_ms // 60_000
    _bounded((until - first) // step)
    count = await _count_at(store, lot, area, first)
    points = dict.fromkeys(range(first, until + 1, step), 0)
    async for row in _cells(store, lot, area, first, until):
        end = first - (first - row.cell - 1) // step * step  # the first edge behind the cell's beginning
        if end in points:
            points[end] += row.change()
    found = []
    for edge, change in points.items():
        count += change
        found.append(OccupancyPoint(edge * 60_000, count))
    return found


async def hours(store: Store, lot: str, area: str, from_ms: int, to_ms: int) -> list[HourRow]:
    """What happened in each hour from the one of from_ms to before to_ms, hours without anything among them.

    Raises ValueError, StoreUnavailable.
    """
    first = from_ms // HOUR_MS
    until = max(first, -(-to_ms // HOUR_MS))
    _bounded(until - first)
    sums = {hour: [0, 0, 0] for hour in range(first, until)}
    async for row in _cells(store, lot, area, first * 60, until * 60):
        found = sums[row.cell // 60]
        for place, value in enumerate((row.entered, row.left, row.corrected)):
            found[place] += value
    return [HourRow(hour * HOUR_MS, *found) for hour, found in sums.items()]


async def _count_at(store: Store, lot: str, area: str, cell: int) -> int:
    """The cars there when the cell begins: all days before, and that day's cells before."""
    day = cell // DAY_MIN
    before = sum(row.change() for row in await store.days(lot, area, 0, day))
    return before + sum(row.change() for row in await store.cells(lot, area, day * DAY_MIN, cell))


async def _cells(store: Store, lot: str, area: str, first: int, until: int) -> AsyncIterator[CellRow]:
    """The cells of a span, however long, a few weeks in memory at a time."""
    for start in range(first, until, AT_ONCE_MIN):
        for row in await store.cells(lot, area, start, min(start + AT_ONCE_MIN, until)):
            yield row


def _cell(at_ms: int) -> int:
    minute = at_ms // 60_000
    return minute - minute % CELL_MIN


def _bounded(points: int) -> None:
    if points > POINTS_MAX:
        raise ValueError(f"{points} points are more than {POINTS_MAX}: take longer steps or less time")
