"""What every store of the history must do, whichever it is.

Each case is an async function of a Keeper, run on a store that is empty of its lots. A test module of a store
says

    @pytest.mark.parametrize("case", contract.CASES, ids=contract.name)
    def test_the_contract(case, keeper): asyncio.run(case(keeper))

with a keeper of its own. Each case uses lots, feeds and credentials that no other names, so that a store
which is slow to make may serve them all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Protocol

import pytest

from liftgate.history.port import (
    DAY_MS,
    LEFT,
    WHOLE,
    CellRow,
    Checkpoint,
    DayRow,
    EventRow,
    Progress,
    Rows,
    StayRow,
    Store,
    StoreRejected,
)

NOON = 1_795_348_800_000
TODAY = NOON // DAY_MS
MINUTE = NOON // 60_000


class Keeper(Protocol):
    """Makes stores on one and the same place, kept for 30 days, with raw tokens for 24 hours."""

    def store(self) -> Store:
        """A new store object on it, not open."""

    def poison(self, row: EventRow) -> EventRow:
        """The row with something in it that this store refuses for good."""


Case = Callable[[Keeper], Awaitable[None]]
CASES: list[Case] = []


def case(function: Case) -> Case:
    CASES.append(function)
    return function


def name(function: Any) -> str:
    return str(function.__name__)


@asynccontextmanager
async def opened(keeper: Keeper) -> AsyncIterator[Store]:
    store = keeper.store()
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


def event(lot: str, seq: int, at_ms: int = NOON, value: bytes = b'{"kind":2}') -> EventRow:
    return EventRow(lot, at_ms // DAY_MS, seq, at_ms, 1000 + seq, "ScanDecided", value)


def stay(lot: str, session: int, seq: int, **other: Any) -> StayRow:
    given: dict[str, Any] = {
        "lot": lot,
        "day": TODAY,
        "session": session.to_bytes(16, "big"),
        "seq": seq,
        "credential": hashed(lot),
        "token": b"",
        "area": "north",
        "spot": "P1-A-001",
        "entered_ms": NOON,
        "left_ms": None,
        "how": "",
    }
    return StayRow(**given | other)


def hashed(name: str) -> bytes:
    return name.encode().ljust(16, b"\0")[:16]


@case
async def nothing_is_found_in_an_empty_store(keeper: Keeper) -> None:
    """Every query of a lot that never was is answered with nothing."""
    async with opened(keeper) as store:
        assert list(await store.events("nowhere", TODAY)) == []
        assert list(await store.stays("nowhere", TODAY)) == []
        assert list(await store.stays_of(hashed("nobody"))) == []
        assert list(await store.cells("nowhere", WHOLE, 0, MINUTE)) == []
        assert list(await store.days("nowhere", WHOLE, 0, TODAY)) == []
        assert await store.progress("no feed") is None
        await store.write(Rows())


@case
async def what_was_written_is_found(keeper: Keeper) -> None:
    """Rows come back as they were given, also by a store that was opened later."""
    lot = "found"
    rows = Rows(
        [event(lot, 1), event(lot, 2)],
        [stay(lot, 1, 1), stay(lot, 2, 2, spot="", entered_ms=None, left_ms=NOON + 5, how=LEFT)],
        [CellRow(lot, "north", MINUTE, 2, 5, 3, -1)],
        [DayRow(lot, "north", TODAY, 2, 50, 30, -10)],
    )
    async with opened(keeper) as store:
        await store.write(rows)
    async with opened(keeper) as store:
        assert list(await store.events(lot, TODAY)) == rows.events
        assert list(await store.stays(lot, TODAY)) == rows.stays
        assert list(await store.cells(lot, "north", MINUTE, MINUTE + 5)) == rows.cells
        assert list(await store.days(lot, "north", TODAY, TODAY + 1)) == rows.days


@case
async def writing_twice_is_writing_once(keeper: Keeper) -> None:
    """The same rows again change nothing, whether alone or among others."""
    lot = "twice"
    rows = Rows(
        [event(lot, seq) for seq in (1, 2, 3)],
        [stay(lot, 1, 3)],
        [CellRow(lot, WHOLE, MINUTE, 3, 1, 0, 0)],
        [DayRow(lot, WHOLE, TODAY, 3, 1, 0, 0)],
    )
    async with opened(keeper) as store:
        await store.write(rows)
        await store.write(Rows(rows.events[1:], rows.stays, rows.cells, rows.days))
        await store.write(rows)
        assert list(await store.events(lot, TODAY)) == rows.events
        assert list(await store.stays(lot, TODAY)) == rows.stays
        assert list(await store.stays_of(hashed(lot))) == rows.stays
        assert list(await store.cells(lot, WHOLE, MINUTE, MINUTE + 5)) == rows.cells
        assert list(await store.days(lot, WHOLE, TODAY, TODAY + 1)) == rows.days


@case
async def an_older_seq_never_overwrites_a_newer_one(keeper: Keeper) -> None:
    """Of a stay, a cell, a day and a checkpoint the one of the higher seq stays, whoever comes last."""
    lot = "older"
    new, old = stay(lot, 1, 9, left_ms=NOON, how=LEFT), stay(lot, 1, 4)
    async with opened(keeper) as store, opened(keeper) as other:
        await store.write(
            Rows((), [new], [CellRow(lot, "a", MINUTE, 9, 9, 9, 9)], [DayRow(lot, "a", TODAY, 9, 9, 9, 9)]),
            Progress(lot, 90, [Checkpoint(lot, 9, b"new")]),
        )
        await other.write(
            Rows((), [old], [CellRow(lot, "a", MINUTE, 8, 1, 1, 1)], [DayRow(lot, "a", TODAY, 8, 1, 1, 1)]),
            Progress(lot, 80, [Checkpoint(lot, 8, b"old")]),
        )
        assert list(await store.stays(lot, TODAY)) == [new]
        assert list(await store.stays_of(hashed(lot))) == [new]
        assert list(await store.cells(lot, "a", MINUTE, MINUTE + 1)) == [
            CellRow(lot, "a", MINUTE, 9, 9, 9, 9)
        ]
        assert list(await store.days(lot, "a", TODAY, TODAY + 1)) == [DayRow(lot, "a", TODAY, 9, 9, 9, 9)]
        assert await store.progress(lot) == Progress(lot, 90, [Checkpoint(lot, 9, b"new")])


@case
async def batches_in_any_order_come_to_the_same(keeper: Keeper) -> None:
    """Batches that overlap, shuffled and repeated, leave what they leave in order."""
    batches = []
    for first in range(1, 60, 7):
        seqs = range(first, min(first + 10, 60))
        batches.append(
            (
                seqs,
                [(seq % 5, seq) for seq in seqs],
            )
        )
    random, results = Random(5), []
    async with opened(keeper) as store:
        for turn in range(3):
            lot = f"order {turn}"
            order = batches if turn == 0 else random.sample([*batches, *batches], 2 * len(batches))
            for seqs, sums in order:
                latest = dict(sums)
                await store.write(
                    Rows(
                        [event(lot, seq) for seq in seqs],
                        [
                            stay(lot, session, seq, credential=hashed("order"))
                            for session, seq in latest.items()
                        ],
                        [CellRow(lot, "a", MINUTE + 5 * n, seq, seq, 0, 0) for n, seq in latest.items()],
                        [DayRow(lot, "a", TODAY + n, seq, seq, 0, 0) for n, seq in latest.items()],
                    )
                )
            found = [
                await store.events(lot, TODAY),
                await store.stays(lot, TODAY),
                await store.cells(lot, "a", MINUTE, MINUTE + 100),
                await store.days(lot, "a", TODAY, TODAY + 100),
            ]
            results.append([[row._replace(lot="") for row in rows] for rows in found])  # type: ignore[attr-defined]
    assert results[0] == results[1] == results[2]
    assert [len(rows) for rows in results[0]] == [59, 5, 5, 5]


@case
async def a_day_begins_and_ends_at_midnight_utc(keeper: Keeper) -> None:
    """The last millisecond of a day and the first of the next are in different days; ranges end before
    `until`.
    """
    lot, midnight = "midnight", TODAY * DAY_MS
    before, after = event(lot, 1, midnight - 1), event(lot, 2, midnight)
    async with opened(keeper) as store:
        cells = [CellRow(lot, "a", midnight // 60_000 + off, 2, 1, 0, 0) for off in (-5, 0, 5)]
        days = [DayRow(lot, "a", TODAY + off, 2, 1, 0, 0) for off in (-1, 0, 1)]
        stays = [stay(lot, 1, 1, day=TODAY - 1), stay(lot, 2, 2, day=TODAY)]
        await store.write(Rows([before, after], stays, cells, days))
        assert list(await store.events(lot, TODAY - 1)) == [before]
        assert list(await store.events(lot, TODAY)) == [after]
        assert list(await store.stays(lot, TODAY - 1)) == stays[:1]
        assert list(await store.stays(lot, TODAY)) == stays[1:]
        edge = midnight // 60_000
        assert list(await store.cells(lot, "a", edge - 5, edge)) == cells[:1]
        assert list(await store.cells(lot, "a", edge, edge + 5)) == cells[1:2]
        assert list(await store.cells(lot, "a", edge, edge)) == []
        assert list(await store.days(lot, "a", TODAY, TODAY + 1)) == days[1:2]
        assert list(await store.days(lot, "a", 0, TODAY)) == days[:1]


@case
async def an_event_of_the_past_goes_into_its_day(keeper: Keeper) -> None:
    """A REPLAY's event has a high seq and an early day, and is found there."""
    lot = "replay"
    rows = [event(lot, 1, NOON - 2 * DAY_MS), event(lot, 2, NOON), event(lot, 3, NOON - 2 * DAY_MS)]
    async with opened(keeper) as store:
        for row in rows:
            await store.write(Rows([row]))
        assert [row.seq for row in await store.events(lot, TODAY - 2)] == [1, 3]
        assert [row.seq for row in await store.events(lot, TODAY)] == [2]


