"""Readers that a service carries: orders for them go by its connection (docs/mqtt.md).

A reader behind somebody else's broker has no connection here. While a service that carries readers speaks for
it, it has a link all the same: for modes, POLICY, orders, heartbeats and LANE_DOWN it is a reader like the
others. What is packed for that link waits until a gateway asks for it by QUERY `orders`.

A QUERY that finds orders is answered with them at once; one that finds none waits, and its answer says only
that there are some. So an answer with orders is never older than its question, and who asked knows how old
they are at the most, whatever the network held up and however clocks differ.

Rejected: the gateway follows the journal. It would be sent all of it, must know how modes lie over each
other, and of several that share readers each would raise the barrier. Rejected, too: a message of its own
from engine to service, which would be new on the wire, and has nothing that bounds it but the socket.
"""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import structlog
from msgspec import Meta

from liftgate.codecs import messages as m
from liftgate.gateways import signon
from liftgate.gateways.carried_link import CarriedLink, Way
from liftgate.gateways.spoken import CARRY

if TYPE_CHECKING:
    from liftgate.gateways.gateway import Gateway
    from liftgate.gateways.link import Link

log = structlog.get_logger()

AFTER_GONE_MS = 10_000
"""A reader that the broker knows nobody for is not carried for so long: else each of its events would bring
up a POLICY that nobody takes."""

ANSWER_BYTES_AROUND = 256
"""Of an ANSWER around its orders."""

ORDER_BYTES_AROUND = 256
"""Of an order around its body: a reader's id of 64 characters, numbers."""

ASKED_AT_ONCE = 64
"""Readers of unknown whereabouts that one answer has asked: the broker takes them at its own pace."""


class OfOrders(msgspec.Struct, forbid_unknown_fields=True):
    """args of orders. via: names broker and group, gateways that say the same reach the same readers; gone:
    readers that the broker could not bring what was ordered last.
    """

    via: Annotated[str, Meta(min_length=1, max_length=400)]
    gone: tuple[m.Id, ...] = ()


