"""Reading and writing by descriptor: this build's `sockets` (plain or inline C) keeps the same promises.

The compiled build has no Python name for its inline functions, so both are held to them through a reactor
as well: `test_reactor.py` runs on whichever build is there.
"""

import socket
from collections.abc import Iterator

import pytest

from liftgate.gateways import sockets


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets, the first not blocking."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def test_receive(pair: tuple[socket.socket, socket.socket]) -> None:
    """None while nothing is there, then what came, at most RECEIVE_BYTES of it, then b"" for the end."""
    ours, theirs = pair
    assert sockets.receive(ours.fileno()) is None
    theirs.sendall(bytes(sockets.RECEIVE_BYTES + 5))
    assert sockets.receive(ours.fileno()) == bytes(sockets.RECEIVE_BYTES)
    assert sockets.receive(ours.fileno()) == bytes(5)
    theirs.close()
    assert sockets.receive(ours.fileno()) == b""


def test_send(pair: tuple[socket.socket, socket.socket]) -> None:
    """What fits goes; a full socket takes 0, a broken one says -1."""
    ours, theirs = pair
    buf = bytearray(b"0123456789")
    assert sockets.send(ours.fileno(), buf, 2, 5) == 3
    assert theirs.recv(10) == b"234"
    large = bytearray(1 << 22)
    first = sockets.send(ours.fileno(), large, 0, len(large))
    assert 0 < first < len(large)
    while sockets.send(ours.fileno(), large, 0, len(large)) > 0:
        pass
    assert sockets.send(ours.fileno(), large, 0, len(large)) == 0
    theirs.close()
    assert sockets.send(ours.fileno(), buf, 0, 10) == -1


def test_broken_connection() -> None:
    """A reset reads as the end, and the buffer can be resized after a send."""
    listener = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listener.getsockname())
    ours, _ = listener.accept()
    with listener, ours:
        ours.setblocking(False)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        theirs.close()
        assert sockets.receive(ours.fileno()) == b""
        buf = bytearray(10)
        assert sockets.send(ours.fileno(), buf, 0, 10) in (-1, 10)
        buf.extend(bytes(100))
