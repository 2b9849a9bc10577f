"""What may wait for live scans: sign-ons, and backlogs (`gateways/replays.py`).

Where a thousand readers come back at once nobody at a barrier waits for what they tell; before those who scan
meanwhile a driver stands. So the reactor sets aside what such peers said, and works on it for a bounded time
between looks at its sockets.
"""

import os
import time
from collections import deque
from typing import TYPE_CHECKING

from liftgate.gateways.link import Link

if TYPE_CHECKING:
    from liftgate.gateways.reactor import Reactor

WORK_NS = 100_000
"""Of a round that no live scan is in: the next one finds the reactor at it for no longer."""

WORK_EVERY_NS = 2_000_000
"""Where live scans are in every round, what may wait has its part of one so often all the same: a sign-on has
5 s, and a backlog should end."""

HELD_HEARD = 4
"""Readers that are heard in a tick (0.25 s) of those whose garbage is not looked at any more. A refusal
costs as much as a decision, and six times the journal (483 bytes against 76): 64 of them, as fast as they
could, made honest scans wait for 360 ms. A single one is heard four times a second, of 1,000 each once a
minute. With 16 in a tick the p99 of honest scans is 6.5 ms, with 4 it is 3.6 (`liftgate bench forged`)."""

KEPT_NS = 5_000_000
"""What was done of it is committed with the next live scans, or after this long: its own sync would stand in
their way, and nobody waits for it at a barrier."""


class Later:
    """One reactor's. said: what peers said, in turn; behind: how many pieces of it are a link's, which is not
    read until they are decided. A round may have read a link more than once before it is seen to wait. held:
    of links whose garbage is not looked at; they are not read either while they have something here.
    bell: a descriptor that the reactor watches, too: who puts something here outside of its rounds rings.
    """

    def __init__(self, reactor: "Reactor") -> None:
        self.reactor = reactor
        self.gateway = reactor.gateway
        self.said: deque[tuple[Link, bytes]] = deque()
        self.behind: dict[Link, int] = {}
        self.held = self.gateway.proofs.held
        self._worked_ns = 0
        self._finished_ns = 0
        self.bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def ring(self) -> None:
        """Have the reactor make a round if there is anything to do, though no socket has anything."""
        if self.waiting():
            os.eventfd_write(self.bell, 1)

    def heard_bell(self) -> None:
        """That round has begun."""
        os.eventfd_read(self.bell)

    def close(self) -> None:
        """The reactor ends; once more does nothing."""
        if self.bell >= 0:
            os.close(self.bell)
        self.bell = -1

    def put(self, link: Link, data: bytes) -> None:
        """Set aside what a peer said: that of a held one until its turn comes (`release`)."""
        held = self.held.get(link)
        if held is not None and link not in self.behind:
            held.append(data)
            link.heard_ms, link.pinged_ms = self.gateway.steady_ms, 0
            return
        if not self.waiting():
            self._worked_ns = time.monotonic_ns()  # it waits from now on
        self.said.append((link, data))
        self.behind[link] = self.behind.get(link, 0) + 1

    def release(self) -> None:
        """A tick: hear some of those who are held, the longest waiting first."""
        for link in [link for link, pieces in self.held.items() if pieces][:HELD_HEARD]:
            for data in self.held.pop(link):
                self.put(link, data)
        self.ring()

    def waiting(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.said) or bool(self.gateway.replays.waiting)

    def finished(self) -> None:
        """A round was committed and answered."""
        if self.said or self.gateway.replays.waiting:
            self._finished_ns = time.monotonic_ns()

    def work(self, urgent: bool) -> bool:
        """Do a bounded part. urgent: live scans were in this round. True: the round should be finished."""
        now_ns = time.monotonic_ns()
        if urgent and now_ns - self._worked_ns < WORK_EVERY_NS:
            return False
        gateway, until_ns = self.gateway, now_ns + WORK_NS
        while now_ns < until_ns and not gateway.full():
            if self.said:
                self._decide_next()
            elif not gateway.replays.work():
                break
            now_ns = time.monotonic_ns()
        self._worked_ns = now_ns
        return not self.waiting() or gateway.full() or now_ns - self._finished_ns >= KEPT_NS

    def _decide_next(self) -> None:
        """Decide what one peer has said, and have its socket looked at: it may have said more meanwhile."""
        link, data = self.said.popleft()
        left = self.behind.pop(link) - 1
        if left:
            self.behind[link] = left
        if link.handle >= 0:
            self.reactor.receive(link, data)
            if not left:
                self.reactor.again.append(link)
