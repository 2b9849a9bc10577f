"""Relay processes on real engine processes, and what they stored."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from liftgate.codecs.events import events_of
from liftgate.engine.journal import inspect
from liftgate.engine.journal.disk import DiskStorage
from liftgate.relay.health import SinkStatus
from liftgate.relay.process import read_status
from tests.cli.commands import ROOT, environment
from tests.faults.engines import make_engine, reader_ids
from tests.faults.swarm import Swarm
from tests.independent.engine_process import Engine, service_toml
from tests.relay.file_relay import STORED

WAIT_S_MAX = 60.0  # a cold interpreter on a busy machine
POLL_S = 0.02

READERS = 4
SPOTS = 500


def engine_with_relay(folder: Path, readers: int = READERS, relay: str = "", **keys: Any) -> Engine:
    """An engine, not started, with a [relay] to the null sink; relay: more of its keys, keys: of [engine]."""
    engine = make_engine(folder, readers, SPOTS, **keys)
    text = engine.config.read_text() + service_toml("relay-null", ["subscribe", "query"])
    engine.config.write_text(f'{text}\n[relay]\nsinks = ["null"]\n{relay}\n')
    return engine


class Relay:
    """One relay process that stores in a file; start and kill any number of times."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.folder = engine.config.parent
        self.state = self.folder / "journal.relay"
        self._ready = self.folder / "relay.ready"
        self._log = self.folder / "relay.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.process is not None:
            self.kill()

    def start(self) -> None:
        """Run it and wait until it says that it runs."""
        self.process = self.started()
        wait_until(lambda: self._ready.exists() or self.process_ended(), self.log_text)
        assert not self.process_ended(), self.log_text()

    def program(self) -> list[str]:
        """The module to run, and what it takes before the command."""
        return ["tests.relay.file_relay", str(self.folder)]

    def started(self) -> subprocess.Popen[bytes]:
        """Another process on the same folder."""
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", *self.program(), "relay"]
        command += ["--config", str(self.engine.config), "--ready-file", str(self._ready)]
        with self._log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=environment())

    def process_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill(self) -> None:
        """End the process as kill -9 does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(WAIT_S_MAX)
        self.process = None
        return code

    def log_text(self) -> str:
        return self._log.read_text(errors="replace")

    def status(self, sink: int = 0) -> SinkStatus:
        """A sink's, as the relay said last."""
        status = read_status(self.state)
        assert status is not None
        return status.sinks[sink]

    def wait_status(self, wanted: Callable[[SinkStatus], bool], sink: int = 0) -> SinkStatus:
        """Wait until the relay says so of a sink."""
        wait_until(lambda: wanted(self.status(sink)), self.log_text)
        return self.status(sink)

    def file(self, name: str) -> str:
        """What stands in a file of the sink's."""
        return (self.folder / name).read_text()

    def wait_stored(self, position: int) -> None:
        """Wait until the file has everything up to a position."""
        wait_until(lambda: self.last_stored() >= position, self.log_text)

    def last_stored(self) -> int:
        lines = self._lines()
        return lines[-1][0] if lines else 0

    def stored(self) -> list[tuple[int, str, int]]:
        """(position, lot, seq) of each event in the file, in its order."""
        return self._lines()

    def _lines(self, name: str = STORED) -> list[tuple[int, str, int]]:
        path = self.folder / name
        lines = path.read_text().splitlines() if path.exists() else []
        words = [line.split() for line in lines]
        return [(int(line[0]), line[1], int(line[2])) for line in words if len(line) == 3]

    def resent(self) -> list[tuple[int, str, int]]:
        """The same of what was sent again."""
        return self._lines("resent")


class LiveRelay(Relay):
    """`liftgate relay` itself."""

    def program(self) -> list[str]:
        return ["liftgate.cli"]


async def kill_often(
    engine: Engine, relay: Relay, times: int, stored: Callable[[], int], draws: random.Random, most: int
) -> None:
    """kill -9 of the relay, each time after up to `most` events more were stored, while readers work."""
    async with swarm_of(engine).working():
        for _ in range(times):
            await asyncio.to_thread(relay.start)
            goal = stored() + draws.randrange(1, most)
            while stored() < goal:
                await asyncio.sleep(draws.random() / 50)
            relay.kill()


def swarm_of(engine: Engine) -> Swarm:
    """All readers of `engine_with_relay`."""
    return Swarm(reader_ids(READERS), lambda: engine.address)


def wait_until(true: Callable[[], bool], text: Callable[[], str]) -> None:
    """Wait for what another process does: a file is the only sign that there is."""
    until = time.monotonic() + WAIT_S_MAX
    while not true():
        assert time.monotonic() < until, text()
        time.sleep(POLL_S)


def journalled(folder: Path) -> list[tuple[int, str, int]]:
    """(position, lot, seq) of every event in the journal."""
    storage = DiskStorage(folder / "journal", make=False)
    events = inspect.dump(storage, 1, sys.maxsize, events_of)
    return [(position, event.lot, event.seq) for position, _, event in events]


def scan(engine: Engine, count: int, reader: str = "north-r0") -> int:
    """Have so many cards read; the position of the last."""
    with engine.reader(reader) as client:
        for number in range(count):
            decision = client.scan(1, f"{reader}/{number}".encode())
    return int(decision.position)
