"""A client that outlives its connections: it signs on again and sends again until it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from random import random

import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.codecs.frame import Fault
from liftgate.sim.city.client import Client, ConnectionLost, Dial, RequestRefused, connect

AWAY_S_MAX = 30
"""How long an engine may be away. A restart with a long journal takes seconds; then somebody should look."""

PAUSE_S_MIN = 0.05
PAUSE_S_MAX = 2.0


class EngineGone(Exception):
    """No answer within AWAY_S_MAX, over however many connections."""


Hook = Callable[[Client], Awaitable[None]]


class LastingClient:
    """One id's way to the engine. Everything asked may be asked twice, so it must be such as is done once.

    A first connection is not waited for: where no engine ever was, the caller learns it at once (OSError).
    on_connect: called with every new connection before anything is asked over it.
    """

    def __init__(
        self, nursery: trio.Nursery, dial: Dial, identity: Identity, on_connect: Hook | None = None
    ) -> None:
        self.identity = identity
        self.connections = 0
        self._nursery = nursery
        self._dial = dial
        self._on_connect = on_connect
        self._client: Client | None = None
        self._connecting = trio.Lock()

    async def ask(self, message: m.Message) -> m.Message:
        """The answer to a request, over as many connections as it takes.

        Raises EngineGone, SignOnFailed, RequestRefused (but for ERROR 12, which passes), OSError.
        """
        ended = "no answer"
        with trio.move_on_after(AWAY_S_MAX):
            for pause_s in pauses():
                try:
                    client = await self.connected()
                    return await client.ask(message)
                except ConnectionLost as lost:
                    ended = str(lost)
                except RequestRefused as refused:
                    if refused.code != Fault.UNAVAILABLE:
                        raise
                    ended = str(refused)
                except OSError as error:
                    if not self.connections:
                        raise
                    ended = str(error)
                await trio.sleep(pause_s)
        raise EngineGone(f"{self.identity.id}: the engine was away for {AWAY_S_MAX} s: {ended}")

    async def connected(self) -> Client:
        """A connection that is signed on. Raises ConnectionLost, SignOnFailed, OSError."""
        async with self._connecting:
            client = self._client
            if client is None or client.closed:
                client = self._client = await connect(self._nursery, self._dial, self.identity)
                self.connections += 1
                if self._on_connect is not None:
                    await self._on_connect(client)
            return client

    async def aclose(self) -> None:
        """End the connection, if there is one."""
        if self._client is not None:
            await self._client.aclose()


def pauses() -> Iterator[float]:
    """Seconds between tries: doubling up to PAUSE_S_MAX, each with jitter, so that readers don't march."""
    pause_s = PAUSE_S_MIN
    while True:
        yield pause_s * (0.5 + random())
        pause_s = min(pause_s * 2, PAUSE_S_MAX)
