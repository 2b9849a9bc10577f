"""A signed-on connection over a real socket, on trio: ask and be answered, or learn that it was lost."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Awaitable, Callable

import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import ClientConnection, Identity, SignOnFailed
from liftgate.codecs.frame import PeerError

SIGN_ON_S_MAX = 10
"""Twice what the engine gives a client for it: its machine may be busy."""

REPLY_S_MAX = 20
"""An engine that has not answered for so long is taken for lost, and the event is sent again elsewhere."""

RECEIVE_BYTES = 65_536
UNASKED_MAX = 64
"""Messages nobody asked for (EVENTS, VEND …) that wait to be read. Beyond it nothing more is read from the
socket, so a consumer that is slow slows the engine's feed, and nobody else's."""

LOST = "connection lost"

Unasked = tuple[int, m.Message]


class ConnectionLost(Exception):
    """The connection ended before the answer came: whether the engine has the event is not known."""


class RequestRefused(Exception):
    """The engine answered ERROR; code as in docs/protocol.md."""

    def __init__(self, error: m.Error) -> None:
        super().__init__(f"{error.text} (ERROR {error.code})")
        self.code = error.code
        self.fatal = error.fatal


class _Pending:
    """A request under way: its answer, None when the connection was lost instead."""

    __slots__ = ("answer", "done")

    def __init__(self) -> None:
        self.done = trio.Event()
        self.answer: m.Message | None = None


class Client:
    """One connection. Several tasks may ask at once. aclose() says GOODBYE.

    welcome: the engine's; unasked: (ref, message) of what came without a request; ended: why, once it has.
    """

    def __init__(self, stream: trio.abc.Stream, identity: Identity) -> None:
        self.identity = identity
        self.ended = LOST
        self._stream = stream
        self._conn = ClientConnection(identity, secrets.token_bytes(16))
        self._pending: dict[int, _Pending] = {}
        self._sending = trio.Lock()
        self._signed_on = trio.Event()
        self._failure: Exception | None = None
        self._unasked_in, self.unasked = trio.open_memory_channel[Unasked](UNASKED_MAX)

    @property
    def welcome(self) -> m.Welcome:
        """The engine's WELCOME. RuntimeError before it."""
        if self._conn.welcome is None:
            raise RuntimeError("not signed on")
        return self._conn.welcome

    @property
    def closed(self) -> bool:
        """Whether the connection is over."""
        return self._conn.closed

    async def ask(self, message: m.Message) -> m.Message:
        """Send a request and return its answer. Raises ConnectionLost, RequestRefused."""
        if self._conn.closed:
            raise ConnectionLost(self.ended)
        pending = _Pending()
        ref = self._conn.request(message)
        self._pending[ref] = pending
        try:
            await self._flush()
            with trio.move_on_after(REPLY_S_MAX):
                await pending.done.wait()
        finally:
            del self._pending[ref]
        if pending.answer is None:
            if not pending.done.is_set():
                self.ended = f"no answer within {REPLY_S_MAX} s"
                await trio.aclose_forcefully(self._stream)
            raise ConnectionLost(self.ended)
        if isinstance(pending.answer, m.Error):
            raise RequestRefused(pending.answer)
        return pending.answer

    async def tell(self, message: m.Message, ref: int = 0) -> None:
        """Send what gets no answer. Raises ConnectionLost."""
        if self._conn.closed:
            raise ConnectionLost(self.ended)
        self._conn.tell(message, ref)
        await self._flush()

    async def request(self, message: m.Message) -> None:
        """Send a request whose answers come in `unasked` (SUBSCRIBE). Raises ConnectionLost."""
        if self._conn.closed:
            raise ConnectionLost(self.ended)
        self._conn.request(message)
        await self._flush()

    async def aclose(self) -> None:
        """Say GOODBYE, if there is still somebody to hear it, and close."""
        with trio.move_on_after(1) as scope:
            scope.shield = True
            if not self._conn.closed and self._conn.welcome is not None:
                self._conn.tell(m.Goodbye("done"))
                try:
                    await self._flush()
                except ConnectionLost as lost:
                    self.ended = str(lost)
        await trio.aclose_forcefully(self._stream)

    async def wait_signed_on(self) -> None:
        """Return once WELCOME came and was right. Raises SignOnFailed, ConnectionLost."""
        with trio.move_on_after(SIGN_ON_S_MAX):
            await self._signed_on.wait()
        if self._failure is not None:
            raise self._failure
        if self._conn.welcome is None:
            raise ConnectionLost("no WELCOME came")

    async def run(self) -> None:
        """Move bytes until the connection ends; then everybody who waits learns of it."""
        try:
            await self._flush()
            while not self._conn.closed:
                data = bytes(await self._stream.receive_some(RECEIVE_BYTES))
                for ref, message in self._conn.receive(data):
                    await self._hand_over(ref, message)
                if self._conn.welcome is not None:
                    self._signed_on.set()
                await self._flush()
        except (SignOnFailed, PeerError) as error:
            self._failure = error
            self.ended = str(error)
        except (ConnectionLost, trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError) as error:
            if self.ended == LOST:  # else it is known better already
                self.ended = str(error) or LOST
        finally:
            self._end()
            await trio.aclose_forcefully(self._stream)

    async def _hand_over(self, ref: int, message: m.Message) -> None:
        pending = self._pending.get(ref) if ref else None
        if pending is not None:
            pending.answer = message
            pending.done.set()
            return
        if isinstance(message, m.Goodbye):
            self.ended = f"the engine said goodbye: {message.reason}"
        elif isinstance(message, m.Error):
            self.ended = f"{message.text} (ERROR {message.code})"
        await self._unasked_in.send((ref, message))

    async def _flush(self) -> None:
        async with self._sending:
            data = self._conn.outgoing()
            if data:
                try:
                    await self._stream.send_all(data)
                except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                    raise ConnectionLost(self.ended) from error

    def _end(self) -> None:
        self._conn.closed = True
        self._signed_on.set()
        self._unasked_in.close()
        for pending in self._pending.values():
            pending.done.set()


Dial = Callable[[], Awaitable[trio.abc.Stream]]
"""Opens a stream to wherever the engine listens now. Raises OSError."""


async def connect(nursery: trio.Nursery, dial: Dial, identity: Identity) -> Client:
    """A signed-on client whose bytes a task of `nursery` moves.

    Raises OSError (nobody listens), SignOnFailed, ConnectionLost.
    """
    client = Client(await dial(), identity)
    nursery.start_soon(client.run)
    try:
        await client.wait_signed_on()
    except BaseException:
        await client.aclose()
        raise
    return client
