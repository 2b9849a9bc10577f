"""A feed's events into a store, whatever happens on the way: the same rows in the end."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from liftgate.codecs.events import Event, events_of
from liftgate.codecs.events.operators import CountCorrected
from liftgate.history import recorder as recorders
from liftgate.history import rollup
from liftgate.history.fold import Gap
from liftgate.history.port import (
    DAY_MS,
    WHOLE,
    EventRow,
    Progress,
    Rows,
    StoreMisfit,
    StoreRejected,
    StoreUnavailable,
)
from liftgate.history.recorder import Recorder
from liftgate.history.series import CELL_MS, HOUR_MS, hours, occupancy
from liftgate.history.sqlite import SqliteStore
from tests.engine.core.lots import CARD, NOON, Yard, area, block, lane_spec, lot_spec
from tests.history.beside import HASHER, History

Batch = list[tuple[int, Event]]
TABLES = {"events": "lot, seq", "stays": "lot, session", "cells": "lot, area, cell", "days": "lot, area, day"}


def a_feed(seed: int, lots: tuple[str, ...] = ("a", "b"), steps: int = 400) -> Batch:
    """Some days of lots with inner areas, told in the feed's order, REPLAYs of days before among them."""
    rng, feed = Random(seed), []
    yards = []
    for _ in lots:
        spec = lot_spec(area("north", None, block("P1", "A", 9)), area("vip", "north", block("P0", "V", 4)))
        lanes = (
            lane_spec(0, "entry", confirm=True),
            lane_spec(1, "exit"),
            lane_spec(2, "entry", "vip"),
            lane_spec(3, "exit", "vip", confirm=True),
        )
        yard = Yard(spec | {"rules": {"ledger": {}, "identity": {"close_after_s": 40_000}}}, r=lanes)
        yard.careful = False
        yards.append(yard)
    told = [0] * len(lots)
    for step in range(steps):
        number = step % len(lots)
        something(yards[number], rng)
        feed += new_events(yards[number], told, number, lots[number])
    return list(enumerate(feed, 1))


def something(yard: Yard, rng: Random) -> None:
    yard.tick(rng.choice((1_000, 60_000, 900_000)))
    lane, token, kind = rng.randrange(4), bytes((65 + rng.randrange(12),)), rng.randrange(10)
    session = next(iter(yard.lot.moving), None)
    if kind < 5:
        yard.scan(lane, token)
    elif kind < 7:
        yard.passage(lane, rng.choice((1, 1, 2, 3)), session)
    elif kind == 7:
        yard.history(lane, 0x10, CARD, token, verdict=1, at_ms=yard.now_ms - rng.randrange(3 * DAY_MS))
    elif kind == 8:
        yard.history(lane, 0x12, 3, None, at_ms=yard.now_ms - rng.randrange(3 * DAY_MS))
    else:
        yard.order("recount", counted={"north": rng.randrange(9)}, actor="eve")


def new_events(yard: Yard, told: list[int], number: int, lot: str) -> list[Event]:
    """Those since the last call; the yard calls every lot north."""
    count = yard.position - told[number]
    log, told[number] = bytes(yard.log), yard.position
    yard.log.clear()
    return [msgspec.structs.replace(event, lot=lot) for event in events_of(log, count)]


def batches(feed: Batch, rng: Random, most: int = 60) -> list[Batch]:
    found, first = [], 0
    while first < len(feed):
        size = rng.randint(1, most)
        found.append(feed[first : first + size])
        first += size
    return found


def content(path: Path) -> dict[str, list[Any]]:
    """Every row of the tables that are asked, whatever wrote them."""
    connection = sqlite3.connect(path)
    found = {
        table: connection.execute(f"SELECT * FROM {table} ORDER BY {key}").fetchall()
        for table, key in TABLES.items()
    }
    connection.close()
    return found


async def record(path: Path, feed: Batch, rng: Random, store: SqliteStore | None = None) -> None:
    store = store or SqliteStore(path)
    recorder = Recorder(store, "engine", HASHER)
    assert await recorder.open() == 0
    for batch in batches(feed, rng):
        await recorder.write(batch)
    assert await recorder.settle() == feed[-1][0]
    await store.aclose()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> tuple[Batch, dict[str, list[Any]]]:
    """A feed, and what a history of it holds to which nothing happened."""
    feed, path = a_feed(1), tmp_path_factory.mktemp("reference") / "history.db"
    asyncio.run(record(path, feed, Random(0)))
    return feed, content(path)


