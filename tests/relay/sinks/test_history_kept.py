"""What the history has of a span, on a real SQLite file: by the port's `events`, so any store's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from liftgate.history.port import DAY_MS, EventRow, Rows
from liftgate.history.sqlite import SqliteStore
from liftgate.relay.comparison import Compared, Entry, Span, compare
from liftgate.relay.sinks import history_kept
from liftgate.relay.sinks.history_kept import HistoryKept

TODAY = 20_780


def entry(position: int, day: int = TODAY) -> Entry:
    """Of lot north, where seq 1 is at position 101."""
    return Entry("north", position - 100, position, "ScanDecided", day * DAY_MS + position)


def row(entry: Entry, day: int | None = None) -> EventRow:
    day = entry.at_ms // DAY_MS if day is None else day
    return EventRow(entry.lot, day, entry.seq, entry.at_ms, entry.position, entry.type, b"{}")


def compared(path: Path, rows: list[EventRow], journal: list[Entry], oldest_day: int = 0) -> Compared:
    async def run() -> Compared:
        store = SqliteStore(path / "history.db")
        await store.open()
        try:
            await store.write(Rows(events=rows))
            span = Span(journal[0].position, journal[-1].position)
            return await compare(journal, HistoryKept(store, span, oldest_day))
        finally:
            await store.aclose()

    return asyncio.run(run())


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_days_that_interleave_are_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    """A REPLAY of last week lies between events of today; what is before and behind the span is no matter."""
    monkeypatch.setattr(history_kept, "PAGE", page)
    stored = [entry(position, TODAY - 7 * (position % 3 == 0)) for position in range(101, 113)]
    assert compared(tmp_path, [row(each) for each in stored], stored[3:-2]) == Compared(None, 7, 0)


def test_a_row_of_another_day_is_named(tmp_path: Path) -> None:
    """The same event once more, on the day before: (lot, seq) would be there twice."""
    stored = [entry(position) for position in range(101, 105)]
    rows = [*(row(each) for each in stored), row(stored[1], TODAY - 1)]
    told = compared(tmp_path, rows, stored).difference
    assert told is not None and (told.entry, told.what) == (stored[1], "is there and not in the journal")


def test_days_that_are_kept_no_longer_are_left_out(tmp_path: Path) -> None:
    """Whether their rows are gone yet or not."""
    stored = [entry(101, TODAY - 1), entry(102), entry(103)]
    assert compared(tmp_path, [row(each) for each in stored], stored, TODAY) == Compared(None, 2, 1)
