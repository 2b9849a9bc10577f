"""Rows of the history as lines for people."""

from __future__ import annotations

from datetime import UTC, datetime

from liftgate.history.port import EventRow, StayRow
from liftgate.history.series import HourRow, OccupancyPoint

STAYS_HEAD = (
    f"{'entered (UTC)':19}  {'left':19}  {'how':13}  {'lot':10}  {'area':10}  {'spot':10}  credential"
)
COUNTS_HEAD = f"{'hour (UTC)':16}  {'entered':>7}  {'left':>7}  {'corrected':>9}"


def event_line(row: EventRow) -> str:
    """Time, seq, position, type; what is in it is for --json."""
    return f"{_at(row.at_ms)}  seq {row.seq:<8} position {row.position:<10} {row.type}"


def stay_line(row: StayRow) -> str:
    """Under STAYS_HEAD."""
    entered = "not seen" if row.entered_ms is None else _at(row.entered_ms)
    left = "" if row.left_ms is None else _at(row.left_ms)
    how = row.how or "inside"
    return (
        f"{entered:19}  {left:19}  {how:13}  {row.lot:10}  {row.area:10}  {row.spot or '-':10}  "
        f"{row.credential.hex()}"
    )


def point_line(row: OccupancyPoint) -> str:
    """A time, and the cars then."""
    return f"{_at(row.at_ms)[:16]}  {row.occupancy:>6}"


def count_line(row: HourRow) -> str:
    """Under COUNTS_HEAD."""
    return f"{_at(row.at_ms)[:16]}  {row.entered:>7}  {row.left:>7}  {row.corrected:>+9}"


def _at(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(" ", "seconds")[:19]
