"""What the relay carries: events a second from a journal into a sink, and what that costs at a barrier."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from liftgate.bench.load import Shape, run_load
from liftgate.bench.servers import (
    ServerFailed,
    bench_folder,
    cpu_s,
    engine_server,
    memory_bytes,
    raise_open_files,
    relay_config,
    relay_server,
)
from liftgate.relay.health import SinkStatus
from liftgate.relay.process import read_status

WRITERS = Shape(64, 16)
LIVE = Shape(64, 1)
SCANS = 1000
"""For each of the 1,024 cards: a million events of backlog, so that starting weighs little."""

LIVE_RATE = 5000.0
"""Scans a second while the relay catches up: a large operator's 5,000 lanes, each once a second."""

WAIT_S_MAX = 600
LOOK_S = 0.2


class Catching(msgspec.Struct, frozen=True):
    """rate: events a second from the feed's begin until no more than a batch was left; cpu_us: processor
    time of the relay for an event; memory_mib: its largest resident memory seen.
    """

    events: int
    rate: float
    cpu_us: float
    memory_mib: float


class Live(msgspec.Struct, frozen=True):
    """p99 at the barrier at `rate` scans a second: alone, and while the relay catches up. behind: events
    that it still had before it at the end, so none means that only a part of the time was measured.
    """

    rate: float
    alone_p99_ms: float
    catching_p99_ms: float
    behind: int


class Relay(msgspec.Struct, frozen=True):
    """catching: by sink."""

    catching: dict[str, Catching]
    live: Live


def relay(
    sinks: tuple[str, ...] = ("null",),
    scans: int = SCANS,
    seconds: float = 3.0,
    rate: float = LIVE_RATE,
    writers: Shape = WRITERS,
    live: Shape = LIVE,
) -> Relay:
    """Write a backlog for each, then have it carried. Raises LoadFailed, ServerFailed."""
    raise_open_files()
    return Relay(
        catching={sink: _catch_up(sink, scans, writers) for sink in sinks},
        live=_live(sinks[0], scans, seconds, rate, writers, live),
    )


def _catch_up(sink: str, scans: int, writers: Shape) -> Catching:
    with (
        bench_folder() as folder,
        engine_server(folder, writers.connections, more=relay_config(sink)) as engine,
    ):
        run_load(engine, writers, scans=scans)
        with relay_server(folder) as process:
            largest, status = 0, SinkStatus(name=sink)
            for said in _until_live(folder):
                status, largest = said, max(largest, memory_bytes(process))
            used_s = cpu_s(process)
    taken_s = max(status.since_ms - status.begun_ms, 1) / 1000
    return Catching(
        events=status.written,
        rate=round(status.written / taken_s, 1),
        cpu_us=round(used_s * 1e6 / status.written, 2),
        memory_mib=round(largest / (1 << 20), 1),
    )


def _live(sink: str, scans: int, seconds: float, rate: float, writers: Shape, live: Shape) -> Live:
    readers = max(writers.connections, live.connections)
    with bench_folder() as folder, engine_server(folder, readers, more=relay_config(sink)) as engine:
        run_load(engine, writers, scans=scans)
        alone = run_load(engine, live, seconds=seconds, rate=rate)
        with relay_server(folder):
            catching = run_load(engine, live, seconds=seconds, rate=rate)
            status = _status(folder)
            for _ in _until_live(folder):
                pass
    return Live(
        rate=rate,
        alone_p99_ms=alone.p99_ms,
        catching_p99_ms=catching.p99_ms,
        behind=status.behind if status is not None else 0,
    )


def _until_live(folder: Path) -> Iterator[SinkStatus]:
    """The status, again and again, until all but a batch is written. Raises ServerFailed after WAIT_S_MAX."""
    until_s = time.monotonic() + WAIT_S_MAX
    while time.monotonic() < until_s:
        status = _status(folder)
        if status is not None and status.state == "degraded":
            raise ServerFailed(f"the relay is degraded: {status.why}")
        if status is not None and status.written:
            yield status
            if status.state == "live":
                return
        time.sleep(LOOK_S)
    raise ServerFailed(f"the relay has not caught up after {WAIT_S_MAX} s")


def _status(folder: Path) -> SinkStatus | None:
    said = read_status(folder / "journal.relay")
    return said.sinks[0] if said is not None else None
