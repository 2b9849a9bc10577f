"""The proxy does what it says, to a real server on real sockets."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.services.ports import HOST
from deploy.services.processes import wait_until
from tests.services.proxy import Proxy

SECONDS_MAX = 5


class Echo(socketserver.ThreadingTCPServer):
    """Sends back what it gets, and keeps what each connection brought, in the order in which they ended."""

    daemon_threads = True

    def __init__(self) -> None:
        self.ended: list[bytes] = []
        super().__init__((HOST, 0), EchoHandler)


class EchoHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Echo)
        got = b""
        try:
            while data := self.request.recv(65536):
                got += data
                self.request.sendall(data)
        except ConnectionError:
            got += b" and then reset"
        self.server.ended.append(got)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.server_address[1]) as proxy:
        yield proxy


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), SECONDS_MAX)


def ask(client: socket.socket, data: bytes) -> bytes:
    """What comes back for the data, or until the end."""
    client.sendall(data)
    got = b""
    while len(got) < len(data) and (part := client.recv(65536)):
        got += part
    return got


def test_bytes_pass_both_ways_and_so_does_the_end(echo: Echo, proxy: Proxy) -> None:
    """More than all buffers hold comes back unchanged, and a client's end reaches the server."""
    data = bytes(range(256)) * 4096
    with connect(proxy) as client:
        assert ask(client, data) == data
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert echo.ended == [data]
    assert (proxy.accepted, proxy.bytes_out) == (1, len(data))


def test_a_cut_resets_both_sides_and_lets_new_ones_in(echo: Echo, proxy: Proxy) -> None:
    """Client and server see a reset, not an end; the next connection works."""
    with connect(proxy) as client:
        ask(client, b"one")
        assert proxy.cut() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert wait_until(lambda: echo.ended == [b"one and then reset"], SECONDS_MAX)
    with connect(proxy) as client:
        assert ask(client, b"two") == b"two"


def test_a_cut_in_the_midst_lets_the_server_see_the_half(echo: Echo, proxy: Proxy) -> None:
    """Exactly the bytes asked for arrive, then the connection is gone; the cut happens once."""
    proxy.cut_after(6)
    with connect(proxy) as client:
        assert ask(client, b"abc") == b"abc"
        client.sendall(b"defghi")
        with pytest.raises(ConnectionResetError):
            while client.recv(1):
                pass
    assert wait_until(lambda: echo.ended != [], SECONDS_MAX)
    assert echo.ended[0].startswith(b"abcdef")
    assert b"g" not in echo.ended[0]
    with connect(proxy) as client:
        assert ask(client, b"all of it") == b"all of it"


def test_refused_until_accepted_again(proxy: Proxy) -> None:
    """Open connections are reset and new ones refused by the system itself; the port stays the same."""
    with connect(proxy) as client:
        ask(client, b"one")
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.accept()
    with connect(proxy) as client:
        assert ask(client, b"two") == b"two"


def test_what_is_held_arrives_when_released(proxy: Proxy) -> None:
    """While it holds, bytes are taken and connections opened, but nothing comes out; then all of it does."""
    with connect(proxy) as client:
        ask(client, b"one")
        proxy.hold()
        client.sendall(b"two")
        assert wait_until(lambda: proxy.held_bytes == 3, SECONDS_MAX)
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)
        client.settimeout(SECONDS_MAX)
        proxy.release()
        assert client.recv(3) == b"two"
        assert wait_until(lambda: proxy.held_bytes == 0, SECONDS_MAX)


def test_a_held_flood_is_bounded(proxy: Proxy) -> None:
    """A sender that outruns a held proxy is stopped after some megabytes, as by a full network."""
    proxy.hold()
    with connect(proxy) as client:
        client.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 100 << 20:
                sent += client.send(bytes(65536))
        assert 4 << 20 <= sent < 32 << 20


def test_a_delay_is_paid_each_way(proxy: Proxy) -> None:
    """A round trip takes at least twice the delay, and order is kept."""
    proxy.delay_s = 0.05
    with connect(proxy) as client:
        begin = time.monotonic()
        assert ask(client, b"hello") == b"hello"
        assert time.monotonic() - begin >= 0.1


def test_an_unreachable_target_resets_the_client(echo: Echo) -> None:
    """Whoever connects while the target is down is told so at once, and the proxy goes on."""
    with Proxy(echo.server_address[1]) as proxy:
        proxy.target = 1  # nobody listens there
        with pytest.raises(ConnectionResetError), connect(proxy) as client:
            client.recv(1)
        proxy.target = echo.server_address[1]
        with connect(proxy) as client:
            assert ask(client, b"back") == b"back"
