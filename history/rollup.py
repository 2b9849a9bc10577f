"""Changes of counts, added up to cells and days.

What is in the store already must not be added again: after a restart from an older checkpoint the same events
come once more. So each cell and each day is read before it is first added to, and only what is newer than its
row's seq counts.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from liftgate.history.counts import Change
from liftgate.history.port import CELL_MIN, DAY_MIN, CellRow, DayRow

DAYS_KEPT = 1024
"""Days of areas that stay in memory, at most some 50 KB each and mostly a tenth of it; those of the present
stay, being used all the time. Further ones are read again."""

Key = tuple[str, str, int]
"""lot, area, day."""


class Sums:
    """entered, left, corrected up to event `seq`. stored: the seq in the store when it was read, 0 = no
    row.
    """

    __slots__ = ("corrected", "entered", "left", "seq", "stored")

    def __init__(self, seq: int = 0, entered: int = 0, left: int = 0, corrected: int = 0) -> None:
        self.stored = self.seq = seq
        self.entered, self.left, self.corrected = entered, left, corrected

    def add(self, change: Change) -> bool:
        """Whether the change was news. An event may have several of one area, so it is measured by what was
        stored, and not by what was added.
        """
        if change.seq <= self.stored:
            return False
        self.seq = change.seq
        self.entered += change.entered
        self.left += change.left
        self.corrected += change.corrected
        return True


class _Day:
    """One day of an area: its total and its cells by their beginning."""

    __slots__ = ("cells", "total")

    def __init__(self, total: Sums, cells: dict[int, Sums]) -> None:
        self.total = total
        self.cells = cells


class Rollup:
    """The cells and days that are being added to."""

    def __init__(self) -> None:
        self._days: OrderedDict[Key, _Day] = OrderedDict()
        self._new_days: dict[Key, Sums] = {}
        self._new_cells: dict[tuple[str, str, int], Sums] = {}

    def wanted(self, lot: str, changes: Iterable[Change]) -> list[Key]:
        """The days that must be read (`know`) before these changes can be added."""
        keys = dict.fromkeys((lot, change.area, _cell(change) // DAY_MIN) for change in changes)
        return [key for key in keys if key not in self._days]

    def know(self, key: Key, days: Sequence[DayRow], cells: Sequence[CellRow]) -> None:
        """Take what the store has of a day: its row, if there is one, and its cells."""
        total = Sums(*days[0][3:]) if days else Sums()
        self._days[key] = _Day(total, {row.cell: Sums(*row[3:]) for row in cells})

    def add(self, lot: str, changes: Iterable[Change]) -> None:
        """Add changes of a lot in the order of their events; their days are known."""
        for change in changes:
            start = _cell(change)
            key = (lot, change.area, start // DAY_MIN)
            day = self._days[key]
            cell = day.cells.get(start)
            if cell is None:
                cell = day.cells[start] = Sums()
            if cell.add(change):
                self._new_cells[lot, change.area, start] = cell
            if day.total.add(change):
                self._new_days[key] = day.total

    def rows(self) -> tuple[list[CellRow], list[DayRow]]:
        """What the store is to have, as it is now: all that changed since `settled`."""
        cells = [CellRow(*key, each.seq, *_values(each)) for key, each in self._new_cells.items()]
        days = [DayRow(*key, each.seq, *_values(each)) for key, each in self._new_days.items()]
        return cells, days

    def settled(self) -> None:
        """The rows are stored. Only now may a day be dropped: what is read again must be what was there."""
        for key in self._new_days:
            self._days.move_to_end(key)
        self._new_cells, self._new_days = {}, {}
        while len(self._days) > DAYS_KEPT:
            self._days.popitem(last=False)


def _cell(change: Change) -> int:
    """The beginning of the change's cell, Unix minutes."""
    minute = change.at_ms // 60_000
    return minute - minute % CELL_MIN


def _values(sums: Sums) -> tuple[int, int, int]:
    return sums.entered, sums.left, sums.corrected