@case
async def thousands_of_rows_are_read_page_by_page(keeper: Keeper) -> None:
    """Each page goes on behind the last row of the one before; nothing twice, nothing left out."""
    lot, count = "pages", 5000
    async with opened(keeper) as store:
        events = [event(lot, seq, value=b"x" * (seq % 700)) for seq in range(1, count + 1)]
        stays = [stay(lot, number, number) for number in range(1, count + 1)]
        await store.write(Rows(events, stays))
        found: list[EventRow] = []
        while page := await store.events(lot, TODAY, found[-1].seq if found else 0, 900):
            assert len(page) <= 900
            found += page
        assert found == events
        parked: list[StayRow] = []
        while part := await store.stays(lot, TODAY, parked[-1].session if parked else b"", 900):
            parked += part
        assert parked == stays
        assert len(await store.events(lot, TODAY)) == 1000


@case
async def names_may_be_in_any_language(keeper: Keeper) -> None:
    """Lots, areas, spots and feeds keep what they are called, and similar names stay apart."""
    names = ["Tiefgarage Süd", "駐車場", "parking-🅿️", "a", "A", "a ", "ä", "a'; DROP TABLE events; --"]
    async with opened(keeper) as store:
        for number, each in enumerate(names, 1):
            rows = Rows(
                [event(each, number)],
                [stay(each, number, number, area=each, spot=each)],
                [CellRow(each, each, MINUTE, number, number, 0, 0)],
                [DayRow(each, each, TODAY, number, number, 0, 0)],
            )
            await store.write(rows, Progress(each, number, [Checkpoint(each, number, each.encode())]))
        for number, each in enumerate(names, 1):
            assert [row.seq for row in await store.events(each, TODAY)] == [number]
            assert [row.spot for row in await store.stays(each, TODAY)] == [each]
            assert [row.entered for row in await store.cells(each, each, MINUTE, MINUTE + 5)] == [number]
            assert [row.entered for row in await store.days(each, each, TODAY, TODAY + 1)] == [number]
            assert await store.progress(each) == Progress(
                each, number, [Checkpoint(each, number, each.encode())]
            )


