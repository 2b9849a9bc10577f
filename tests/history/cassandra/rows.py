"""Rows of the history for the tests of the Cassandra store."""

from __future__ import annotations

from liftgate.history.port import CELL_MIN, DAY_MS, WHOLE, CellRow, DayRow, EventRow, Rows, StayRow

DAY = 20_800
"""2026-12-13."""
NOON_MS = DAY * DAY_MS + DAY_MS // 2
CREDENTIAL, OTHER = b"c" * 16, b"d" * 16


def event(seq: int, at_ms: int = 0, value: bytes = b'{"reader":"n\xc3\xb6rdlich-1"}') -> EventRow:
    """at_ms 0: a second for each seq, from the beginning of DAY on."""
    at_ms = at_ms or DAY * DAY_MS + seq * 1000
    return EventRow("north", at_ms // DAY_MS, seq, at_ms, seq + 100, "ScanDecided", value)


def stay(
    number: int, seq: int = 1, credential: bytes = CREDENTIAL, entered_ms: int | None = NOON_MS
) -> StayRow:
    """A car that is inside."""
    session = number.to_bytes(16, "big")
    return StayRow("north", DAY, session, seq, credential, b"", "main", "P1-A-001", entered_ms, None, "")


def cell(number: int, seq: int = 1, area: str = WHOLE) -> CellRow:
    return CellRow("north", area, DAY * 24 * 60 + number * CELL_MIN, seq, 3, 2, -1)


def day(number: int, seq: int = 1, area: str = WHOLE) -> DayRow:
    return DayRow("north", area, DAY + number, seq, 300, 200, -10)


def some(first: int, count: int) -> Rows:
    """What a batch of so many events comes to: a stay, a cell and a day with each hundred."""
    seqs = range(first, first + count)
    return Rows(
        [event(seq) for seq in seqs],
        [stay(seq, seq) for seq in seqs[::100]],
        [cell(seq // 100, seq) for seq in seqs[::100]],
        [day(seq // 10_000, seq) for seq in seqs[-1:]],
    )
