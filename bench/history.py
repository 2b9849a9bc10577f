"""How fast the history is written: rows into SQLite, and events through fold, hashes and store."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from liftgate.bench.servers import bench_folder
from liftgate.codecs.events import Event
from liftgate.codecs.events.operators import LotConfigured
from liftgate.codecs.events.readers import ScanDecided
from liftgate.history.port import DAY_MS, CellRow, DayRow, EventRow, Rows, StayRow
from liftgate.history.privacy import Hasher
from liftgate.history.recorder import Recorder
from liftgate.history.sqlite import SqliteStore

EVENTS = 200_000
BATCH = 4000
"""Events of a batch, as the relay gives when it catches up."""

CARS = 2000
SCANS_PER_DAY = 50_000
"""A lot at the size that the history is designed for."""

BEGAN_MS = 1_795_305_600_000
LOT = "north"


class History(msgspec.Struct, frozen=True):
    """Medians. rows_rate: rows a second into SQLite, each batch one durable transaction; recorded_rate:
    events a second through the recorder (fold, sums, hashes, JSON, store), bytes_per_event: on disk after
    that.

    rows: of one round, hash: of what the recorder stored, the same in every round and on every machine.
    """

    rows_rate: float
    recorded_rate: float
    bytes_per_event: float
    events: int
    rows: int
    rounds: int
    hash: str


def history(rounds: int = 3, events: int = EVENTS) -> History:
    """Write the same rows and the same feed into a new file each round."""
    batches = list(row_batches(events))
    feed = feed_of(events)
    written, recorded, size, digest = [], [], 0, ""
    for _ in range(rounds):
        with bench_folder() as folder:
            written.append(asyncio.run(_write(folder / "rows.db", batches)))
        with bench_folder() as folder:
            recorded.append(asyncio.run(_record(folder / "history.db", feed)))
            size = (folder / "history.db").stat().st_size
            digest = asyncio.run(_digest(folder / "history.db"))
    rows = sum(len(part) for batch in batches for part in batch)
    return History(
        rows_rate=round(rows / statistics.median(written), 1),
        recorded_rate=round(len(feed) / statistics.median(recorded), 1),
        bytes_per_event=round(size / len(feed), 1),
        events=len(feed),
        rows=rows,
        rounds=rounds,
        hash=digest,
    )


def row_batches(events: int) -> list[Rows]:
    """What a busy lot comes to: of four events two are scans that begin or end a stay, and cells change."""
    value = b'{"lot":"north","seq":1,' + b'"field":"as long as a scan is"' * 12 + b"}"
    found = []
    for first in range(1, events + 1, BATCH):
        seqs = range(first, min(first + BATCH, events + 1))
        at_ms = {seq: BEGAN_MS + seq * DAY_MS // SCANS_PER_DAY for seq in seqs}
        cells = sorted({at // 300_000 * 5 for at in at_ms.values()})
        stays = {seq // 4: seq for seq in seqs if seq % 2}
        found.append(
            Rows(
                [EventRow(LOT, at_ms[s] // DAY_MS, s, at_ms[s], s, "ScanDecided", value) for s in seqs],
                [_stay(number, seq, at_ms[seq]) for number, seq in stays.items()],
                [CellRow(LOT, area, cell, seqs[-1], 9, 9, 0) for cell in cells for area in ("", LOT)],
                [DayRow(LOT, area, at_ms[first] // DAY_MS, seqs[-1], 9, 9, 0) for area in ("", LOT)],
            )
        )
    return found


def _stay(number: int, seq: int, at_ms: int) -> StayRow:
    session, credential = number.to_bytes(16, "big"), (number % CARS).to_bytes(16, "big")
    day = (BEGAN_MS + number * 4 * DAY_MS // SCANS_PER_DAY) // DAY_MS
    return StayRow(LOT, day, session, seq, credential, b"", LOT, "P1-A-001", at_ms, None, "")


def feed_of(events: int) -> list[tuple[int, Event]]:
    """A lot, then cards that come and go by turns."""
    spec: dict[str, Any] = {"areas": [{"id": LOT, "parent": None, "spots": []}]}
    feed: list[tuple[int, Event]] = [(1, LotConfigured(LOT, 1, BEGAN_MS, spec))]
    for seq in range(2, events + 1):
        car, turn = seq % CARS, seq // CARS
        inbound = turn % 2 == 0
        began = seq if inbound else seq - CARS
        scan = ScanDecided(
            lot=LOT,
            seq=seq,
            at_ms=BEGAN_MS + seq * DAY_MS // SCANS_PER_DAY,
            reader="north-entry-1",
            boot=7,
            no=seq,
            lane=0,
            kind=2,
            token=car.to_bytes(7, "big"),
            skew_ms=0,
            way=1 if inbound else 2,
            verdict=1,
            reason=0,
            effect=1,
            area=LOT,
            session=began.to_bytes(16, "big") if began > 0 else None,
            spot="P1-A-001" if inbound else None,
            rare=None,
        )
        feed.append((seq, scan))
    return feed


async def _write(path: Path, batches: Sequence[Rows]) -> float:
    """Seconds until all is durable."""
    store = SqliteStore(path)
    await store.open()
    began = time.perf_counter()
    for rows in batches:
        await store.write(rows)
    spent = time.perf_counter() - began
    await store.aclose()
    return spent


async def _record(path: Path, feed: Sequence[tuple[int, Event]]) -> float:
    """Seconds until all is durable, checkpoints included."""
    recorder = Recorder(SqliteStore(path), "bench", Hasher(bytes(32)))
    await recorder.open()
    began = time.perf_counter()
    for first in range(0, len(feed), BATCH):
        await recorder.write(feed[first : first + BATCH])
    await recorder.settle()
    spent = time.perf_counter() - began
    await recorder.aclose()
    return spent


async def _digest(path: Path) -> str:
    """Of all cells: if they are right, so were the stays that they came of."""
    store = SqliteStore(path)
    await store.open()
    cells = await store.cells(LOT, LOT, 0, 1 << 40)
    await store.aclose()
    return hashlib.sha256(msgspec.msgpack.encode(cells)).hexdigest()[:16]
