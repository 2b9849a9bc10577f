"""What the relay carries: events a second from a journal into a sink, and what that costs at a barrier."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import msgspec

from liftgate.bench.load import Shape, run_load
from liftgate.bench.servers import (
    Server,
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
EVENTS = 1_024_000
"""Of backlog: a million, so that starting weighs little."""

LIVE_RATE = 5000.0
"""Scans a second while the relay catches up: a large operator's 5,000 lanes, each once a second."""

STILL_S_MAX = 60
"""A relay that has stored nothing more for so long will not."""
LOOK_S = 0.2
FIRST = 0.2
"""The part of a backlog after which memory should not grow any more."""
ROUNDS = 5


class Catching(msgspec.Struct, frozen=True):
    """rate: events a second from the feed's begin until no more than a batch was left; cpu_us: processor
    time of the relay for an event; first_mib, memory_mib: its largest resident memory seen in the first fifth
    of the backlog, and in all of it: flat, if they are alike.
    """

    events: int
    rate: float
    cpu_us: float
    first_mib: float
    memory_mib: float


class Live(msgspec.Struct, frozen=True):
    """p99 at the barrier at `rate` scans a second, in windows by turns: alone, while the relay catches up.

    Medians; ratio: the second of the first. behind: events that it still had before it at the end, so none
    means that only a part of the time was measured.
    """

    rate: float
    alone_p99_ms: float
    catching_p99_ms: float
    ratio: float
    behind: int


class Relay(msgspec.Struct, frozen=True):
    """catching: by sink."""

    catching: dict[str, Catching]
    live: Live


def relay(
    sinks: tuple[str, ...] = ("null",),
    events: int = EVENTS,
    seconds: float = 3.0,
    rate: float = LIVE_RATE,
    writers: Shape = WRITERS,
    live: Shape = LIVE,
    brokers: str = "",
) -> Relay:
    """Write a backlog of so many events for each, then have it carried. brokers: of sink "stream".

    Raises LoadFailed, ServerFailed.
    """
    raise_open_files()
    scans = -(-events // (writers.connections * writers.in_flight))
    return Relay(
        catching={sink: _catch_up(sink, scans, writers, brokers) for sink in sinks},
        live=_live(sinks[0], scans, seconds, rate, writers, live, brokers),
    )


def _catch_up(sink: str, scans: int, writers: Shape, brokers: str) -> Catching:
    with (
        bench_folder() as folder,
        engine_server(folder, writers.connections, more=relay_config(sink, brokers)) as engine,
    ):
        run_load(engine, writers, scans=scans)
        with relay_server(folder) as process:
            first = largest = 0
            status = SinkStatus(name=sink)
            for said in _until_live(process):
                status, largest = said, max(largest, memory_bytes(process))
                if status.written <= FIRST * status.end or not first:
                    first = largest
            used_s = cpu_s(process)
    taken_s = max(status.since_ms - status.begun_ms, 1) / 1000
    return Catching(
        events=status.written,
        rate=round(status.written / taken_s, 1),
        cpu_us=round(used_s * 1e6 / status.written, 2),
        first_mib=round(first / (1 << 20), 1),
        memory_mib=round(largest / (1 << 20), 1),
    )


def _live(
    sink: str, scans: int, seconds: float, rate: float, writers: Shape, live: Shape, brokers: str
) -> Live:
    readers = max(writers.connections, live.connections)
    alone, catching, behind = [], [], 0
    with (
        bench_folder() as folder,
        engine_server(folder, readers, more=relay_config(sink, brokers)) as engine,
    ):
        run_load(engine, writers, scans=scans)
        for _ in range(ROUNDS):
            alone.append(run_load(engine, live, seconds=seconds / ROUNDS, rate=rate).p99_ms)
            with relay_server(folder) as process:
                next(_until_live(process))  # so that it does catch up, and is not about to
                catching.append(run_load(engine, live, seconds=seconds / ROUNDS, rate=rate).p99_ms)
                status = _status(process)
                behind = status.behind if status is not None else 0
    alone_ms, catching_ms = statistics.median(alone), statistics.median(catching)
    return Live(rate, alone_ms, catching_ms, round(catching_ms / alone_ms, 2), behind)


def _until_live(process: Server) -> Iterator[SinkStatus]:
    """The status, again and again, until all but a batch is written. Raises ServerFailed at a standstill."""
    written, until_s = 0, time.monotonic() + STILL_S_MAX
    while time.monotonic() < until_s:
        status = _status(process)
        if status is not None and status.written > written:
            written, until_s = status.written, time.monotonic() + STILL_S_MAX
        if status is not None and status.state == "degraded":
            raise ServerFailed(f"the relay is degraded: {status.why}")
        if status is not None and (status.batches or status.state == "live"):
            yield status
            if status.state == "live":
                return
        time.sleep(LOOK_S)
    raise ServerFailed(f"the relay stands still at position {written}")


def _status(process: Server) -> SinkStatus | None:
    """What this very relay said last: its folder may have an older one's words."""
    said = read_status(process.folder / "journal.relay")
    return said.sinks[0] if said is not None and said.pid == process.process.pid else None
