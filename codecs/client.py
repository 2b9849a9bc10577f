"""The client's end of a connection, sans I/O: signs on, answers heartbeats, pairs replies with requests.

    client = ClientConnection(Identity(READER, "north-1", key, boot), nonce)
    send(client.outgoing())               # HELLO, and later whatever became due by receive()
    for received in client.receive(chunk): …   # b"" = peer closed
    ref = client.request(Scan(…))         # once `welcome` is there; its reply comes with this ref

Readers, services, tools and tests share it. What it does not know is time: heartbeats are the engine's to ask
for, and how long a silence may last is the mover's to judge (`welcome.heartbeat_s`).
"""

from typing import NamedTuple

from msgspec import Struct

from liftgate.codecs import messages as m
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, WireConnection
from liftgate.codecs.frame import BODY_BYTES_LIMIT, VERSION, PeerError
from liftgate.codecs.signon import client_mac, engine_mac, same

REF_MAX = 0xFFFFFFFF


class Identity(Struct, frozen=True):
    """Who signs on. role: READER or SERVICE; boot: the reader's numbering, 1 will do for a service."""

    role: int
    id: str
    key: bytes
    boot: int = 1
    software: str = "liftgate"


class SignOnFailed(Exception):
    """The engine refused this id and key, or could not show that it holds the key itself."""


class Received(NamedTuple):
    """A message of the engine's with its ref, 0 on what nobody asked for."""

    ref: int
    message: m.Message


class ClientConnection:
    """One connection of a reader or a service.

    welcome: the engine's, once its mac was right; before that nothing is obeyed and nothing may be asked.
    closed: nothing more comes or may be sent.
    """

    def __init__(self, identity: Identity, nonce: bytes) -> None:
        """nonce: 16 random bytes, the caller's, as there is no randomness here."""
        self.identity = identity
        self.welcome: m.Welcome | None = None
        self.closed = False
        self._conn = WireConnection(Role.CLIENT)
        self._out: list[bytes] = []
        self._ref = 0
        hello = m.Hello(
            identity.role,
            identity.id,
            identity.boot,
            (VERSION,),
            nonce,
            identity.software,
            BODY_BYTES_LIMIT,
        )
        self._out.append(self._conn.encode(hello, self._next_ref()))

    def outgoing(self) -> bytes:
        """Take what is to be sent now."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def receive(self, data: bytes) -> list[Received]:
        """Take what came (b"": the peer closed); return what the caller has to see, ERRORs among it.

        Raises SignOnFailed, and PeerError where the engine broke the protocol; either ends the connection. A
        type of message that is not known here does not: the engine is told, and what follows is read.
        """
        self._conn.feed(data)
        received = []
        while not self.closed:
            try:
                message = self._conn.next_event()
            except PeerError as error:
                self._tell(error)
                if not error.fatal:
                    continue  # a type of message that later engines have
                self.closed = True
                raise
            if message is NEED_MORE:
                break
            if message is PEER_CLOSED:
                self.closed = True
                break
            assert isinstance(message, m.Message)
            if not self._handled(message):
                received.append(Received(self._conn.ref, message))
                self.closed = isinstance(message, m.Goodbye) or (
                    isinstance(message, m.Error) and message.fatal
                )
        return received

    def request(self, message: m.Message) -> int:
        """Have a request sent; return its ref, which the reply repeats. Raises ValueError before WELCOME."""
        ref = self._next_ref()
        self._out.append(self._conn.encode(message, ref))
        return ref

    def tell(self, message: m.Message, ref: int = 0) -> None:
        """Have sent what gets no reply: DONE (to the ref it answers), CURSOR, GOODBYE."""
        self._out.append(self._conn.encode(message, ref))
        if isinstance(message, m.Goodbye):
            self.closed = True

    def _next_ref(self) -> int:
        self._ref = self._ref % REF_MAX + 1
        return self._ref

    def _handled(self, message: m.Message) -> bool:
        """Whether the message was the connection's own business."""
        if isinstance(message, m.Challenge):
            self._prove()
        elif isinstance(message, m.Welcome):
            self._check(message)
        elif isinstance(message, m.Ping):
            self.tell(m.Pong())
        elif isinstance(message, m.Error) and self.welcome is None:
            self.closed = True
            raise SignOnFailed(f"{self.identity.id}: {message.text} (ERROR {message.code})")
        else:
            return isinstance(message, m.Pong)
        return True

    def _prove(self) -> None:
        mac = client_mac(self.identity.key, self._conn.hello, self._conn.challenge)
        self._out.append(self._conn.encode(m.Auth(mac), self._next_ref()))

    def _check(self, welcome: m.Welcome) -> None:
        """Believe nothing of an engine that does not hold the key: it may be somebody else's."""
        mac = engine_mac(self.identity.key, self._conn.hello, self._conn.challenge)
        if not same(welcome.mac, mac):
            self.closed = True
            raise SignOnFailed(f"{self.identity.id}: the engine does not hold this key")
        self.welcome = welcome

    def _tell(self, error: PeerError) -> None:
        """Tell the engine what was wrong; after a fatal fault this is the last word."""
        self._out.append(
            self._conn.encode(m.Error(int(error.code), error.text[:200], error.fatal), error.ref)
        )
