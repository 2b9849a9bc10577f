"""How fast the engine comes back: what one run wrote, replayed after a kill, and then from a snapshot."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

import msgspec

from liftgate.bench.load import Result, Shape, run_load
from liftgate.bench.servers import (
    SEGMENT_BYTES,
    bench_folder,
    engine_server,
    fold_journal,
    kill,
    raise_open_files,
)

SHAPE = Shape(64, 16)
SCANS = 1000
"""For each of the 1,024 cards: a million, so that replay takes a second and starting weighs little."""
ROUNDS = 3
"""Lives that are written and replayed, one after the other; the median counts. The machine's speed drifts by
half within a minute, and a life and its replay are seconds apart."""
STARTS = 3
"""Of each journal, of which the median counts, too."""
SMALL_SEGMENT_BYTES = 1 << 20
"""For the snapshot, which covers closed segments only: the usual size holds the whole run open."""


class Recovery(msgspec.Struct, frozen=True):
    """scans: written live and replayed; rates are scans a second, ratio is replay to live, in the round whose
    ratio is the median; ratios: of all rounds, in their order.

    Times are from the start of the process until it listens, the median of STARTS, less the same with an
    empty journal (empty_s).
    replay_s: after the kill; snapshot_s: with the same scans folded into a snapshot; snapshot_doubled_s: with
    twice as many.
    """

    scans: int
    live_rate: float
    replay_rate: float
    ratio: float
    ratios: tuple[float, ...]
    replay_s: float
    snapshot_s: float
    snapshot_doubled_s: float
    empty_s: float


def recovery(scans: int = SCANS, shape: Shape = SHAPE, rounds: int = ROUNDS) -> Recovery:
    """Write with `shape`, kill the engine, start it again. Raises LoadFailed on a wrong answer."""
    raise_open_files()
    found = [_written_and_replayed(scans, shape) for _ in range(rounds)]
    snapshot_s, doubled_s = _from_snapshots(scans, shape)
    middle = sorted(found, key=_Round.ratio)[len(found) // 2]
    return Recovery(
        scans=middle.live.answers,
        live_rate=middle.live.rate,
        replay_rate=round(middle.live.answers / middle.replay_s, 1),
        ratio=round(middle.ratio(), 3),
        ratios=tuple(round(each.ratio(), 3) for each in found),
        replay_s=round(middle.replay_s, 3),
        snapshot_s=round(snapshot_s, 3),
        snapshot_doubled_s=round(doubled_s, 3),
        empty_s=round(middle.empty_s, 3),
    )


class _Round(NamedTuple):
    """What the life of a round wrote, and the seconds that its replay and an empty start took."""

    live: Result
    replay_s: float
    empty_s: float

    def ratio(self) -> float:
        """Replay to live."""
        return self.live.answers / self.replay_s / self.live.rate


def _written_and_replayed(scans: int, shape: Shape) -> _Round:
    with bench_folder() as folder:
        empty_s = _empty(folder, shape, SEGMENT_BYTES)
        live = _life(folder, shape, scans, killed=True)
        replayed_s = _start_s(folder, shape, SEGMENT_BYTES)
        _life(folder, shape, 2)  # and it answers
    # Of a tiny journal nothing may be left to see beside the start itself.
    return _Round(live, max(replayed_s - empty_s, 0.001), empty_s)


def _from_snapshots(scans: int, shape: Shape) -> tuple[float, float]:
    """Seconds that a start takes longer with the scans folded, and with as many again folded on top."""
    with bench_folder() as folder:
        empty_s = _empty(folder, shape, SMALL_SEGMENT_BYTES)
        _life(folder, shape, scans, segment_bytes=SMALL_SEGMENT_BYTES)
        fold_journal(folder)
        once_s = _start_s(folder, shape, SMALL_SEGMENT_BYTES)
        _life(folder, shape, scans, segment_bytes=SMALL_SEGMENT_BYTES)
        fold_journal(folder)
        twice_s = _start_s(folder, shape, SMALL_SEGMENT_BYTES)
        _life(folder, shape, 2, segment_bytes=SMALL_SEGMENT_BYTES)  # and it answers
    return once_s - empty_s, twice_s - empty_s


def _empty(folder: Path, shape: Shape, segment_bytes: int) -> float:
    """Seconds until ready over a journal next to empty, made before: making it is not coming back."""
    _life(folder, shape, 2, segment_bytes=segment_bytes)
    return _start_s(folder, shape, segment_bytes)


def _start_s(folder: Path, shape: Shape, segment_bytes: int) -> float:
    """Seconds until ready, the median of STARTS, each ended by a kill before anything was written."""
    times = []
    for _ in range(STARTS):
        with engine_server(folder, shape.connections, segment_bytes=segment_bytes) as engine:
            kill(engine)
        times.append(engine.ready_s)
    return statistics.median(times)


def _life(
    folder: Path, shape: Shape, scans: int, killed: bool = False, segment_bytes: int = SEGMENT_BYTES
) -> Result:
    """One life of the engine over this folder, and what it answered."""
    with engine_server(folder, shape.connections, segment_bytes=segment_bytes) as engine:
        result = run_load(engine, shape, scans=scans)
        if killed:
            kill(engine)
        return result
