"""The little of Redis' protocol (RESP) and settings that the comparison needs outside the load generator."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

SPOTS_PER_COMMAND = 1_000


class RedisError(RuntimeError):
    """Redis refused a command."""


def settings(folder: Path, port: int) -> list[str]:
    """Command line of a Redis as durable as the engine: each write synced before its answer.

    No save points and no rewriting of the log during a run, as either would only cost it time.
    """
    options = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": folder,
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
        "auto-aof-rewrite-percentage": 0,
        "maxclients": 15_000,
        "tcp-backlog": 4096,
    }
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


class Client:
    """A blocking connection to a Redis on this machine."""

    __slots__ = ("_socket", "_stream")

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        self._socket.close()

    def call(self, *words: object) -> bytes:
        """Send one command; returns a simple, integer or bulk reply's text. Raises RedisError."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self._socket.sendall(
            b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts)
        )
        kind, line = self._stream.read(1), self._stream.readline().rstrip(b"\r\n")
        if kind == b"$" and int(line) >= 0:
            return self._stream.read(int(line) + 2)[:-2]
        if kind not in (b"+", b":"):
            raise RedisError(f"{parts[0].decode()}: {(kind + line).decode(errors='replace')}")
        return line


def fill(client: Client, script: bytes, spots: int) -> None:
    """Load the script and put spots 1 to `spots` on the free list."""
    client.call("SCRIPT", "LOAD", script)
    for first in range(1, spots + 1, SPOTS_PER_COMMAND):
        numbers = range(first, min(first + SPOTS_PER_COMMAND, spots + 1))
        pairs: Sequence[int] = [value for number in numbers for value in (number, number)]
        client.call("ZADD", "free", *pairs)
