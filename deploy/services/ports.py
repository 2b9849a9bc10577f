"""Free ports that are still free at a restart."""

from __future__ import annotations

import random
import socket
from pathlib import Path

HOST = "127.0.0.1"
LOWEST = 20_000
"""Above what distributions' own services listen on."""
TRIES_MAX = 1000
"""A tenth of the range; if so many in a row are taken, something else is wrong."""
RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int, taken: set[int] | None = None) -> list[int]:
    """So many different free ports on HOST, below those that outgoing connections get.

    A port from `bind(0)` is one of those: while its server is down, any connection of anybody could take it.
    Raises OSError if there are none.
    """
    highest = int(RANGE_FILE.read_text().split()[0])
    # An operator may have widened the range to (nearly) all ports; then any place is as good.
    span = range(LOWEST, highest if highest > LOWEST + TRIES_MAX else 65_535)
    chosen: list[int] = []
    for _ in range(TRIES_MAX):
        if len(chosen) == count:
            return chosen
        port = random.choice(span)
        if port not in chosen and port not in (taken or ()) and can_bind(port):
            chosen.append(port)
    raise OSError(f"no free port found in {span.start}–{span.stop} after {TRIES_MAX} tries")


def can_bind(port: int) -> bool:
    """Whether nobody listens on the port of HOST; connections that wind down (TIME_WAIT) do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
