"""A simulated reader: numbers its events, keeps each until it is acknowledged, and obeys the engine."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.configs.schema import LaneConfig, ReaderConfig
from liftgate.sim.city.client import Client, ConnectionLost, Dial
from liftgate.sim.city.lasting import LastingClient

CARD = 2
PASSED = 1

REPLAY_ENTRIES_MAX = 100
"""Entries of one REPLAY: with the longest tokens they just fit the largest frame."""

Told = Callable[[m.Vend | m.SetLane | m.Display], m.Done]
"""What to do with an order of the engine's, and what to say to it. May be called on another thread."""


class Way(Protocol):
    """A reader's way to the engine, as `LastingClient`'s."""

    async def ask(self, message: m.Message) -> m.Message:
        """The answer to a request, over as many connections as it takes."""

    async def aclose(self) -> None:
        """End the connection, if there is one."""


class Over(Protocol):
    """Makes ways over another transport than frames."""

    def __call__(self, config: ReaderConfig, boot: int, told: Told) -> Way:
        """One reader's."""

    def close(self) -> None:
        """When all of them are closed."""


Event = m.Scan | m.Passage | m.LaneStatus


@dataclass(slots=True)
class EventLog:
    """The lasting memory of a reader: a Reader made anew with the same log goes on where the last one was.

    boot: names the numbering; last: number given last; alone: what was decided without the engine and is to
    be told, by number, each with the verdict given (0 where none).
    """

    boot: int = field(default_factory=lambda: secrets.randbits(63) | 1)
    last: int = 0
    alone: dict[int, tuple[int, Event]] = field(default_factory=dict)

    def number(self) -> int:
        """The next event's number."""
        self.last += 1
        return self.last

    def forget_known(self, done_to: int, gaps: tuple[tuple[int, int], ...]) -> None:
        """Drop what the engine has on its disk."""
        for no in list(self.alone):
            if no <= done_to or any(low <= no <= high for low, high in gaps):
                del self.alone[no]


@dataclass(slots=True)
class LaneState:
    """A lane as its reader knows it. mode as in SET_LANE; last: the decision made last, for which token."""

    config: LaneConfig
    mode: int = 1
    display: str = ""
    last: m.Decision | None = None
    token: bytes = b""
    decided_at_ms: int = 0
    vended_at_ms: int = 0


class Reader:
    """One device with its lanes. Its events are asked in turn; each is sent until it is answered.

    findings: (no, reason) of replayed events that the engine's rules would have decided otherwise.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        dial: Dial,
        config: ReaderConfig,
        now_ms: Callable[[], int],
        log: EventLog | None = None,
        over: Over | None = None,
    ) -> None:
        self.config = config
        self.log = log if log is not None else EventLog()
        self.lanes = {lane.number: LaneState(lane) for lane in config.lanes}
        self.findings: list[tuple[int, int]] = []
        self._nursery = nursery
        self._now_ms = now_ms
        identity = Identity(m.READER, config.id, config.key, self.log.boot, "liftgate sim")
        self._frames = LastingClient(nursery, dial, identity, self._on_connect) if over is None else None
        self._link: Way = self._frames or over(config, self.log.boot, self._done)  # type: ignore[misc]

    async def scan(self, lane: int, kind: int, token: bytes) -> m.Decision:
        """Read a credential; return the engine's decision. Raises as LastingClient.ask."""
        event = m.Scan(self.log.number(), self._now_ms(), lane, kind, token)
        decision = await self._link.ask(event)
        assert isinstance(decision, m.Decision)
        state = self.lanes[lane]
        state.last, state.token, state.decided_at_ms = decision, token, self._now_ms()
        return decision

    async def passage(self, lane: int, what: int, session: bytes | None) -> m.Ack:
        """Tell what the lane saw of a car; return once that is durable."""
        return await self._acknowledged(m.Passage(self.log.number(), self._now_ms(), lane, what, session))

    async def report(self, lane: int, barrier: int = 0, loop: bool = False) -> m.Ack:
        """Tell a lane's state; return once that is durable."""
        return await self._acknowledged(
            m.LaneStatus(self.log.number(), self._now_ms(), lane, barrier, loop, ())
        )

    def scan_alone(self, lane: int, kind: int, token: bytes, verdict: int) -> int:
        """Decide without the engine, and keep that for the next REPLAY; return its number."""
        event = m.Scan(self.log.number(), self._now_ms(), lane, kind, token)
        self.log.alone[event.no] = (verdict, event)
        return event.no

    async def replay(self) -> None:
        """Tell everything that was decided alone. Connecting does so too."""
        await self._replay(self._link if self._frames is None else await self._frames.connected())

    async def aclose(self) -> None:
        """End the connection. The log stays."""
        await self._link.aclose()

    async def _acknowledged(self, event: Event) -> m.Ack:
        ack = await self._link.ask(event)
        assert isinstance(ack, m.Ack)
        return ack

    async def _on_connect(self, client: Client) -> None:
        self.log.forget_known(client.welcome.done_to, client.welcome.gaps)
        self._nursery.start_soon(self._obey, client)
        await self._replay(client)

    async def _replay(self, client: Client | Way) -> None:
        """Backlog by REPLAY, a frame at a time, each as soon as the engine wants it."""
        while self.log.alone:
            batch = list(self.log.alone.items())[:REPLAY_ENTRIES_MAX]
            entries = tuple(
                m.ReplayEntry(event.TYPE, verdict, msgspec.Raw(m.encode(event)))
                for _, (verdict, event) in batch
            )
            reply = await client.ask(m.Replay(entries))
            assert isinstance(reply, m.Replayed)
            self.findings += reply.findings
            for no, _ in batch:
                del self.log.alone[no]
            if self.log.alone:
                await trio.sleep(reply.pause_ms / 1000)

    async def _obey(self, client: Client) -> None:
        """Do what the engine asks for at a lane, until the connection ends."""
        async for ref, message in client.unasked:
            if isinstance(message, m.Vend | m.SetLane | m.Display):
                try:
                    await client.tell(self._done(message), ref)
                except ConnectionLost:
                    return  # whoever asks next learns of it

    def _done(self, message: m.Vend | m.SetLane | m.Display) -> m.Done:
        state = self.lanes.get(message.lane)
        if state is None:
            return m.Done(False, f"no lane {message.lane}")
        if isinstance(message, m.SetLane):
            state.mode = message.mode
        elif isinstance(message, m.Display):
            state.display = message.text
        else:
            state.vended_at_ms = self._now_ms()
        return m.Done(True, "")
