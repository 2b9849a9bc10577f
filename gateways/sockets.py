"""Bytes from and to a non-blocking socket, by file descriptor.

Never compiled: compiled modules find the same names as inline C in `sockets.pxd`, which saves the socket
object's bookkeeping twice a scan. `tests/gateways/test_sockets.py` holds both to the same behaviour.
"""

import os
import select

READY_MAX = 16_384
"""Sockets handled a round: all of them. Capping rounds at 500 cost a third of the rate (docs/design.md)."""

READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
WRITABLE = select.EPOLLOUT
ENDED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR

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


_ready: list[tuple[int, int]] = []


def poll(epoll: select.epoll, epoll_fd: int) -> int:
    """See which sockets are ready, without waiting; how many. ready_fd and ready_mask tell which, and why."""
    _ready[:] = epoll.poll(0, READY_MAX)
    return len(_ready)


def ready_fd(index: int) -> int:
    """The descriptor of the index-th ready socket of the last poll."""
    return _ready[index][0]


def ready_mask(index: int) -> int:
    """Its epoll events."""
    return _ready[index][1]