def test_a_history_is_what_happened(reference: tuple[Batch, dict[str, list[Any]]]) -> None:
    """Each event once; of each stay its last row; sums of cells and of days are the fold's own counts."""
    feed, found = reference
    assert [(row[0], row[2]) for row in found["events"]] == sorted((e.lot, e.seq) for _, e in feed)
    for lot in ("a", "b"):
        alone = History(lot)
        for _, event in feed:
            if event.lot == lot:
                alone.fold.apply(event)
        changes, rows = alone.fold.take()
        sums: Counter[str] = Counter()
        for change in changes:
            sums[change.area] += change.entered - change.left + change.corrected
        for table in ("cells", "days"):
            stored: Counter[str] = Counter()
            for _, name, _, _, entered, left, corrected in (r for r in found[table] if r[0] == lot):
                stored[name] += entered - left + corrected
            assert stored == sums
        assert [row for row in found["stays"] if row[0] == lot] == sorted(
            (tuple(row[:-1]) for row in rows.values()), key=lambda row: row[2]
        )
    assert len({row[2] for row in found["days"]}) > 3, "or nothing of the past was told"


def test_nothing_raw_is_stored(reference: tuple[Batch, dict[str, list[Any]]]) -> None:
    """Tokens of scans and of what was told are nowhere in the rows of events."""
    for row in reference[1]["events"]:
        value = msgspec.json.decode(row[-1])
        assert all(len(value[name]) == 32 for name in ("token", "credential") if name in value)


class Unsteady(SqliteStore):
    """A store that is often away: before it did anything, or after, so that nobody can tell."""

    rng = Random(0)

    async def write(self, rows: Rows, progress: Progress | None = None) -> None:
        self._fail()
        await super().write(rows, progress)
        self._fail()

    async def cells(self, lot: str, area: str, first: int, until: int) -> Any:
        self._fail()
        return await super().cells(lot, area, first, until)

    def _fail(self) -> None:
        if self.rng.random() < 0.2:
            raise StoreUnavailable("away")


@pytest.mark.parametrize("seed", range(8))
def test_whatever_fails_and_whoever_is_killed(
    tmp_path: Path, reference: tuple[Batch, dict[str, list[Any]]], monkeypatch: Any, seed: int
) -> None:
    """Batches offered again, recorders that die anywhere and begin at an older checkpoint, two at once by
    mistake, few days in memory: the rows are those of a quiet run, to the last one.
    """
    feed, expected = reference
    rng = Unsteady.rng = Random(seed)
    monkeypatch.setattr(rollup, "DAYS_KEPT", rng.choice((1, 5, 1024)))
    monkeypatch.setattr(recorders, "CHECKPOINT_EVENTS", rng.choice((1, 100, 10**9)))
    path = tmp_path / "history.db"
    asyncio.run(unsteadily(path, feed, rng))
    assert content(path) == expected


async def unsteadily(path: Path, feed: Batch, rng: Random) -> None:
    stores = [Unsteady(path), Unsteady(path)]
    alive: list[tuple[Recorder, list[int]]] = []
    safe = 0
    while safe < feed[-1][0]:
        if len(alive) < 2 and rng.random() < 0.3 or not alive:
            free = next(store for store in stores if all(each._store is not store for each, _ in alive))
            recorder = Recorder(free, "engine", HASHER)
            alive.append((recorder, [await recorder.open()]))
        if rng.random() < 0.05:
            for each, _ in alive:
                await each.aclose()
            alive = [(each, [await each.open()]) for each, _ in alive if rng.random() < 0.5]
            continue
        recorder, at = rng.choice(alive)
        batch = feed[at[0] : at[0] + rng.randint(1, 60)]
        safe = max(safe, await push(recorder, batch))
        at[0] = max(at[0], batch[-1][0]) if batch else at[0]
    for store in stores:
        await store.aclose()


async def push(recorder: Recorder, batch: Batch) -> int:
    """Until it is taken, as a pipeline would."""
    while True:
        try:
            return await (recorder.write(batch) if batch else recorder.settle())
        except StoreUnavailable:
            continue


def test_a_recorder_that_is_opened_again_goes_on_from_its_store(
    tmp_path: Path, reference: tuple[Batch, dict[str, list[Any]]]
) -> None:
    """Whether it had a checkpoint or none; what was folded since comes again and counts once."""
    feed, expected = reference
    path = tmp_path / "history.db"
    asyncio.run(reopened(path, feed))
    assert content(path) == expected