class Carrier:
    """ways: by name; gone: readers that nobody is there for, and when that was said. Both are bounded by the
    services and readers that there are.
    """

    def __init__(self, gateway: "Gateway") -> None:
        self.gateway = gateway
        self.ways: dict[str, Way] = {}
        self.gone: dict[str, int] = {}
        self._way_of: dict[Link, Way] = {}
        gateway.tickers.append(self.tick)

    # -- what comes from readers

    def heard(self, service: "Link", id: str, boot: int = 0) -> None:
        """The service spoke for a reader. boot: 0 where what it said names none."""
        way, gateway = self._way_of.get(service), self.gateway
        if way is not None and not service.closing:
            link = gateway.readers.get(id)
            if isinstance(link, CarriedLink) and link.way is not way:
                link.close("comes another way")
                link = None
            if isinstance(link, CarriedLink):
                if link.word(boot):
                    signon.tell(link)
            elif link is None or link.closing:
                self._begin(way, service, id, boot)
        gateway.heard[id] = gateway.steady_ms

    def _begin(self, way: Way, service: "Link", id: str, boot: int) -> None:
        """Carry a reader from here on. One that has a connection of its own keeps that: there it has shown
        its key.
        """
        gateway = self.gateway
        keys = gateway.directory.keys(id)
        if not keys or not self._may_carry(service, id) or id in self.gone:
            return
        lot = gateway.engine.lots[gateway.directory.lot(id)]
        link = CarriedLink(gateway, way, lot.readers[id], boot)
        link.lot = lot
        link.key = keys[0]  # it ends with that key; the newer one of a rotation it does not prove to have
        gateway.signed_on(link)
        log.info("gateway.carried", id=id, via=way.name)
        signon.tell(link)

    def _may_carry(self, service: "Link", id: str) -> bool:
        config = service.service
        return config is not None and (config.lots is None or self.gateway.directory.lot(id) in config.lots)

    def hear(self, service: "Link", id: str, message: Any, ref: int) -> dict[str, Any]:
        """What a reader says beside its events; the body of the OUTCOME."""
        gateway = self.gateway
        link = gateway.readers.get(id)
        if isinstance(message, m.Goodbye):
            if isinstance(link, CarriedLink):
                link.close("goodbye")
            return {}
        self.heard(service, id)
        if isinstance(message, m.TimeAsk):
            return {"time": [message.t0, gateway.now_ms, gateway.now_ms]}
        link = gateway.readers.get(id)
        if isinstance(message, m.Done) and link is not None:
            if isinstance(link, CarriedLink):
                link.done(ref)
            gateway.policies.done(link, message, ref)
        return {}

    # -- what goes to them

    def put(self, link: "Link", kind: int, body: bytes, ref: int) -> None:
        """Have a message brought to a carried reader."""
        assert isinstance(link, CarriedLink)
        link.queue(kind, body, ref)

    def orders(self, service: "Link", args: dict[str, Any], ref: int) -> m.Answer | None:
        """Answer QUERY orders; None: it waits. Who asks says that what it was given last is with the broker,
        but for what was for readers in `gone`.
        """
        config = service.service
        if config is None or CARRY not in config.may:
            return m.Answer(False, "not_allowed", {})
        if service.frame_bytes_max < self.gateway.config.frame_bytes_max:
            return m.Answer(False, "frame_too_small", {"needed": self.gateway.config.frame_bytes_max})
        try:
            asked = msgspec.convert(args, OfOrders)
        except msgspec.ValidationError as error:
            return m.Answer(False, "bad_args", {"text": str(error)})
        way = self._enlist(service, asked.via)
        for link in way.held.pop(service, ()):
            link.taken()
        for id in asked.gone:
            if id in way.links:
                self.gone[id] = self.gateway.steady_ms
                way.links[id].close("nobody there")
        if way.has_orders():
            return m.Answer(True, "", self._take(way, service))
        waited = way.asks.pop(service, 0)
        if waited:  # it may have forgotten that it asked
            service.send(m.Answer(True, "", self._take(way, service)), waited)
        way.asks[service] = ref
        return None

    def _enlist(self, service: "Link", via: str) -> Way:
        """The way of a service, which may be new to it."""
        known = self._way_of.get(service)
        if known is not None and known.name == via:
            return known
        self.forget(service)
        way = self.ways.setdefault(via, Way(via))
        way.services[service] = None
        way.served_ms = self.gateway.steady_ms
        self._way_of[service] = way
        readers = self.gateway.readers
        way.asking = {
            id: None
            for id, _ in self.gateway.directory.items()
            if id not in readers and self._may_carry(service, id)
        }
        return way

    def _take(self, way: Way, service: "Link") -> dict[str, Any]:
        """What waits, as far as one answer holds it: of each reader all that it has, in order, or as much as
        there is room for. Its later orders wait until these are with the broker, whoever asks for them.
        """
        room = self.gateway.config.frame_bytes_max - ANSWER_BYTES_AROUND
        now_ms, rows = self.gateway.steady_ms, []
        held: list[CarriedLink] = []
        for link in list(way.ready):
            while link.waiting and not link.closed:
                order = link.waiting[0]
                room -= len(order.body) + ORDER_BYTES_AROUND
                if order.until_ms <= now_ms:
                    link.close("orders not taken")
                elif room < 0:
                    break
                else:
                    rows.append([link.id, order.kind, order.ref, order.body, order.until_ms - now_ms])
                    link.hand()
            if link.handed:
                held.append(link)
            if room < 0:
                break
        way.held[service] = held
        rows += self._questions(way, room)
        return {"at_ms": self.gateway.now_ms, "orders": rows}

    def _questions(self, way: Way, room: int) -> list[list[Any]]:
        """PINGs to readers that have no connection, once after a gateway came: after a restart of the engine
        those behind the broker answer, and can be reached although no car came.
        """
        rows: list[list[Any]] = []
        while way.asking and len(rows) < min(ASKED_AT_ONCE, room // (2 * ORDER_BYTES_AROUND)):
            id = next(iter(way.asking))
            del way.asking[id]
            if id not in self.gateway.readers:
                rows.append([id, m.Ping.TYPE, 0, m.encode(m.Ping()), AFTER_GONE_MS])
        return rows

    def wake(self) -> None:
        """A round ends: tell who waits for orders that there are some. All of them, as one may be gone
        without a word; who asks first has them.
        """
        for way in self.ways.values():
            if way.asks and way.has_orders():
                asks, way.asks = way.asks, {}
                empty = m.Answer(True, "", {"at_ms": self.gateway.now_ms, "orders": []})
                for service, ref in asks.items():
                    service.send(empty, ref)

    # -- ends

    def forget(self, service: "Link") -> None:
        """A service is gone. What it had and may not have brought to the broker waits again."""
        way = self._way_of.pop(service, None)
        if way is not None:
            way.services.pop(service)
            way.asks.pop(service, None)
            way.served_ms = self.gateway.steady_ms
            for link in way.held.pop(service, ()):
                link.give_back()

    def tick(self) -> None:
        """Some times a second."""
        now_ms = self.gateway.steady_ms
        for id in [id for id, since_ms in self.gone.items() if now_ms - since_ms >= AFTER_GONE_MS]:
            del self.gone[id]
        for way in list(self.ways.values()):
            for link in list(way.links.values()):
                link.tick(now_ms)
            if not way.services and not way.links:
                del self.ways[way.name]
