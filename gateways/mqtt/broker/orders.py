"""What the engine orders, on its way to readers behind the broker.

One QUERY `orders` at a time. Asking again says that all of the answer before it is with the broker, but for
readers in `gone`; so a gateway that is killed leaves what it had with the engine, for the next one.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import structlog

from liftgate.codecs import messages as m
from liftgate.codecs.mqtt import topics
from liftgate.gateways.mqtt.broker.engine import EngineCalls, EngineLost
from liftgate.gateways.mqtt.broker.link import BrokerLink, Down

log = structlog.get_logger()

UNTIL = "until_ms"
"""User property of an order that is worth something only now: the engine's Unix time in ms after which nobody
should act on it. A broker counts Message Expiry from when it has the message, not from when it was sent."""

REFUSED_S = 5
"""Before the engine is asked again that does not let this service carry readers: another configuration."""

NOBODY = 0x10
"""PUBACK: no matching subscribers. From 0x80 on they are failures."""

_KEPT = frozenset({m.SetLane.TYPE, m.Policy.TYPE})
"""What holds until there is another one of it: a reader that was away gets it from its session."""


class Order(NamedTuple):
    """until_s: by the loop's clock, until_ms: by the engine's."""

    reader: str
    kind: int
    ref: int
    body: bytes
    until_s: float
    until_ms: int


class Orders:
    """Brings orders for as long as it runs, over whatever connection to the broker there is."""

    def __init__(self, engine: EngineCalls, via: str) -> None:
        """via: names broker and group, alike for all gateways that share the readers."""
        self._engine, self._via = engine, via
        self._link: BrokerLink | None = None
        self._there = asyncio.Event()
        self._refused = ""

    def broker_there(self, link: BrokerLink) -> None:
        """There is a connection."""
        self._link = link
        self._there.set()

    def broker_gone(self) -> None:
        """It is over."""
        self._there.clear()
        self._link = None

    async def run(self) -> None:
        """Carry until cancelled."""
        gone: list[str] = []
        while True:
            has_room = await self._engine.wait_there()
            asked_s = asyncio.get_running_loop().time()
            try:
                answer = await self._ask(gone) if has_room else "in_flight_max 1 leaves no room for orders"
            except EngineLost:
                continue
            if isinstance(answer, str):
                self._say_refused(answer)
                await asyncio.sleep(REFUSED_S)
            else:
                gone = await self._bring(orders_in(answer, asked_s))

    async def _ask(self, gone: list[str]) -> dict[str, Any] | str:
        """The answer's body, or why there is none. Raises EngineLost."""
        answer = await self._engine.query(m.Query("", "orders", {"via": self._via, "gone": gone}))
        if isinstance(answer, m.Answer):
            return answer.body if answer.ok else answer.code
        return answer.text if isinstance(answer, m.Error) else "no ANSWER"

    def _say_refused(self, why: str) -> None:
        """Once for each reason: readers are spoken for all the same."""
        if why != self._refused:
            self._refused = why
            log.warning("mqtt.orders_refused", why=why, needs="carry_readers")

    async def _bring(self, orders: list[Order]) -> list[str]:
        """Have all of them with the broker; the readers of those that it could not take in time, or has
        nobody for. What it did not acknowledge when its connection ended goes to the next one.
        """
        gone: dict[str, None] = {}
        while orders:
            link = await self._broker(max(order.until_s for order in orders))
            if link is None:
                gone |= dict.fromkeys(order.reader for order in orders)
                break
            asked = [(order, await _publish(link, order)) for order in orders]
            waiting = [acknowledged for _, acknowledged in asked if acknowledged is not None]
            if waiting:
                left_s = max(order.until_s for order in orders) - asyncio.get_running_loop().time()
                await asyncio.wait(waiting, timeout=max(0.0, left_s))
            orders = []
            for order, acknowledged in asked:
                reason = NOBODY if acknowledged is None or not acknowledged.done() else acknowledged.result()
                if reason is None:
                    orders.append(order)
                elif reason >= NOBODY:
                    gone[order.reader] = None
        return list(gone)

    async def _broker(self, until_s: float) -> BrokerLink | None:
        """The connection, None where there is none in time."""
        try:
            async with asyncio.timeout_at(until_s):
                await self._there.wait()
        except TimeoutError:
            return None
        return self._link


def orders_in(body: dict[str, Any], asked_s: float) -> list[Order]:
    """The orders of an answer. What is left of their time counts from when they were asked for: an answer
    with orders is never older than its question.
    """
    return [
        Order(reader, kind, ref, bytes(data), asked_s + left_ms / 1000, body["at_ms"] + left_ms)
        for reader, kind, ref, data, left_ms in body["orders"]
    ]


async def _publish(link: BrokerLink, order: Order) -> asyncio.Future[int | None] | None:
    """The order's PUBACK to wait for; None: its time is over before it went."""
    correlation = topics.pack_ref(order.ref) if order.ref else None
    try:
        async with asyncio.timeout_at(order.until_s):
            left_s = order.until_s - asyncio.get_running_loop().time()
            if left_s < 1:  # MQTT counts whole seconds, and 0 is none
                return None
            if order.kind in _KEPT:
                return await link.publish(order.reader, Down(order.kind, order.body, correlation))
            until = ((UNTIL, str(order.until_ms)),)
            down = Down(order.kind, order.body, correlation, int(left_s), until)
            return await link.publish(order.reader, down)
    except TimeoutError:
        return None