async def reopened(path: Path, feed: Batch) -> None:
    recorder = Recorder(SqliteStore(path), "engine", HASHER, clock=lambda: 0.0)
    for settled, lost in ((0, 90), (120, 300), (300, 310)):
        at = await recorder.open()
        await recorder.write(feed[at:settled])
        assert await recorder.settle() == settled
        await recorder.write(feed[settled:lost])
        await recorder.aclose()
    at = await recorder.open()
    assert at == 300
    await recorder.write(feed[at:])
    await recorder.settle()
    await recorder.aclose()


class Picky(SqliteStore):
    """A store that refuses what carries these positions, as one does that finds a value too large."""

    refused: Sequence[int] = ()

    async def write(self, rows: Rows, progress: Progress | None = None) -> None:
        events = [self._spoilt(row) if row.position in self.refused else row for row in rows.events]
        await super().write(rows._replace(events=events), progress)

    def _spoilt(self, row: EventRow) -> EventRow:
        return row._replace(position=1 << 63)


def test_a_refused_event_counts_and_can_be_sent_again(
    tmp_path: Path, reference: tuple[Batch, dict[str, list[Any]]]
) -> None:
    """Its row is missing until then, and nothing else; safe lies before it until the caller has kept it."""
    feed, expected = reference
    path = tmp_path / "history.db"
    asyncio.run(refused(path, feed))
    assert content(path) == expected


async def refused(path: Path, feed: Batch) -> None:
    store = Picky(path)
    store.refused = (40, 41, 200)
    recorder = Recorder(store, "engine", HASHER)
    await recorder.open()
    dead: Batch = []
    for first in range(0, len(feed), 50):
        batch = feed[first : first + 50]
        try:
            await recorder.write(batch)
        except StoreRejected as error:
            dead += [pair for pair in batch if (pair[1].lot, pair[1].seq) in error.refused]
    assert [position for position, _ in dead] == [40, 41, 200]
    store.refused = ()
    assert await recorder.settle() == recorder.safe == feed[-1][0]
    await recorder.aclose()
    restarted = Recorder(store, "engine", HASHER)  # and before it is anywhere near them
    await restarted.open()
    for position, event in dead:
        await restarted.resend(position, event)
    await restarted.aclose()


def test_a_gap_stops_it_until_somebody_skips_it(tmp_path: Path) -> None:
    """Events that the journal does not hold any more are not passed over in silence."""
    asyncio.run(gap(SqliteStore(tmp_path / "history.db")))


async def gap(store: SqliteStore) -> None:
    recorder = Recorder(store, "engine", HASHER)
    await recorder.open()
    await recorder.write([(1, CountCorrected("a", 1, NOON, "north", 0, 4, "jo", ""))])
    late = CountCorrected("a", 9, NOON, "north", 6, 7, "jo", "")
    for _ in range(2):
        with pytest.raises(Gap, match="event 9 after 1"):
            await recorder.write([(2, late)])
    await recorder.write([(9, late)])
    assert [row.change() for row in await store.days("a", "north", 0, 1 << 20)] == [7]
    await store.aclose()


def test_safe_moves_with_checkpoints(tmp_path: Path, monkeypatch: Any) -> None:
    """After so many seconds or events, or when it settles; a recorder that opens there goes on from it."""
    monkeypatch.setattr(recorders, "CHECKPOINT_EVENTS", 20)
    asyncio.run(checkpoints(tmp_path / "history.db"))


async def checkpoints(path: Path) -> None:
    feed, now_s = a_feed(2, ("a",), 60), [100.0]
    store = SqliteStore(path)
    recorder = Recorder(store, "engine", HASHER, clock=lambda: now_s[0])
    await recorder.open()
    assert await recorder.write(feed[:5]) == 0
    now_s[0] += recorders.CHECKPOINT_S
    assert await recorder.write(feed[5:10]) == 10
    assert await recorder.write(feed[10:15]) == 10
    assert await recorder.write(feed[15:30]) == 30
    assert await recorder.write(feed[30:32]) == 30
    assert await recorder.settle() == 32
    await store.aclose()
    again = Recorder(store, "engine", HASHER)
    assert await again.open() == 32
    await store.aclose()


def test_what_was_kept_long_enough_goes_once_an_hour(tmp_path: Path) -> None:
    """After a checkpoint; where that fails what was written is written, and it is tried with the next one."""
    asyncio.run(expiry(tmp_path / "history.db"))


