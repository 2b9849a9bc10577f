"""The port over real sockets: blocking, one thread."""

import select
import socket
import time

from liftgate.conform.port import Ended

RECEIVE_BYTES = 65_536
DIAL_S = 5.0
SEND_S = 10.0
"""Who does not read for so long has left, for the kit."""


class SocketLink:
    """A TCP connection."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        # Each piece travels by itself: some requirements are about pieces.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """See the port."""
        self._socket.settimeout(SEND_S)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Ended(str(error)) from error

    def receive(self, wait_s: float) -> bytes:
        """See the port."""
        try:
            ready, _, _ = select.select([self._socket], [], [], max(0.0, wait_s))
            if not ready:
                return b""
            data = self._socket.recv(RECEIVE_BYTES)
        except (OSError, ValueError) as error:
            raise Ended(str(error)) from error
        if not data:
            raise Ended("it closed the connection")
        return data

    def close(self) -> None:
        """See the port."""
        self._socket.close()


class _RealClock:
    def now_s(self) -> float:
        """See the port."""
        return time.monotonic()

    def unix_ms(self) -> int:
        """See the port."""
        return time.time_ns() // 1_000_000

    def wait(self, seconds: float) -> None:
        """See the port."""
        time.sleep(max(0.0, seconds))


class SocketLine(_RealClock):
    """The way to an engine."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)

    def dial(self) -> SocketLink:
        """See the port."""
        try:
            return SocketLink(socket.create_connection(self._address, DIAL_S))
        except OSError as error:
            host, port = self._address
            raise Ended(f"{host}:{port}: {error.strerror or error}") from error


class SocketDoor(_RealClock):
    """A listening socket; its port stays the same over shut() and open()."""

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self._listener: socket.socket | None = None
        self.open()

    def open(self) -> None:
        """See the port. Raises OSError if the address is taken."""
        host, port = self.address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(8)
        except OSError:
            listener.close()
            raise
        self._listener = listener
        self.address = (host, listener.getsockname()[1])

    def shut(self) -> None:
        """See the port."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def accept(self, wait_s: float) -> SocketLink | None:
        """See the port."""
        assert self._listener is not None
        ready, _, _ = select.select([self._listener], [], [], max(0.0, wait_s))
        return SocketLink(self._listener.accept()[0]) if ready else None
