"""Orders on their way to a broker: how long they are good for."""

from liftgate.codecs import messages as m
from liftgate.gateways.mqtt.broker.orders import orders_in

VEND = m.encode(m.Vend(1, "lost ticket"))


def test_an_orders_time_counts_from_when_it_was_asked_for() -> None:
    """However long its answer was on the way: that is the latest at which the engine can have said it."""
    body = {"at_ms": 1_800_000_000_000, "orders": [["r0", m.Vend.TYPE, 7, VEND, 6_000]]}
    (order,) = orders_in(body, asked_s=100.0)
    assert (order.reader, order.kind, order.ref, order.body) == ("r0", m.Vend.TYPE, 7, VEND)
    assert order.until_s == 106.0 and order.until_ms == 1_800_000_006_000


def test_an_answer_that_waited_has_no_orders() -> None:
    """It only says that there are some."""
    assert orders_in({"at_ms": 5, "orders": []}, asked_s=1.0) == []