@case
async def stays_of_a_credential_are_the_latest_first(keeper: Keeper) -> None:
    """In all lots, by the time of entry, at most as many as asked for."""
    who = hashed("regular")
    async with opened(keeper) as store:
        for number in range(6):
            lot = ("regular a", "regular b")[number % 2]
            at_ms = NOON - number * DAY_MS
            session = (at_ms << 80 | number).to_bytes(16, "big")
            row = stay(lot, 0, number + 1, credential=who, day=at_ms // DAY_MS, entered_ms=at_ms)
            await store.write(Rows((), [row._replace(session=session)]))
        found = await store.stays_of(who)
        assert [row.entered_ms for row in found] == [NOON - number * DAY_MS for number in range(6)]
        assert {row.lot for row in found} == {"regular a", "regular b"}
        assert list(await store.stays_of(who, 2)) == list(found[:2])


@case
async def a_stay_is_found_under_its_last_credential_only(keeper: Keeper) -> None:
    """After a swap nothing is left under the one before; an old row that comes late brings nothing back."""
    lot, before, after = "swap", hashed("swap before"), hashed("swap after")
    old = stay(lot, 1, 1, credential=before)
    new = stay(lot, 1, 5, credential=after, formerly=(before,))
    async with opened(keeper) as store:
        await store.write(Rows((), [old]))
        await store.write(Rows((), [new]))
        await store.write(Rows((), [old]))
        assert list(await store.stays_of(before)) == []
        assert [row.session for row in await store.stays_of(after)] == [new.session]
        assert [row.credential for row in await store.stays(lot, TODAY)] == [after]


@case
async def progress_is_the_last_of_each_lot(keeper: Keeper) -> None:
    """Each write names the lots that changed; what is read are all of the feed, and those of no other
    feed.
    """
    async with opened(keeper) as store:
        big = bytes(range(256)) * 4096 * 5
        await store.write(
            Rows(), Progress("feed", 10, [Checkpoint("p1", 4, b"4"), Checkpoint("p2", 6, b"6")])
        )
        await store.write(Rows(), Progress("other", 99, [Checkpoint("p1", 77, b"77")]))
        await store.write(Rows(), Progress("feed", 20, [Checkpoint("p1", 9, big)]))
        await store.write(Rows(), Progress("feed", 21, []))
        found = await store.progress("feed")
        assert found is not None and found.position == 21
        assert sorted(found.folds) == [Checkpoint("p1", 9, big), Checkpoint("p2", 6, b"6")]


@case
async def a_refused_event_is_named_and_the_rest_is_stored(keeper: Keeper) -> None:
    """With everything else of the write but the progress, which would say that nothing is missing."""
    lot = "poison"
    rows = [event(lot, seq) for seq in range(1, 8)]
    rows[2], rows[5] = keeper.poison(rows[2]), keeper.poison(rows[5])
    cells = [CellRow(lot, "a", MINUTE, 7, 1, 0, 0)]
    async with opened(keeper) as store:
        with pytest.raises(StoreRejected) as refused:
            await store.write(
                Rows(rows, [stay(lot, 1, 7)], cells), Progress(lot, 7, [Checkpoint(lot, 7, b"x")])
            )
        assert set(refused.value.refused) == {(lot, rows[2].seq), (lot, rows[5].seq)}
        assert all(refused.value.refused.values()), "each with a reason"
        assert [row.seq for row in await store.events(lot, TODAY)] == [1, 2, 4, 5, 7]
        assert len(await store.stays(lot, TODAY)) == 1
        assert list(await store.cells(lot, "a", MINUTE, MINUTE + 5)) == cells
        assert await store.progress(lot) is None
        await store.write(Rows(), Progress(lot, 7, [Checkpoint(lot, 7, b"x")]))
        assert (await store.progress(lot)) == Progress(lot, 7, [Checkpoint(lot, 7, b"x")])


@case
async def migrating_what_is_current_changes_nothing(keeper: Keeper) -> None:
    """And says so: the version before is the version now."""
    lot = "migrated"
    async with opened(keeper) as store:
        await store.write(Rows([event(lot, 1)]))
    store = keeper.store()
    before, now = await store.migrate()
    await store.aclose()
    assert before == now > 0
    async with opened(keeper) as store:
        assert len(await store.events(lot, TODAY)) == 1
