"""The engine as a pipeline sees it: a signed-on connection on asyncio, and what can go wrong with it."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from liftgate.codecs import messages as m
from liftgate.codecs.client import ClientConnection, Identity, Received, SignOnFailed
from liftgate.codecs.frame import Fault, PeerError

RECEIVE_BYTES = 1 << 18
"""Four of the largest frames: what the engine holds for a peer that reads slowly."""

SIGN_ON_S_MAX = 10
"""Twice what the engine gives a client for it: its machine may be busy."""

SILENCE_S_MAX = 20
"""The pipeline asks for the journal's end every few seconds; an engine that says nothing for so long is
lost."""

CLOSE_S_MAX = 1
"""A GOODBYE is a courtesy: nobody waits longer for it to leave."""

REPLACED = "replaced"
"""The engine's GOODBYE to an older connection when a newer one signs on under the same id."""


class Dialer(NamedTuple):
    """Where the engine listens, asked anew for each connection (raises OSError), and how to trust it."""

    where: Callable[[], tuple[str, int]]
    tls: ssl.SSLContext | None = None


class EngineLost(Exception):
    """The connection is over or could not be had; another try may do. The text says why."""


class Replaced(Exception):
    """Somebody else signed on under this id: a second relay runs by mistake."""


class PositionGone(Exception):
    """The engine does not keep what comes next any more; the text is the engine's."""


class EngineLink:
    """One connection. It is used by one task, but for `tell`, which any may call."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: Identity) -> None:
        self._reader, self._writer = reader, writer
        self._conn = ClientConnection(who, secrets.token_bytes(16))
        self._ended = "the engine closed the connection"

    @classmethod
    async def dial(cls, dialer: Dialer, who: Identity) -> EngineLink:
        """A signed-on connection. Raises EngineLost, Replaced."""
        try:
            host, port = dialer.where()
            async with asyncio.timeout(SIGN_ON_S_MAX):
                reader, writer = await asyncio.open_connection(
                    host, port, ssl=dialer.tls, limit=RECEIVE_BYTES
                )
        except TimeoutError:
            raise EngineLost(f"nobody answered within {SIGN_ON_S_MAX} s") from None
        except OSError as error:
            raise EngineLost(str(error)) from error
        link = cls(reader, writer, who)
        try:
            async with asyncio.timeout(SIGN_ON_S_MAX):
                while link._conn.welcome is None:
                    await link.receive()
        except TimeoutError:
            await link.aclose()
            raise EngineLost(f"no WELCOME within {SIGN_ON_S_MAX} s") from None
        except BaseException:
            await link.aclose()
            raise
        return link

    async def receive(self) -> list[Received]:
        """What came next, perhaps nothing to see. Raises EngineLost, PositionGone, Replaced.

        PINGs are answered here, so whoever stops calling this is dropped by the engine in the end.
        """
        self._flush()
        try:
            async with asyncio.timeout(SILENCE_S_MAX):
                data = await self._reader.read(RECEIVE_BYTES)
            received = self._conn.receive(data)
        except TimeoutError:
            raise EngineLost(f"the engine said nothing for {SILENCE_S_MAX} s") from None
        except (OSError, SignOnFailed, PeerError) as error:
            raise EngineLost(str(error)) from error
        for _, message in received:
            self._judge(message)
        self._flush()
        if self._conn.closed:
            raise EngineLost(self._ended)
        return received

    def _judge(self, message: m.Message) -> None:
        if isinstance(message, m.Goodbye):
            if message.reason == REPLACED:
                raise Replaced
            self._ended = f"the engine said goodbye: {message.reason}"
        elif isinstance(message, m.Error):
            if message.code == Fault.POSITION_GONE:
                raise PositionGone(message.text)
            self._ended = f"{message.text} (ERROR {message.code})"
            if not message.fatal:
                raise EngineLost(self._ended)

    @property
    def heartbeat_s(self) -> int:
        """The silence after which the engine sends a PING, which it wants answered within as long again."""
        welcome = self._conn.welcome
        return welcome.heartbeat_s if welcome is not None else 0

    async def status(self) -> dict[str, Any]:
        """The engine's QUERY status. Only before subscribing. Raises as receive() does."""
        self.ask_status()
        while True:
            for _, message in await self.receive():
                if isinstance(message, m.Answer):
                    if not message.ok:
                        raise EngineLost(f"the engine does not tell its status: {message.code}")
                    return message.body

    def ask_status(self) -> None:
        """Have QUERY status sent; its ANSWER comes by receive()."""
        self._conn.request(m.Query("", "status", {}))
        self._flush()

    def subscribe(self, name: str, after: int) -> None:
        """Have the feed begin behind position `after`, under the cursor `name`."""
        self._conn.request(m.Subscribe(name, after))
        self._flush()

    def cursor(self, position: int) -> None:
        """Tell that all up to `position` is safe. On a lost connection it is said with the next one."""
        if not self._conn.closed:
            self._conn.tell(m.Cursor(position))
            self._flush()

    def _flush(self) -> None:
        """Some dozens of bytes a batch: an engine that takes none is silent soon, and that ends it."""
        data = self._conn.outgoing()
        if data and not self._writer.is_closing():
            self._writer.write(data)

    async def aclose(self) -> None:
        """Say GOODBYE, if there is somebody to hear it, and close."""
        if not self._conn.closed and self._conn.welcome is not None:
            self._conn.tell(m.Goodbye("done"))
            self._flush()
        self._writer.close()
        try:
            async with asyncio.timeout(CLOSE_S_MAX):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            self._writer.transport.abort()  # it is gone, or does not read: nothing is left to say to it
