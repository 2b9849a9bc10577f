"""Bytes from and to a non-blocking socket, by file descriptor.

Never compiled: compiled modules find the same names as inline C in `sockets.pxd`, which saves the socket
object's bookkeeping twice a scan. `tests/gateways/test_sockets.py` holds both to the same behaviour.
"""

import os

RECEIVE_BYTES = 65_536
"""Read at once from one peer. 1,600 scans: a peer that sends more waits for its next turn."""


def receive(fd: int) -> bytes | None:
    """What has come, b"" when the peer closed or the connection broke, None when nothing is there."""
    try:
        return os.read(fd, RECEIVE_BYTES)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def send(fd: int, buf: bytearray, start: int, stop: int) -> int:
    """Send buf[start:stop]; how many bytes went, 0 when the socket is full, -1 when the connection broke."""
    try:
        with memoryview(buf) as view:
            return os.write(fd, view[start:stop])
    except BlockingIOError:
        return 0
    except OSError:
        return -1
