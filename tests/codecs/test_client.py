"""The client's end, sans I/O, against the engine's end of the same codec."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs import messages as m
from liftgate.codecs.client import ClientConnection, Identity, Received, SignOnFailed
from liftgate.codecs.connection import NEED_MORE, Role, WireConnection
from liftgate.codecs.frame import Fault, PeerError, frame
from liftgate.codecs.signon import client_mac, engine_mac

KEY = bytes(range(32))
NONCE = bytes(16)
IDENTITY = Identity(m.READER, "north-1", KEY, 7)
SCAN = m.Scan(1, 1_700_000_000_000, 0, 2, b"\x04")


class EngineEnd:
    """An engine's end that only signs on. heard: everything that came, with its ref."""

    def __init__(self, key: bytes = KEY) -> None:
        self.key = key
        self.conn = WireConnection(Role.ENGINE)
        self.heard: list[Received] = []

    def answer(self, data: bytes) -> bytes:
        """Take what the client sent; what sign-on answers."""
        self.conn.feed(data)
        out = b""
        while (message := self.conn.next_event()) is not NEED_MORE:
            assert isinstance(message, m.Message)
            self.heard.append(Received(self.conn.ref, message))
            if isinstance(message, m.Hello):
                out += self.conn.encode(m.Challenge(NONCE, "engine", 5), self.conn.ref)
            elif isinstance(message, m.Auth):
                assert message.mac == client_mac(KEY, self.conn.hello, self.conn.challenge)
                mac = engine_mac(self.key, self.conn.hello, self.conn.challenge)
                out += self.conn.encode(m.Welcome(mac, 3, ((5, 6),), 64, 65_536, 15, 9), self.conn.ref)
        return out


def signed_on() -> tuple[ClientConnection, EngineEnd]:
    """Both ends after WELCOME."""
    client, engine = ClientConnection(IDENTITY, NONCE), EngineEnd()
    for _ in range(2):
        assert client.receive(engine.answer(client.outgoing())) == []
    return client, engine


def test_it_signs_on() -> None:
    """HELLO with its id and boot, the right AUTH, and then WELCOME is known."""
    client, engine = signed_on()
    hello = engine.heard[0].message
    assert isinstance(hello, m.Hello)
    assert (hello.role, hello.id, hello.boot) == (m.READER, "north-1", 7)
    assert client.welcome is not None
    assert (client.welcome.done_to, client.welcome.gaps) == (3, ((5, 6),))


def test_an_engine_without_the_key_is_not_believed() -> None:
    """A WELCOME with a wrong mac ends the connection, and nothing of it is kept."""
    client, engine = ClientConnection(IDENTITY, NONCE), EngineEnd(key=bytes(32))
    client.receive(engine.answer(client.outgoing()))
    with pytest.raises(SignOnFailed, match="does not hold this key"):
        client.receive(engine.answer(client.outgoing()))
    assert client.closed
    assert client.welcome is None


def test_a_refusal_is_told() -> None:
    """ERROR in place of WELCOME raises SignOnFailed with its code."""
    client, engine = ClientConnection(IDENTITY, NONCE), EngineEnd()
    client.receive(engine.answer(client.outgoing()))
    with pytest.raises(SignOnFailed, match="ERROR 8"):
        client.receive(engine.conn.encode(m.Error(Fault.REFUSED, "no", True)))
    assert client.closed


def test_requests_have_refs_of_their_own() -> None:
    """Each request gets another ref, never 0, and the reply is handed over with it."""
    client, engine = signed_on()
    first, second = client.request(SCAN), client.request(m.TimeAsk(4))
    engine.answer(client.outgoing())
    assert engine.heard[-2:] == [Received(first, SCAN), Received(second, m.TimeAsk(4))]
    assert 0 != first != second != 0
    reply = m.Time(4, 5, 6)
    assert client.receive(engine.conn.encode(reply, second)) == [Received(second, reply)]


def test_a_ping_is_answered_unseen() -> None:
    """PING gets its PONG; nobody is bothered with it, nor with a PONG."""
    client, engine = signed_on()
    assert client.receive(engine.conn.encode(m.Ping()) + engine.conn.encode(m.Pong())) == []
    engine.answer(client.outgoing())
    assert engine.heard[-1] == Received(0, m.Pong())


def test_nothing_is_asked_before_welcome() -> None:
    """A request before WELCOME is a mistake of the caller's."""
    with pytest.raises(ValueError, match="not legal"):
        ClientConnection(IDENTITY, NONCE).request(SCAN)


@pytest.mark.parametrize("fatal", [True, False])
def test_an_error_ends_it_where_it_is_fatal(fatal: bool) -> None:
    """ERROR is handed over; only a fatal one ends the connection."""
    client, engine = signed_on()
    error = m.Error(Fault.UNAVAILABLE, "full", fatal)
    assert client.receive(engine.conn.encode(error, 9)) == [Received(9, error)]
    assert client.closed is fatal


def test_goodbye_and_the_end_close() -> None:
    """GOODBYE is handed over and ends it; so does the end of the stream, with nothing to hand over."""
    client, engine = signed_on()
    assert client.receive(engine.conn.encode(m.Goodbye("stopping"))) == [Received(0, m.Goodbye("stopping"))]
    assert client.closed
    client, _ = signed_on()
    assert client.receive(b"") == []
    assert client.closed


def test_what_is_no_engine_is_told_and_left() -> None:
    """Bytes that are no frame: PeerError, and ERROR is what leaves last."""
    client = ClientConnection(IDENTITY, NONCE)
    client.outgoing()
    with pytest.raises(PeerError):
        client.receive(b"HTTP/1.1 400 Bad Request\r\n")
    assert client.closed
    assert client.outgoing()[3] == m.Error.TYPE


def test_a_later_message_type_is_told_and_passed_over() -> None:
    """An engine may have message types that this client does not know: it says ERROR 7, and reads on."""
    client, engine = signed_on()
    later = frame(0x7F, 9, b"\x91\x01")
    (got,) = client.receive(later + engine.conn.encode(m.Ack(1, 2), 3))
    assert got == Received(3, m.Ack(1, 2))
    engine.answer(client.outgoing())
    assert engine.heard[-1] == Received(9, m.Error(Fault.UNKNOWN_TYPE, "unknown type 0x7f", False))
    assert not client.closed


@given(st.lists(st.integers(0, 400), max_size=6))
def test_any_split_is_the_same(cuts: list[int]) -> None:
    """However the engine's bytes are cut, the same is handed over."""
    client, engine = signed_on()
    data = b"".join(engine.conn.encode(m.Ack(number, number), number) for number in range(1, 12))
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    received = [
        one
        for low, high in zip(edges, edges[1:], strict=False)
        if low < high
        for one in client.receive(data[low:high])
    ]
    assert received == [Received(number, m.Ack(number, number)) for number in range(1, 12)]