class Counting(SqliteStore):
    """Notes when it was asked to expire, and fails the second time."""

    asked: list[int] = []

    async def expire(self, now_ms: int) -> int:
        self.asked.append(now_ms)
        if len(self.asked) == 2:
            raise StoreUnavailable("busy")
        return await super().expire(now_ms)


async def expiry(path: Path) -> None:
    feed, now_s = a_feed(2, ("a",), 40), [1000.0]
    store = Counting(path, keep_days=1)
    recorder = Recorder(
        store, "engine", HASHER, clock=lambda: now_s[0], now_ms=lambda: NOON + int(now_s[0]) * 1000
    )
    await recorder.open()
    for after_s, asked in ((5, 1), (5, 1), (recorders.EXPIRE_S, 2), (5, 3), (5, 3)):
        now_s[0] += after_s
        batch, feed = feed[:3], feed[3:]
        assert await recorder.write(batch) == batch[-1][0]
        assert len(store.asked) == asked
    assert store.asked[0] == NOON + 1_005_000
    await recorder.aclose()


def test_a_checkpoint_that_cannot_be_read_is_a_misfit(tmp_path: Path) -> None:
    """With words, and not with a traceback."""

    async def newer() -> None:
        store = SqliteStore(tmp_path / "history.db")
        await store.open()
        await store.write(Rows(), Progress("engine", 1, [recorders.Checkpoint("a", 1, b"\x91\x63")]))
        await store.aclose()
        try:
            await Recorder(store, "engine", HASHER).open()
        finally:
            await store.aclose()

    with pytest.raises(StoreMisfit, match="'engine' cannot be gone on with: lot a: checkpoint format 99"):
        asyncio.run(newer())


@pytest.mark.parametrize("step_ms", [CELL_MS, HOUR_MS, 7 * CELL_MS, DAY_MS])
def test_a_series_is_the_sum_of_all_that_happened_until_then(tmp_path: Path, step_ms: int) -> None:
    """At each step what a list of all changes gives, corrections and replays into days before included."""
    feed = a_feed(3, ("a",), 300)
    path = tmp_path / "history.db"
    asyncio.run(record(path, feed, Random(3)))
    history = History("a")
    for _, event in feed:
        history.fold.apply(event)
    changes, _ = history.fold.take()
    from_ms = min(change.at_ms for change in changes) + DAY_MS
    to_ms = max(change.at_ms for change in changes) + 2 * DAY_MS
    for place in ("north", "vip", WHOLE):
        points, by_hour = asyncio.run(series(path, place, from_ms, to_ms, step_ms))
        assert points[0].at_ms == from_ms - from_ms % CELL_MS
        assert len(points) == (to_ms // CELL_MS - from_ms // CELL_MS) * CELL_MS // step_ms + 1
        for at_ms, count in points:
            until = [change for change in changes if change.area == place and change.at_ms < at_ms]
            assert count == sum(change.entered - change.left + change.corrected for change in until)
        for hour in by_hour:
            within = [c for c in changes if c.area == place and c.at_ms // HOUR_MS * HOUR_MS == hour.at_ms]
            assert hour[1:] == tuple(sum(change[n] for change in within) for n in (3, 4, 5))
    assert len({point.occupancy for point in points}) > 2, "or nothing happened"


async def series(path: Path, place: str, from_ms: int, to_ms: int, step_ms: int) -> tuple[Any, Any]:
    store = SqliteStore(path)
    await store.open()
    try:
        found = await occupancy(store, "a", place, from_ms, to_ms, step_ms)
        return found, await hours(store, "a", place, from_ms, to_ms)
    finally:
        await store.aclose()


def test_a_series_is_bounded_and_on_the_edges_of_cells(tmp_path: Path) -> None:
    """A step between cells has no answer; too many points are refused before anything is read."""

    async def ask(step_ms: int, to_ms: int) -> None:
        await occupancy(SqliteStore(tmp_path / "x"), "a", WHOLE, 0, to_ms, step_ms)

    for step_ms in (0, -CELL_MS, CELL_MS + 1):
        with pytest.raises(ValueError, match="whole cells of 5 minutes"):
            asyncio.run(ask(step_ms, NOON))
    with pytest.raises(ValueError, match="more than 100000"):
        asyncio.run(ask(CELL_MS, NOON))
    with pytest.raises(ValueError, match="more than 100000"):
        asyncio.run(hours(SqliteStore(tmp_path / "x"), "a", WHOLE, 0, NOON))
