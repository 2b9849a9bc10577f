"""A steady load at the barrier in short windows, each with what was being done to the sinks meanwhile."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from liftgate.bench.load import LoadFailed, Shape, run_load
from liftgate.bench.servers import Server
from liftgate.relay.health import SinkStatus
from liftgate.relay.process import read_status

SHAPE = Shape(64, 4)
RATE = 500
"""Scans a second: two cores carry the engine, the load, the relay, Cassandra and Kafka."""

WINDOW_S = 1.5
WINDOW_S_MAX = 60.0
LOOK_S = 0.1


class SteadyLoad:
    """Window after window of scans by timetable; a wrong answer, or none, ends it and is raised here.

    p99_ms: by phase, of each window that lay in it from its beginning to its end. The time counts from when a
    scan was due, so an engine that stands still is not let off.
    """

    def __init__(self, server: Server) -> None:
        self.p99_ms: dict[str, list[float]] = {}
        self.answers = 0
        self._server = server
        self._phase = ""
        self._changed = threading.Condition()
        self._stopping = False
        self._failure: LoadFailed | None = None
        self._thread = threading.Thread(target=self._run, name="steady load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """No more scans from when this returns."""
        self._stopping = True
        self._thread.join(WINDOW_S_MAX)
        assert not self._thread.is_alive(), "the load does not end"

    def during(self, phase: str, windows: int = 1) -> None:
        """Return after so many more windows of this phase, which goes on until the next call."""
        with self._changed:
            self._phase = phase
            wanted = len(self.p99_ms.get(phase, ())) + windows
            for _ in range(windows + 1):
                if len(self.p99_ms.get(phase, ())) >= wanted or self._failure is not None:
                    break
                assert self._changed.wait(WINDOW_S_MAX), "no window ended"
            if self._failure is not None:
                raise self._failure

    def _run(self) -> None:
        while not self._stopping and self._failure is None:
            phase = self._phase
            try:
                found = run_load(self._server, SHAPE, seconds=WINDOW_S, warm_up=0.2, rate=RATE)
            except LoadFailed as failure:
                self._failure = failure
            with self._changed:
                if self._failure is None:
                    self.answers += found.answers
                    if phase == self._phase:
                        self.p99_ms.setdefault(phase, []).append(found.p99_ms)
                self._changed.notify_all()

    def medians_ms(self) -> dict[str, float]:
        """Of the p99 of each phase's windows."""
        return {phase: statistics.median(found) for phase, found in self.p99_ms.items() if phase}


class Watch:
    """What processes and sinks came to: largest resident memory by name, most behind by phase and sink."""

    def __init__(self, state: Path, pids: dict[str, Callable[[], int | None]]) -> None:
        """state: the relay's folder; pids: of the processes as they are now."""
        self.rss_mib: dict[str, float] = dict.fromkeys(pids, 0.0)
        self.behind: dict[str, dict[str, int]] = {}
        self.phase = ""
        self._state, self._pids = state, pids
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: Any) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            for name, pid in self._pids.items():
                self.rss_mib[name] = max(self.rss_mib[name], _rss_mib(pid()))
            most = self.behind.setdefault(self.phase, {})
            for sink in self.sinks():
                most[sink.name] = max(most.get(sink.name, 0), sink.behind)

    def sinks(self) -> list[SinkStatus]:
        """Each as the relay said last."""
        status = read_status(self._state)
        return status.sinks if status is not None else []


def _rss_mib(pid: int | None) -> float:
    """0 where the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)
