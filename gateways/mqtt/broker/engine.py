"""The engine as a client of its socket: COMMANDs, asked until they are answered, and QUERYs."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
from collections.abc import Callable
from typing import NamedTuple

import structlog

from liftgate.codecs import messages as m
from liftgate.codecs.client import ClientConnection, Identity, SignOnFailed
from liftgate.codecs.frame import Fault, PeerError
from liftgate.gateways.mqtt.broker.tries import tries

log = structlog.get_logger()

RECEIVE_BYTES = 65_536
SIGN_ON_S_MAX = 10
"""Twice what the engine gives a client for it: its machine may be busy."""
AGAIN_S = 0.5
"""Before asking again what a full disk or a stopping engine (ERROR 12) did not take."""


class Dialer(NamedTuple):
    """Where the engine listens, asked anew for each connection (raises OSError), and how to trust it."""

    where: Callable[[], tuple[str, int]]
    tls: ssl.SSLContext | None = None


class EngineLost(Exception):
    """The connection is over or could not be had; another try may do."""


class EngineCalls:
    """A connection that is made again whenever it ends, and the questions that wait for an answer on it.

    Of `in_flight_max` of WELCOME one is kept for a QUERY that may wait for long; so many others are asked at
    once, and who bounds those that wait is the caller.
    """

    def __init__(self, dialer: Dialer, who: Identity) -> None:
        self._dialer, self._who = dialer, who
        self._conn: ClientConnection | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._there = asyncio.Event()
        self._asked: dict[int, asyncio.Future[m.Message]] = {}
        self._slots = asyncio.Semaphore(1)
        self._in_flight_max = 1

    async def run(self) -> None:
        """Stay connected until cancelled."""
        async for attempt in tries(EngineLost):
            with attempt:
                while True:  # a connection that stood is followed by a try without a pause
                    await self._serve()

    def is_there(self) -> bool:
        """Whether something asked now goes out at once."""
        return self._there.is_set()

    async def wait_there(self) -> bool:
        """Wait for a connection; False: it has no room for a QUERY that waits."""
        await self._there.wait()
        return self._in_flight_max > 1

    async def query(self, message: m.Query) -> m.Message:
        """Its ANSWER, or an ERROR. One at a time. Raises EngineLost where the connection ends before it."""
        return await self._ask(message)

    async def ask(self, message: m.CommandMessage) -> m.Outcome | m.Error:
        """Its OUTCOME, or a fatal ERROR; until the engine is there and takes it, this waits."""
        while True:
            await self._there.wait()
            async with self._slots:
                try:
                    reply = await self._ask(message)
                except EngineLost:
                    continue
            if isinstance(reply, m.Error) and reply.code == Fault.UNAVAILABLE:
                await asyncio.sleep(AGAIN_S)
            elif isinstance(reply, m.Outcome | m.Error):
                return reply

    async def _ask(self, message: m.CommandMessage | m.Query) -> m.Message:
        conn = self._conn
        if conn is None or conn.closed or conn.welcome is None:
            raise EngineLost("between two connections")
        ref = conn.request(message)
        answer = self._asked[ref] = asyncio.get_running_loop().create_future()
        self._flush()
        reply: m.Message = await answer
        return reply

    async def _serve(self) -> None:
        """One connection, to its end. Raises EngineLost where it never stood, returns where it did."""
        reader = await self._dial()
        conn = self._conn = ClientConnection(self._who, secrets.token_bytes(16))
        stood = False
        try:
            self._flush()
            async with asyncio.timeout(SIGN_ON_S_MAX):
                while conn.welcome is None:
                    await self._receive(conn, reader)
            stood = True
            self._in_flight_max = conn.welcome.in_flight_max
            self._slots = asyncio.Semaphore(max(1, self._in_flight_max - 1))
            self._there.set()
            log.info("mqtt.engine_there", service=self._who.id)
            while True:
                async with asyncio.timeout(3 * conn.welcome.heartbeat_s):
                    await self._receive(conn, reader)
        except (EngineLost, TimeoutError, OSError, SignOnFailed, PeerError) as error:
            log.warning("mqtt.engine_lost", error=str(error))
            if not stood:
                raise EngineLost(str(error)) from error
        finally:
            self._there.clear()
            self._conn = None
            self._fail_asked()
            await self._close()

    async def _dial(self) -> asyncio.StreamReader:
        try:
            host, port = self._dialer.where()
            async with asyncio.timeout(SIGN_ON_S_MAX):
                reader, self._writer = await asyncio.open_connection(host, port, ssl=self._dialer.tls)
        except (TimeoutError, OSError) as error:
            raise EngineLost(str(error) or "nobody answered") from error
        return reader

    async def _receive(self, conn: ClientConnection, reader: asyncio.StreamReader) -> None:
        for ref, message in conn.receive(await reader.read(RECEIVE_BYTES)):
            answer = self._asked.pop(ref, None)
            if answer is not None and not answer.done():
                answer.set_result(message)
            elif isinstance(message, m.Goodbye):
                raise EngineLost(f"the engine said goodbye: {message.reason}")
        self._flush()
        if conn.closed:
            raise EngineLost("the engine closed the connection")

    def _flush(self) -> None:
        """Bounded by what may be asked at once."""
        if self._conn is not None and self._writer is not None and not self._writer.is_closing():
            self._writer.write(self._conn.outgoing())

    def _fail_asked(self) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(EngineLost("the connection ended"))
        self._asked.clear()

    async def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):  # it is gone: nothing is left to say to it
                async with asyncio.timeout(1):
                    await self._writer.wait_closed()
