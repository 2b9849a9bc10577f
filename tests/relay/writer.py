"""A relay's pipeline with nothing but the stream in it, as a process that faults can be done to.

`python -m tests.relay.writer ADDRESS TOPIC COUNT SIZE` offers the events 1..COUNT from where the topic's
cursor stands, in batches of SIZE, until all are in. It says what it does, one word a line: `open`, `try`,
`done POSITION`, `fenced`, `away`, `end`.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Self

from liftgate.configs.stream import StreamConfig
from liftgate.relay.sink import SinkUnavailable, Stored
from liftgate.relay.sinks.kafka import KafkaSink
from liftgate.relay.sinks.kafka_client import Fenced
from tests.relay.topics import make_sink, offered, stream_config

TREE = Path(__file__).resolve().parents[2]
AGAIN_S = 0.2
WAIT_S_MAX = 120.0


class Silent(AssertionError):
    """A word that was waited for did not come in time."""


def say(*words: object) -> None:
    print(*words, flush=True)


class Offers:
    """Batches in turn, the next one prepared while one is stored, as the relay does that catches up."""

    def __init__(self, sink: KafkaSink, count: int, size: int) -> None:
        self._sink, self._count, self._size = sink, count, size
        self._ahead: list[Stored] = []
        self.position: int | None = None

    async def next(self) -> None:
        """Ask where to begin, or have one batch stored."""
        if self.position is None:
            self.position = await self._sink.open() or 0
            say("open", self.position)
            return
        say("try")
        batch = self._ahead
        if not batch or batch[0].position != self.position + 1:
            batch = self._behind(self.position)
        self._ahead = self._behind(batch[-1].position)
        if self._ahead:
            asyncio.get_running_loop().call_soon(self._sink.prepare, self._ahead)
        self.position = await self._sink.write(batch)
        say("done", self.position)

    def _behind(self, position: int) -> list[Stored]:
        return offered(min(self._size, self._count - position), position + 1)


async def write_all(config: StreamConfig, count: int, size: int) -> None:
    """Offer everything from the cursor on, again and again as the relay does, until it is in."""
    sink = make_sink(config)
    offers = Offers(sink, count, size)
    while offers.position is None or offers.position < count:
        try:
            await offers.next()
        except Fenced:
            say("fenced")
            await asyncio.sleep(AGAIN_S)
        except SinkUnavailable as error:
            say("away", error)
            await asyncio.sleep(AGAIN_S)
    await sink.aclose()
    say("end")


class Writer:
    """The process, from start to end; what it said comes in order."""

    def __init__(self, address: str, topic: str, count: int, size: int) -> None:
        command = [sys.executable, "-m", "tests.relay.writer", address, topic, str(count), str(size)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=TREE, env={**os.environ, "PYTHONPATH": str(TREE)}
        )
        # Never more than the lines of a run of some hundred batches, so without a bound.
        self._lines: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.said: list[str] = []
        """First words of all lines that were waited for."""
        self._last: deque[str] = deque(maxlen=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.split())
        self._lines.put(["over"])

    def wait(self, word: str, times: int = 1) -> list[str]:
        """The line in which the word comes for that time from now on. Fails if the process ends before."""
        until = time.monotonic() + WAIT_S_MAX
        while True:
            try:
                line = self._lines.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise Silent(f"no {word!r} within {WAIT_S_MAX} s, but {self._last}") from None
            self._last.append(" ".join(line))
            self.said.append(line[0])
            times -= line[0] == word
            if not times:
                return line
            assert line[0] != "over", f"ended with {self._process.wait()} before {word!r}: {self.said[-20:]}"

    def rss_bytes(self) -> int:
        text = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS:"))

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9, whatever state it is in."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()


if __name__ == "__main__":
    address, topic, count, size = sys.argv[1:]
    asyncio.run(write_all(stream_config(address, topic), int(count), int(size)))
