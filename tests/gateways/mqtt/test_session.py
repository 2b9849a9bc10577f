"""What outlives a connection: sessions, redelivery, wills."""

from typing import Any

import mqtt5
import pytest
from mqtt5 import PublishPacket, QoS

from liftgate.codecs import messages as m
from liftgate.codecs.mqtt import topics
from tests.gateways.mqtt.clients import MqttWorld, body_of, make_world
from tests.gateways.network import ENTRY, START_MS, scan

KEEP = {"session_expiry_interval": 60}


@pytest.fixture
def world() -> MqttWorld:
    return make_world()


def test_unacknowledged_messages_come_again(world: MqttWorld) -> None:
    """With the session kept: DECISION, ACK and REPLAYED again with DUP under their packet ids, in order."""
    reader = world.mqtt_reader(**KEEP)
    got = reader.say(reader.publish(scan(1)), reader.publish(m.Passage(2, START_MS, ENTRY, 1, None)))
    first = reader.of(PublishPacket, got)
    world.hang_up(reader)
    again, connack = world.sign_on(**KEEP)
    assert connack.session_present
    second = again.of(PublishPacket, again.taken())
    assert [(p.packet_id, p.payload, p.duplicate) for p in second] == [
        (p.packet_id, p.payload, True) for p in first
    ]
    again.acknowledge(second)
    world.hang_up(again)
    last, _ = world.sign_on(**KEEP)
    assert last.of(PublishPacket, last.taken()) == []


def test_history_opens_no_barrier(world: MqttWorld) -> None:
    """A DECISION or VEND of 10 s ago is not sent again; an ACK is."""
    reader = world.mqtt_reader(**KEEP)
    reader.say(reader.publish(scan(1)), reader.publish(m.Passage(2, START_MS, ENTRY, 1, None)))
    world.hang_up(reader)
    world.wait(11)
    again, _ = world.sign_on(**KEEP)
    (ack,) = again.of(PublishPacket, again.taken())
    assert isinstance(body_of(ack), m.Ack)


def test_what_waited_behind_the_receive_maximum_comes_after(world: MqttWorld) -> None:
    """Messages never sent yet follow the repeated ones on the new connection, without DUP."""
    reader = world.mqtt_reader(receive_max=1, **KEEP)
    reader.say(*(reader.publish(scan(no)) for no in (1, 2, 3)))
    world.hang_up(reader)
    again, _ = world.sign_on(receive_max=10, **KEEP)
    down = again.of(PublishPacket, again.taken())
    assert [(body_of(packet).no, packet.duplicate) for packet in down] == [(1, True), (2, False), (3, False)]


@pytest.mark.parametrize("how", ["clean start", "expired", "restarted", "expiry 0"])
def test_a_session_ends(world: MqttWorld, how: str) -> None:
    """By clean start, by its expiry, and with the engine: session present 0, and nothing from before."""
    reader = world.mqtt_reader(session_expiry_interval=0 if how == "expiry 0" else 5)
    reader.say(reader.publish(m.Passage(1, START_MS, ENTRY, 1, None)))
    world.hang_up(reader)
    if how == "restarted":
        world.restart()
    world.wait(6 if how == "expired" else 0)
    again, connack = world.sign_on(clean_start=how == "clean start")
    assert not connack.session_present and again.taken() == []
    assert again.of(PublishPacket, again.say(again.publish(scan(2)))) == []  # it has to subscribe again


def test_expired_sessions_are_forgotten(world: MqttWorld) -> None:
    """Nothing of a reader that stays away is kept beyond its session."""
    world.hang_up(world.mqtt_reader(**KEEP))
    world.wait(59)
    assert world.mqtt.sessions.by_reader
    world.wait(3)
    assert not world.mqtt.sessions.by_reader


def test_disconnect_may_change_the_expiry(world: MqttWorld) -> None:
    """A farewell may end a session that was to last; one that was to end cannot be made to last."""
    reader = world.mqtt_reader(**KEEP)
    reader.say(mqtt5.DisconnectPacket(session_expiry_interval=0))
    assert reader.ended and not world.sign_on()[1].session_present
    other = world.mqtt_reader("r1")
    (disconnect,) = other.say(mqtt5.DisconnectPacket(session_expiry_interval=9))
    assert disconnect.reason_code == mqtt5.DisconnectReasonCode.PROTOCOL_ERROR


def fallen(no: int, delay_s: int = 0) -> dict[str, Any]:
    """A will: the reader reports its lane as faulty, under this number."""
    status = m.LaneStatus(no, START_MS, ENTRY, 3, False, ("reader gone",))
    topic = topics.up("r0", m.LaneStatus.TYPE)
    payload = m.encode(status)
    return {"will": mqtt5.Will(topic, payload=payload, qos=QoS.AT_LEAST_ONCE, will_delay_interval=delay_s)}


def faults(world: MqttWorld) -> tuple[str, ...]:
    return tuple(world.lot.readers["r0"].lanes[ENTRY].faults)


def test_a_will_is_recorded_when_a_reader_goes_without_a_word(world: MqttWorld) -> None:
    """As the event that it is, under its own number: sent again live it is answered as recorded."""
    reader = world.mqtt_reader(**fallen(5), **KEEP)
    world.hang_up(reader)
    world.wait(1)
    assert faults(world) == ("reader gone",)
    assert world.lot.readers["r0"].numbering(7).has(5)
    back = world.mqtt_reader(**KEEP)
    status = m.LaneStatus(5, START_MS, ENTRY, 0, False, ())
    (ack,) = back.of(PublishPacket, back.say(back.publish(status)))
    assert body_of(ack).position and faults(world) == ("reader gone",)


@pytest.mark.parametrize("how", ["disconnect", "back in time"])
def test_a_will_is_not_recorded(world: MqttWorld, how: str) -> None:
    """After DISCONNECT 0, or when the reader is back before the delay is over."""
    reader = world.mqtt_reader(**fallen(5, delay_s=10), **KEEP)
    if how == "disconnect":
        reader.say(mqtt5.DisconnectPacket())
    else:
        world.hang_up(reader)
        world.wait(5)
        world.mqtt_reader(**KEEP)
    for _ in range(20):
        world.wait(1)
        for peer in list(world.peers.values()):
            peer.say(mqtt5.PingReqPacket())  # type: ignore[attr-defined]
    assert faults(world) == ()


def test_a_will_goes_with_its_session(world: MqttWorld) -> None:
    """A session that ends before the delay is over has its will recorded then."""
    world.hang_up(world.mqtt_reader(**fallen(5, delay_s=1000), session_expiry_interval=3))
    world.wait(5)
    assert faults(world) == ("reader gone",)


def test_a_will_is_recorded_when_another_connection_takes_over(world: MqttWorld) -> None:
    """Without a delay, also where the reader itself is back at once: it went without a word."""
    world.mqtt_reader(**fallen(5), **KEEP)
    world.mqtt_reader(**KEEP)
    world.wait(1)
    assert faults(world) == ("reader gone",)


def test_packet_ids_in_flight_are_not_used_again(world: MqttWorld) -> None:
    """After 65,535 messages the numbers begin again, around those that nobody acknowledged."""
    reader = world.mqtt_reader(receive_max=64)
    (held,) = reader.of(PublishPacket, reader.say(reader.publish(scan(1))))
    session = world.mqtt.sessions.by_reader["r0"]
    session._last_id = 65_534
    got = reader.of(PublishPacket, reader.say(*(reader.publish(scan(no)) for no in (2, 3))))
    assert held.packet_id == 1 and [packet.packet_id for packet in got] == [65_535, 2]
