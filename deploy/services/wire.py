"""One request on a connection of its own, for asking a server whether it serves."""

from __future__ import annotations

import socket
from types import TracebackType

from deploy.services.ports import HOST

TIMEOUT_S = 5.0
"""A server that takes longer for its smallest answer is not ready."""


class Closed(OSError):
    """The server hung up in the middle of an answer."""


class Wire:
    """A blocking connection to HOST; every wait is bounded by TIMEOUT_S. Raises OSError."""

    def __init__(self, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket.create_connection((HOST, port), timeout_s)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise Closed(f"closed after {len(data)} of {count} bytes")
            data += part
        return data

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
