"""The small reader as a program on real sockets, worked by its standard input: lines `card HEX` and `pass`.

For the kit's own run where the firmware is not built. It has no lasting log: killed and started again it has
another boot.
"""

import argparse
import os
import secrets
import select
import socket
import time

from liftgate.conform.port import Act, Ended
from tests.conform.reader import TICK_S, SimReader

STDIN = 0


class RealEnd:
    """The reader's end of a TCP connection, as `End` is one in memory."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(5.0)
        self.inbox: list[bytes] = []
        self.over = False

    def send(self, data: bytes) -> None:
        """Write all of it. Raises Ended."""
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Ended(str(error)) from error

    def receive_ready(self) -> None:
        """Take what is there."""
        try:
            data = self.socket.recv(65_536)
        except OSError:
            data = b""
        if data:
            self.inbox.append(data)
        self.over = not data

    def close(self) -> None:
        """Hang up."""
        self.over = True
        self.socket.close()


class RealDoor:
    """The engine's address, and this machine's time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.end: RealEnd | None = None

    @property
    def now(self) -> float:
        return time.monotonic()

    def unix_ms(self) -> int:
        """Unix time in ms."""
        return time.time_ns() // 1_000_000

    def dial(self) -> RealEnd | None:
        """A connection, None if nobody listens."""
        try:
            self.end = RealEnd(socket.create_connection(self.address, 1.0))
        except OSError:
            return None
        return self.end


def main() -> None:
    """Be the reader until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--connect", required=True)
    host, _, port = parser.parse_args().connect.rpartition(":")
    reader = SimReader()
    reader.boot, reader.random = secrets.randbits(63) | 1, secrets.SystemRandom()
    door = RealDoor((host, int(port)))
    reader.door = door
    commands = b""
    while True:
        end = door.end if door.end is not None and not door.end.over else None
        watched: list[int | socket.socket] = [STDIN] if end is None else [STDIN, end.socket]
        ready, _, _ = select.select(watched, [], [], TICK_S)
        if end is not None and end.socket in ready:
            end.receive_ready()
        reader.step(door.now)
        if STDIN in ready:
            data = os.read(STDIN, 4096)
            if not data:
                return
            *lines, commands = (commands + data).split(b"\n")
            for line in lines:
                reader.act(Act.SCAN if line.startswith(b"card") else Act.PASS)


if __name__ == "__main__":
    main()
