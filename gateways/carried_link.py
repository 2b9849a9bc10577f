"""The link of a reader that a service carries: what is packed for it waits in a queue of its own."""

from collections import deque
from typing import TYPE_CHECKING

import msgspec
import structlog

from liftgate.codecs import messages as m
from liftgate.engine.core.model import Reader
from liftgate.gateways.link import Link
from liftgate.gateways.policies import ANSWER_MS

if TYPE_CHECKING:
    from liftgate.gateways.gateway import Gateway

log = structlog.get_logger()

ORDER_MS = 10_000
"""How long an order may wait for a gateway and its broker: history opens no barrier. A reader whose orders
are not taken for so long is not there, and is told anew what holds when it is heard again."""

ORDERS_MAX = 64
"""Waiting for one reader: modes of all its lanes and a burst of an operator's orders. One more, and it counts
as one whose orders are not taken."""

TOLD_MS = 10_000
"""A reader is told anew no more often."""

FRAME_BYTES_AROUND = 1024
"""Of a frame to the service around a reader's: so a POLICY fits an ANSWER."""

_OWED = (m.SetLane.TYPE, m.Policy.TYPE)


class Order(msgspec.Struct):
    """A message for a reader. until_ms: nobody may act on it after that, by the clock that never jumps."""

    kind: int
    ref: int
    body: bytes
    until_ms: int


class Way:
    """Gateways that reach the same readers, and those. services: open connections of theirs; asks: QUERYs of
    theirs that wait, by service; links: by reader; ready: those with orders that wait and none under way;
    held: whose orders a service has; asking: readers to be asked whether they are there; served_ms: when
    there was a gateway last, where there is none.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.services: dict[Link, None] = {}
        self.asks: dict[Link, int] = {}
        self.links: dict[str, CarriedLink] = {}
        self.ready: dict[CarriedLink, None] = {}
        self.held: dict[Link, list[CarriedLink]] = {}
        self.asking: dict[str, None] = {}
        self.served_ms = 0

    def is_served(self) -> bool:
        """Whether there is a gateway."""
        return any(not service.closing for service in self.services)

    def has_orders(self) -> bool:
        """Whether there is anything to bring."""
        return bool(self.ready or self.asking)


class CarriedLink(Link):
    """waiting: orders that nobody has yet; handed: those that a gateway has and may not have brought to the
    broker; owed: modes and POLICY that no DONE came for, by ref, and when they were packed.
    """

    def __init__(self, gateway: "Gateway", way: Way, reader: Reader, boot: int) -> None:
        super().__init__(gateway, f"via {way.name}", gateway.steady_ms)
        self.carried = True
        self.id, self.role, self.boot = reader.id, m.READER, boot
        self.reader = reader
        self.frame_bytes_max = gateway.config.frame_bytes_max - FRAME_BYTES_AROUND
        self.way = way
        self.waiting: deque[Order] = deque()
        self.handed: deque[Order] = deque()
        self.owed: dict[int, int] = {}
        self._told_ms = gateway.steady_ms
        self._restarted = False
        way.links[reader.id] = self
        way.asking.pop(reader.id, None)

    def reachable(self) -> bool:
        return not self.closed and self.way.is_served()

    def word(self, boot: int) -> bool:
        """Something came from the reader. True: it should be told what holds, as after a sign-on."""
        now_ms = self.heard_ms = self.gateway.steady_ms
        self.pinged_ms = 0
        if boot and boot != self.boot:
            self._restarted = self._restarted or self.boot != 0
            self.boot = boot
        # A broker may have lost what it took, or the reader was away and its session with it.
        overdue = any(now_ms - since_ms >= ANSWER_MS for since_ms in self.owed.values())
        if not (overdue or self._restarted) or now_ms - self._told_ms < TOLD_MS:
            return False
        self._told_ms, self._restarted = now_ms, False
        self.owed.clear()
        return True

    def queue(self, kind: int, body: bytes, ref: int) -> None:
        """Have a message brought to the reader."""
        if self.closed:
            return
        if len(self.waiting) + len(self.handed) >= ORDERS_MAX:
            self.close("orders not taken")
            return
        now_ms = self.gateway.steady_ms
        self.waiting.append(Order(kind, ref, body, now_ms + ORDER_MS))
        if kind in _OWED:
            self.owed[ref] = now_ms
        if not self.handed:
            self.way.ready[self] = None

    def hand(self) -> None:
        """A gateway has the first order that waits, and until it has brought that nobody else has another:
        of two gateways the slower one could undo a mode.
        """
        self.handed.append(self.waiting.popleft())
        self.way.ready.pop(self, None)

    def taken(self) -> None:
        """What was handed out is with the broker."""
        self.handed.clear()
        self._see_ready()

    def give_back(self) -> None:
        """What was handed out waits again, under the same refs: perhaps the broker has it."""
        self.waiting.extendleft(reversed(self.handed))
        self.handed.clear()
        self._see_ready()

    def _see_ready(self) -> None:
        if self.waiting and not self.closed:
            self.way.ready[self] = None

    def done(self, ref: int) -> None:
        """DONE came for that order: it need not be brought again."""
        self.owed.pop(ref, None)
        self.handed = deque(order for order in self.handed if order.ref != ref)
        self.waiting = deque(order for order in self.waiting if order.ref != ref)
        if not self.waiting:
            self.way.ready.pop(self, None)

    def goodbye(self, reason: str) -> None:
        """The broker speaks to the reader, not we."""
        self.close(reason)

    def close(self, reason: str) -> None:
        if not self.closed:
            self.closed = self.closing = True
            if self.way.links.get(self.id) is self:
                del self.way.links[self.id]
            self.way.ready.pop(self, None)
            self.gateway.forget(self)
            log.info("gateway.carried_no_more", id=self.id, via=self.way.name, reason=reason)

    def tick(self, steady_ms: int) -> None:
        """End what its gateways leave lying; for the rest as with other links."""
        orders, way = self.handed or self.waiting, self.way
        if orders and orders[0].until_ms <= steady_ms:
            self.close("orders not taken")
        elif not way.is_served():
            if steady_ms - way.served_ms >= ORDER_MS:
                self.close("no gateway")
        else:
            super().tick(steady_ms)
