"""A reconnect storm: many readers come back at once with their backlogs while others scan on."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from liftgate.bench.build import program
from liftgate.bench.load import (
    Load,
    LoadFailed,
    Result,
    Shape,
    finish,
    run_load,
    started_load,
    wait_signed_on,
)
from liftgate.bench.servers import (
    Server,
    apart,
    bench_folder,
    cpu_s,
    engine_server,
    memory_bytes,
    raise_open_files,
)
from liftgate.codecs.events import events_of
from liftgate.codecs.events.readers import HistoryRecorded, ScanDecided
from liftgate.engine.journal import inspect
from liftgate.engine.journal.disk import DiskStorage

READERS, EVENTS = 1_000, 1_000
LIVE = Shape(100, 16)
RATE = 2_000
"""Live scans a second: 100 lanes with a car every 20 s each would be 5."""
BATCH = 100
"""Entries of one REPLAY: what a reader with 4 KiB for a frame sends."""
SPOTS = 10_000
BESIDE_S = 20.0
"""Live scans before the storm, and as long after it, together about as long as the storm takes on two cores:
a disk that stalls for a second now and then gets as much of a chance to."""

LONGEST_S = 3_600.0


class Told(msgspec.Struct, frozen=True):
    """What the storm's client saw. seconds: from the first connection until all is in; wait: from REPLAY to
    REPLAYED; findings: entries that the rules would have decided otherwise; cpu_s: the client's own.
    """

    readers: int
    entries: int
    replays: int
    findings: int
    errors: int
    signed_on_s: float
    seconds: float
    wait_p50_ms: float
    wait_p99_ms: float
    pause_ms_max: int
    cpu_s: float


class Storm(msgspec.Struct, frozen=True):
    """Live scans before, during and after the storm; p99_ratio: during to the mean of the other two.

    lost, twice: events that the journal holds not at all, or more than once; memory in bytes: before, the
    peak and after; shares: of one core each, while the storm lasted; apart: whether the engine had a
    processor of its own: one that readers ask over a network does not share it with them.
    """

    readers: int
    events: int
    rate: float
    p99_ratio: float
    all_in_s: float
    lost: int
    twice: int
    memory_before: int
    memory_peak: int
    memory_after: int
    engine_share: float
    storm_share: float
    live_share: float
    apart: bool
    before: Result
    during: Result
    after: Result
    storm: Told


def storm(
    readers: int = READERS,
    events: int = EVENTS,
    seconds: float = BESIDE_S,
    rate: float = RATE,
    live: Shape = LIVE,
    batch: int = BATCH,
) -> Storm:
    """Play the storm while `rate` scans a second go on; they go on for `seconds` before and after it.

    Raises LoadFailed on a wrong answer.
    """
    raise_open_files()
    with bench_folder() as folder:
        with engine_server(folder, live.connections + readers, SPOTS) as engine, apart(engine) as alone:
            before = run_load(engine, live, seconds=seconds, warm_up=min(1.0, seconds), rate=rate)
            memory_before = memory_bytes(engine)
            forget_peak(engine)
            begun_s = cpu_s(engine)
            told, during, live_s = _during(engine, readers, events, rate, live, batch)
            used_s = cpu_s(engine) - begun_s
            memory_peak, memory_after = peak_bytes(engine), memory_bytes(engine)
            after = run_load(engine, live, seconds=seconds, warm_up=min(1.0, seconds), rate=rate)
        lost, twice = count(folder / "journal", live.connections, readers, events)
    quiet_ms = (before.p99_ms + after.p99_ms) / 2
    return Storm(
        readers=readers,
        events=events,
        rate=rate,
        p99_ratio=round(during.p99_ms / quiet_ms, 2),
        all_in_s=told.seconds,
        lost=lost,
        twice=twice,
        memory_before=memory_before,
        memory_peak=memory_peak,
        memory_after=memory_after,
        engine_share=round(used_s / told.seconds, 2),
        storm_share=round(told.cpu_s / told.seconds, 2),
        live_share=round(live_s / told.seconds, 2),
        apart=alone,
        before=before,
        during=during,
        after=after,
        storm=told,
    )


def _during(
    engine: Server, readers: int, events: int, rate: float, live: Shape, batch: int
) -> tuple[Told, Result, float]:
    """The storm, live scans while it lasted, and the processor time of their client in seconds."""
    with started_load(engine, live, "--announce", seconds=LONGEST_S, rate=rate) as load:
        wait_signed_on(load)
        with _storming(engine, live.connections, readers, events, batch) as process:
            stdout, stderr = process.communicate()
        live_s = _cpu_s(load)
        load.send_signal(signal.SIGTERM)
        if process.returncode:
            raise LoadFailed(f"the storm ended with {process.returncode}: {stderr.strip()} {stdout.strip()}")
        return msgspec.json.decode(stdout, type=Told), finish(load), live_s


@contextmanager
def _storming(engine: Server, first: int, readers: int, events: int, batch: int) -> Iterator[Load]:
    command = [str(program("storm")), "--port", str(engine.port), *engine.load_options, "--first", str(first)]
    command += ["--connections", str(readers), "--scans", str(events), "--batch", str(batch)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _cpu_s(process: Load) -> float:
    """Processor time of a process that runs or was not waited for."""
    return cpu_s(Server("client", 0, process, Path(), (), 0.0))


def forget_peak(server: Server) -> None:
    """Have the kernel count the process's largest memory anew from here on."""
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def peak_bytes(server: Server) -> int:
    """The most resident memory that the process had since `forget_peak`."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def count(journal: Path, first: int, readers: int, events: int) -> tuple[int, int]:
    """Events of the storm's readers that the journal does not hold, and those of anybody it holds twice."""
    seen: dict[tuple[str, int], bytearray] = {}
    twice = 0
    storage = DiskStorage(journal)
    for _, _, event in inspect.dump(storage, 1, 1 << 62, events_of):
        if isinstance(event, HistoryRecorded | ScanDecided):
            found = seen.setdefault((event.reader, event.boot), bytearray())
            if event.no >= len(found):
                found.extend(bytes(max(events, event.no) + 1 - len(found)))
            twice += found[event.no]
            found[event.no] = 1
    theirs = [(f"bench-{index:05}", 1 + index) for index in range(first, first + readers)]
    return sum(events - sum(seen.get(name, b"")) for name in theirs), twice
