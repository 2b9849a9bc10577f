"""The relay as a process: one pipeline for each sink, a status file, and an orderly end."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import stamina.instrumentation
import structlog

from liftgate.codecs.client import Identity
from liftgate.configs.relay import RelayConfig
from liftgate.history.clock import now_ms
from liftgate.relay.dead import DeadLetters
from liftgate.relay.engine import Dialer
from liftgate.relay.gaps import Gaps
from liftgate.relay.health import RelayStatus
from liftgate.relay.pipeline import STOP_S_MAX, Pipeline
from liftgate.relay.sink import Sink

log = structlog.get_logger()

STATUS_NAME = "status.json"
"""A file, not a socket: it can be read when the relay is gone, and says then how it was; no second
protocol, no port to protect. It is at most WRITE_S old while the relay lives."""

WRITE_S = 1.0

LOCK_NAME = "lock"


class RelayRuns(Exception):
    """Another relay works on the same folder."""


class Feed(NamedTuple):
    """A sink, and as which service it signs on."""

    sink: Sink
    who: Identity


async def serve(
    config: RelayConfig,
    feeds: Sequence[Feed],
    dialer: Dialer,
    ready: Callable[[], None],
    stopping: asyncio.Event,
) -> None:
    """Run the pipelines until `stopping` is set, then end them in order.

    ready: called once they run; whether engine and sinks are there is for the status to say. Raises
    RelayRuns; Replaced, in a group, when another relay took over a connection.
    """
    stamina.instrumentation.set_on_retry_hooks([])  # what fails is logged once, not at each try
    config.state.mkdir(parents=True, exist_ok=True)
    with _locked(config.state):
        letters, gaps = DeadLetters(config.state), Gaps(config.state)
        try:
            pipelines = [Pipeline(feed.sink, dialer, feed.who, config, letters, gaps) for feed in feeds]
            await _serve(config, pipelines, ready, stopping)
        finally:
            gaps.close()
            letters.close()


async def _serve(
    config: RelayConfig,
    pipelines: Sequence[Pipeline],
    ready: Callable[[], None],
    stopping: asyncio.Event,
) -> None:
    path = config.state / STATUS_NAME
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(pipeline.run()) for pipeline in pipelines]
            telling = tasks.create_task(_tell_often(path, pipelines))
            log.info("relay.running", sinks=[pipeline.sink.name for pipeline in pipelines])
            _tell(path, pipelines)
            ready()
            await stopping.wait()
            log.info("relay.stopping")
            for pipeline in pipelines:
                pipeline.stop()
            _, late = await asyncio.wait(running, timeout=STOP_S_MAX)
            for task in late:
                task.cancel()
            telling.cancel()
    finally:
        _tell(path, pipelines)
    log.info("relay.stopped", safe={p.sink.name: p.health.status.safe for p in pipelines})


async def _tell_often(path: Path, pipelines: Sequence[Pipeline]) -> None:
    while True:
        await asyncio.sleep(WRITE_S)
        _tell(path, pipelines)


def _tell(path: Path, pipelines: Sequence[Pipeline]) -> None:
    """Write the status aside and rename it: who reads sees one or the other."""
    status = RelayStatus(pid=os.getpid(), at_ms=now_ms(), sinks=[p.health.status for p in pipelines])
    aside = path.with_name(path.name + ".new")
    aside.write_bytes(msgspec.json.format(msgspec.json.encode(status), indent=1))
    aside.rename(path)


def read_status(state: Path) -> RelayStatus | None:
    """What the relay of that folder said last, None if there never was one. Raises ValueError."""
    try:
        return msgspec.json.decode((state / STATUS_NAME).read_bytes(), type=RelayStatus)
    except FileNotFoundError:
        return None


def runs(state: Path) -> bool:
    """Whether a relay works on that folder now: the kernel knows, however one ended."""
    try:
        with _locked(state):
            return False
    except FileNotFoundError:
        return False
    except RelayRuns:
        return True


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Hold the folder. Raises RelayRuns."""
    file = os.open(state / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RelayRuns(f"another relay works in {state}") from None
        yield
    finally:
        os.close(file)
