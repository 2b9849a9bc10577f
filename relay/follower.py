"""The engine's side of a pipeline: keeps a connection and fills the backlog, as far as there is room."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.history.clock import now_ms
from liftgate.relay.backlog import Backlog, Damaged
from liftgate.relay.engine import Dialer, EngineLink, EngineLost, PositionGone
from liftgate.relay.gaps import Gap, Gaps
from liftgate.relay.health import Health
from liftgate.relay.patience import patiently

log = structlog.get_logger()

HOLD_S = 5.0
"""How long a full backlog waits for its sink before the connection is let go: half of what the engine
allows a peer that does not read."""

ASK_S = 5.0
"""How often the engine is asked where its journal ends. That keeps the connection from being silent, too."""

CALM_S = 10.0
"""A connection that lasted so long was well: the next one is tried at once. One that did not waits longer."""


class Standstill(Exception):
    """Only a person can mend it; the text says what is wrong, and what would help."""


class Follower:
    """One life of a sink's feed. `begun` is set once there is a backlog to take from.

    after: the position that the sink has everything up to; None: what the engine's cursor says.
    """

    def __init__(
        self,
        dialer: Dialer,
        who: Identity,
        bytes_max: int,
        health: Health,
        after: int | None,
        gaps: Gaps,
    ) -> None:
        self._gaps = gaps
        self.begun = asyncio.Event()
        self._dialer, self._who, self._bytes_max, self._health = dialer, who, bytes_max, health
        self._after = self._safe = after
        self._backlog: Backlog | None = None
        self._link: EngineLink | None = None

    @property
    def backlog(self) -> Backlog:
        """What was received. RuntimeError before `begun`."""
        if self._backlog is None:
            raise RuntimeError("the feed has not begun")
        return self._backlog

    def safe(self, position: int) -> None:
        """All up to `position` is safe for good: the engine is told, now or with the next connection."""
        self._safe = position
        if self._link is not None:
            self._link.cursor(position)

    async def run(self) -> None:
        """Follow until cancelled. Raises Standstill, Replaced."""
        while True:
            await patiently(self._follow, (EngineLost, Damaged), self._lost)

    def _lost(self, error: Exception) -> None:
        self._health.degrade("engine", str(error))

    async def _follow(self) -> None:
        """One connection, from when there is room for it. Returns when it was well till its end."""
        if self._backlog is not None:
            await self._backlog.wait_room()
        loop = asyncio.get_running_loop()
        link = await EngineLink.dial(self._dialer, self._who)
        asking = None
        since_s = loop.time()
        try:
            backlog = self._begin(await link.status())
            link.subscribe(self._health.status.name, backlog.received)
            self._link = link
            if self._safe is not None:
                link.cursor(self._safe)
            asking = asyncio.create_task(_ask_often(link))
            self._health.recover("engine")
            self.begun.set()
            await self._fill(link, backlog)
        except PositionGone as gone:
            raise Standstill(self._gone(gone)) from gone
        except (EngineLost, Damaged) as error:
            if loop.time() - since_s < CALM_S:
                raise
            self._lost(error)
        finally:
            self._link = None
            if asking is not None:
                asking.cancel()
            await link.aclose()

    def _begin(self, body: dict[str, Any]) -> Backlog:
        """Where to go on, checked against the engine's journal. Raises Standstill."""
        end = int(body["durable_position"])
        anew = self._backlog is None
        if self._backlog is None:
            after = self._first_time(body)
            self._backlog = Backlog(after, self._bytes_max)
        received = self._backlog.received
        if received > end:
            # The engine would take it for "the end", and what comes until then would never be sent.
            raise Standstill(
                f"position {received} was stored, but the engine's journal ends with {end}: "
                "it is another engine's, or it was lost"
            )
        self._health.begin(received, end, anew=anew)
        return self._backlog

    def _first_time(self, body: dict[str, Any]) -> int:
        """Behind which position to begin: the sink's word, else the engine's cursor.

        A sink that never had anything begins with the oldest event there is: what was retired before it came
        was never meant for it. One that had something does not: that would be a gap.
        """
        name = self._health.status.name
        after = self._after
        if after is None:
            after = int(body["cursors"].get(name, 0))
        oldest = int(body["oldest_position"])
        if not after and name not in body["cursors"] and oldest > 1:
            log.warning("relay.begins_late", sink=name, first=oldest)
            after = oldest - 1
        elif self._gaps.wanted(name):
            after = self._past(after, oldest)
        self._safe = after
        return after

    def _past(self, after: int, oldest: int) -> int:
        """Where to begin, as somebody wants to leave a gap behind; where there is none, that wish is over."""
        name = self._health.status.name
        if after >= oldest - 1:
            self._gaps.unwish(name)
            return after
        gap = Gap(after + 1, oldest - 1, now_ms())
        log.error("relay.gap_skipped", sink=name, first=gap.first, last=gap.last)
        self._gaps.skip(name, gap)
        self._health.skipped(self._gaps.skipped(name))
        return gap.last

    def _gone(self, gone: PositionGone) -> str:
        name, received = self._health.status.name, self.backlog.received
        return (
            f"events behind position {received} are gone from the engine's journal ({gone}): fill {name} "
            f"anew, or have it go on without them: liftgate dead skip-gap --sink {name}"
        )

    async def _fill(self, link: EngineLink, backlog: Backlog) -> None:
        """Take what comes; return when the backlog stayed full for too long."""
        status = self._health.status
        while True:
            for _, message in await link.receive():
                if isinstance(message, m.Events):
                    backlog.put(message.records)
                elif isinstance(message, m.Answer):
                    status.end = int(message.body["durable_position"])
            status.received, status.waiting_bytes = backlog.received, backlog.bytes
            status.end = max(status.end, backlog.received)
            self._health.judge()
            # A PING waits unread meanwhile, and where heartbeats are short it must not be found late.
            if backlog.full and not await _emptied(backlog, min(HOLD_S, link.heartbeat_s / 2)):
                log.info("relay.let_go", sink=status.name, position=backlog.received)
                return


async def _emptied(backlog: Backlog, hold_s: float) -> bool:
    """Whether the sink makes room in time. Until then nothing is read, which slows the engine's feed."""
    try:
        async with asyncio.timeout(hold_s):
            await backlog.wait_room()
    except TimeoutError:
        return False
    return True


async def _ask_often(link: EngineLink) -> None:
    while True:
        await asyncio.sleep(ASK_S)
        link.ask_status()
