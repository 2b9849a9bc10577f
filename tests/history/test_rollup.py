"""Changes added up to cells and days."""

from __future__ import annotations

import pytest

from liftgate.history import rollup
from liftgate.history.counts import Change
from liftgate.history.port import CELL_MIN, DAY_MIN, CellRow, DayRow
from liftgate.history.rollup import Rollup

NOON_MIN = 29_922_480
DAY = NOON_MIN // DAY_MIN


def change(seq: int, minute: int = NOON_MIN, entered: int = 1, left: int = 0, corrected: int = 0) -> Change:
    return Change("north", minute * 60_000, seq, entered, left, corrected)


def fresh(*known: int) -> Rollup:
    """One that knows these days to be empty."""
    made = Rollup()
    for day in known:
        made.know(("n", "north", day), [], [])
    return made


def test_several_changes_of_one_event_all_count() -> None:
    """An entry that ends an older stay corrects and counts in one cell."""
    made = fresh(DAY)
    made.add("n", [change(5, entered=0, corrected=-1), change(5), change(6)])
    assert made.rows() == (
        [CellRow("n", "north", NOON_MIN, 6, 2, 0, -1)],
        [DayRow("n", "north", DAY, 6, 2, 0, -1)],
    )


def test_what_is_stored_is_not_added_again() -> None:
    """Each by its own row: the cell may have less than the day, where only one of them got there."""
    made = Rollup()
    made.know(
        ("n", "north", DAY),
        [DayRow("n", "north", DAY, 7, 70, 0, 0)],
        [CellRow("n", "north", NOON_MIN, 5, 50, 0, 0)],
    )
    made.add("n", [change(seq) for seq in (4, 5, 6, 7, 8)])
    cells, days = made.rows()
    assert [(row.seq, row.entered) for row in cells] == [(8, 53)]
    assert [(row.seq, row.entered) for row in days] == [(8, 71)]


def test_nothing_new_makes_no_rows() -> None:
    """And what was stored is no news any more."""
    made = Rollup()
    made.know(("n", "north", DAY), [DayRow("n", "north", DAY, 9, 1, 0, 0)], [])
    made.settled()
    assert made.rows() == ([], [])
    made.add("n", [change(10)])
    made.settled()
    assert made.rows() == ([], [])


@pytest.mark.parametrize("off", [0, 1, CELL_MIN - 1])
def test_a_cell_is_named_by_its_beginning(off: int) -> None:
    """Whatever minute of it something happened in."""
    made = fresh(DAY)
    made.add("n", [change(1, NOON_MIN + off)])
    assert [row.cell for row in made.rows()[0]] == [NOON_MIN]


def test_days_are_read_before_they_are_added_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once each, and again after they were dropped; never dropped before their rows are stored."""
    monkeypatch.setattr(rollup, "DAYS_KEPT", 2)
    changes = [change(1), change(2), change(3, NOON_MIN + DAY_MIN), change(4, NOON_MIN + 2 * DAY_MIN)]
    made = Rollup()
    keys = made.wanted("n", changes)
    assert keys == [("n", "north", DAY), ("n", "north", DAY + 1), ("n", "north", DAY + 2)]
    for key in keys:
        made.know(key, [], [])
    assert made.wanted("n", changes) == []
    made.add("n", changes)
    made.settled()
    assert made.wanted("n", changes) == [("n", "north", DAY)]
