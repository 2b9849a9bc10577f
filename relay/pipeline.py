"""One sink's pipeline: the feed in at one end, batches out at the other, and a cursor behind what is safe.

Two tasks with a backlog between them. The *follower* keeps a connection to the engine and fills the
backlog; the *writer*, here, empties it into the sink and moves the cursor. They fail apart: while the sink
is down the follower fills the backlog to its bound and then lets go of the connection, as a peer that does
not read is dropped anyway and costs the engine its output buffer until then; the journal keeps what comes,
held by the cursor. While the engine is away the writer goes on with what is there.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Coroutine, Sequence
from contextlib import suppress

from liftgate.codecs.client import Identity
from liftgate.codecs.events import UnknownEvent
from liftgate.configs.relay import RelayConfig
from liftgate.relay.backlog import Backlog
from liftgate.relay.dead import DeadLetters
from liftgate.relay.engine import Dialer
from liftgate.relay.follower import Follower, Standstill
from liftgate.relay.gaps import Gaps
from liftgate.relay.health import Health
from liftgate.relay.patience import patiently
from liftgate.relay.sink import Sink, SinkMisfit, SinkRejected, SinkUnavailable, Stored
from liftgate.relay.undertaker import Undertaker

QUIET_S = 0.5
"""After so long without events a sink whose checkpoint lags is asked to make safe what it took; as often it
is looked whether letters are to be sent again."""

STANDSTILL_S = 60.0
"""How soon something that only a person can mend is tried again."""

TURNS = 4
"""Of the loop that others get between two batches: what is live elsewhere needs three from its socket into
its sink, and must wait for one of our batches, not for three. They cost nothing where nobody has use for
them."""

STOP_S_MAX = 5.0
"""How long the batch in hand may take when the relay stops; then it comes again with the next start."""


class Pipeline:
    """One sink's. health: how it is."""

    def __init__(
        self,
        sink: Sink,
        dialer: Dialer,
        who: Identity,
        config: RelayConfig,
        letters: DeadLetters,
        gaps: Gaps,
    ) -> None:
        self.sink = sink
        self._gaps = gaps
        self.health = Health(sink.name, config.batch_events)
        self.health.skipped(gaps.skipped(sink.name))
        self._dialer, self._who, self._config = dialer, who, config
        self._undertaker = Undertaker(letters, self.health, config.dead_letters_max)
        self._stopping = asyncio.Event()
        self._looked_s = 0.0

    async def run(self) -> None:
        """Carry on through everything that passes or can be mended, until stop(). Raises Replaced in a group.

        An error that a sink does not translate is a bug and ends the relay: its supervisor starts it again.
        """
        while not self._stopping.is_set():
            try:
                await self._once()
            except* (Standstill, SinkMisfit, UnknownEvent) as group:
                self.health.degrade("relay", str(group.exceptions[0]))
                await self._stand_still()

    def stop(self) -> None:
        """Have run() return after the batch in hand. The caller waits STOP_S_MAX for that, then cancels."""
        self._stopping.set()

    async def _stand_still(self) -> None:
        """For a while, or until somebody wants the gap before us to be left behind."""
        until_s = asyncio.get_running_loop().time() + STANDSTILL_S
        while asyncio.get_running_loop().time() < until_s and not self._stopping.is_set():
            await self._doze(QUIET_S)
            if self._gaps.wanted(self.sink.name):
                return

    async def _doze(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _once(self) -> None:
        """From opening the sink until stop(), or until something stands still."""
        try:
            after = await patiently(self._open, (SinkUnavailable,), self._sink_failed)
            self.health.recover("sink")
            follower = Follower(
                self._dialer, self._who, self._config.buffer_bytes, self.health, after, self._gaps
            )
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(follower.run())
                await self._write_always(follower)
                following.cancel()
        finally:
            await self.sink.aclose()

    async def _open(self) -> int | None:
        """Half an opening is let go of before the next try."""
        try:
            return await self.sink.open()
        except SinkUnavailable:
            await self.sink.aclose()
            raise

    def _sink_failed(self, error: Exception) -> None:
        self.health.degrade("sink", str(error))

    async def _write_always(self, follower: Follower) -> None:
        while not follower.begun.is_set():
            if self._stopping.is_set():
                return
            await _within(follower.begun.wait(), QUIET_S)
        self.health.recover("relay")
        ahead: list[Stored] = []
        while not self._stopping.is_set():
            if not ahead and not follower.backlog.events:
                await _within(follower.backlog.wait_some(), QUIET_S)
            if batch := ahead or self._take(follower.backlog):
                ahead = await self._put_looking_ahead(follower, batch)
                for _ in range(TURNS):
                    await asyncio.sleep(0)
            elif self._lags():
                await self._put(follower, [])
            await self._look_for_letters()
        if self._lags():
            await self._put(follower, [])

    def _take(self, backlog: Backlog) -> list[Stored]:
        return backlog.take(self._config.batch_events, self._config.batch_bytes)

    async def _put_looking_ahead(self, follower: Follower, batch: Sequence[Stored]) -> list[Stored]:
        """Have the batch stored; return the one after it where that was taken meanwhile, decoded and given
        to the sink to prepare.

        Only where a whole batch waits, so that those of who keeps up are not made smaller. Then storing, most
        of which is waiting for others, and decoding take place at once.
        """
        found: list[Stored] = []

        def look() -> None:
            if follower.backlog.events >= self._config.batch_events:
                with suppress(UnknownEvent):  # raised again by the next take(), when this batch is stored
                    found.extend(self._take(follower.backlog))
                    self.sink.prepare(found)

        # Not before write() has begun: what this takes is taken off its waiting.
        looking = asyncio.get_running_loop().call_soon(look)
        try:
            await self._put(follower, batch)
        finally:
            looking.cancel()
        return found

    def _lags(self) -> bool:
        """Whether the sink has taken what it did not say to be safe."""
        return self.health.status.safe < self.health.status.written

    async def _put(self, follower: Follower, batch: Sequence[Stored]) -> None:
        """Have the batch stored, however long that takes; then say what is safe."""
        write = functools.partial(self._write, batch)
        safe = await patiently(write, (SinkUnavailable,), self._sink_failed)
        status = self.health.status
        if batch:
            status.written = batch[-1].position
            status.batches += 1
        status.waiting_bytes = follower.backlog.bytes
        if safe != status.safe:
            status.safe = safe
            follower.safe(safe)
        self.health.recover("sink")

    async def _write(self, batch: Sequence[Stored]) -> int:
        try:
            return await self.sink.write(batch)
        except SinkRejected as rejected:
            await self._undertaker.bury(batch, rejected.refused)
            return batch[-1].position if rejected.safe is None else rejected.safe

    async def _look_for_letters(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_s >= QUIET_S:
            self._looked_s = now_s
            await self._undertaker.resend(self.sink)


async def _within(waiting: Coroutine[object, object, object], seconds: float) -> None:
    """Wait, but not longer."""
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return
