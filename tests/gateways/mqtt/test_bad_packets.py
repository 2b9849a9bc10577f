"""Malformed and mutated packets: nothing raises, nothing changes that may not, nobody else is touched."""

from typing import Any

import mqtt5
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mqtt5 import PublishPacket, QoS

from liftgate.codecs import messages as m
from liftgate.codecs.mqtt.packets import PacketError, PacketReader
from tests.gateways.mqtt.clients import connect, make_world, subscribe
from tests.gateways.network import ENTRY, START_MS, hello, scan

VALID: tuple[Any, ...] = (
    connect(
        "r0", username="r0", will=mqtt5.Will("liftgate/v1/r0/up/13", payload=b"x", qos=QoS.AT_LEAST_ONCE)
    ),
    mqtt5.AuthPacket(authentication_method="liftgate-1", authentication_data=m.encode(hello("r0"))),
    PublishPacket("liftgate/v1/r0/up/10", m.encode(scan(1)), qos=QoS.AT_LEAST_ONCE, packet_id=300),
    PublishPacket(
        "liftgate/v1/r0/up/12",
        m.encode(m.Passage(2, START_MS, ENTRY, 1, None)),
        qos=QoS.AT_LEAST_ONCE,
        packet_id=2,
        correlation_data=b"\xff\x00",
        user_properties=[("boot", "9"), ("größe", "ü")],
        content_type="é",
    ),
    mqtt5.PubAckPacket(1, reason_str="ü", user_properties=[("a", "b")]),
    subscribe("r0"),
    mqtt5.UnsubscribePacket(5, ["liftgate/v1/r0/down/#"]),
    mqtt5.PingReqPacket(),
    mqtt5.DisconnectPacket(reason_str="ö"),
)
WIRE = [packet.write() for packet in VALID]


def taken(data: bytes) -> int:
    """How many packets come out before the end or an error; nothing but PacketError may be raised."""
    reader = PacketReader()
    reader.feed(data)
    count = 0
    try:
        while reader.take() is not None:
            count += 1
    except PacketError as error:
        assert int(error.reason) >= 0x80
    return count


@pytest.mark.parametrize("data", WIRE, ids=lambda data: hex(data[0]))
def test_every_byte_of_a_packet(data: bytes) -> None:
    """Any one byte changed to any value, or all behind it missing: a packet, an error, or a wait for more."""
    assert taken(data) == 1
    for place in range(len(data)):
        assert taken(data[:place]) == 0
        for value in range(256):
            taken(data[:place] + bytes([value]) + data[place + 1 :])


@given(st.integers(0, 255), st.binary(max_size=80))
@settings(max_examples=500)
def test_noise_in_a_well_measured_packet(head: int, body: bytes) -> None:
    """A packet of the right length with anything in it."""
    taken(bytes([head, len(body)]) + body)


@given(st.sampled_from(WIRE), st.lists(st.integers(0, 200), max_size=4))
def test_any_split_gives_the_same_packets(data: bytes, cuts: list[int]) -> None:
    """However bytes are cut, the same comes out."""
    reader, got = PacketReader(), []
    places = sorted({min(cut, 2 * len(data)) for cut in cuts} | {0, 2 * len(data)})
    for low, high in zip(places, places[1:], strict=False):
        reader.feed((data * 2)[low:high])
        while (packet := reader.take()) is not None:
            got.append(packet.write())
    assert len(got) == 2 and got[0] == got[1]


@given(st.data(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_mutated_packets_touch_nobody_else(data: st.DataObject, signed_on: bool) -> None:
    """A peer may send anything: the engine stands, replays to the same state, and others go on."""
    world = make_world()
    peer, other = (world.mqtt_reader("r0") if signed_on else world.dial()), world.reader("r1")
    for _ in range(data.draw(st.integers(1, 4))):
        packet = bytearray(data.draw(st.sampled_from(WIRE)))
        for _ in range(data.draw(st.integers(0, 2))):
            packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
        if not peer.ended:
            world.round((peer, bytes(packet)))
    peer.taken()
    assert isinstance(other.ask(scan(1))[0], m.Decision)
    if not peer.ended:
        world.hang_up(peer)
    world.wait(1)
    assert list(world.gateway.links) == [other.link] and not world.gateway.strangers
    memory = world.dump()
    world.restart()
    assert world.dump() == memory


@example(b"\x10\x07\x00\x04MQTT\x03")  # a CONNECT of MQTT 3.1
@given(st.binary(min_size=1, max_size=200))
def test_a_strangers_noise_changes_nothing(noise: bytes) -> None:
    """No state, no journal entry, no session comes of what a stranger sends."""
    world = make_world()
    before, position = world.dump(), world.engine.position
    peer = world.dial()
    world.round((peer, noise))
    world.wait(6)
    assert peer.ended and world.dump() == before and world.engine.position == position
    assert not world.mqtt.sessions.by_reader and not world.gateway.links


def test_a_long_packet_is_refused_by_its_length() -> None:
    """Its body is not waited for; before CONNACK 4,096 bytes are the most."""
    reader = PacketReader()
    reader.feed(b"\x10\xff\xff\xff\x7f")
    with pytest.raises(PacketError) as caught:
        reader.take()
    assert int(caught.value.reason) == 0x95


def test_text_that_is_no_utf8_is_quietly_refused(capfd: pytest.CaptureFixture[str]) -> None:
    """The codec would panic and write to stderr for each: a stranger could fill a disk with that."""
    for data in WIRE:
        for place in range(2, len(data)):
            taken(data[:place] + b"\xff" + data[place + 1 :])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "data",
    [
        b"\x40\x08\x00\x01\x00\x01\x1f\x00\x02\xc3",  # a reason string that ends beyond its properties
        b"\x32\x0f\x00\x01a\x00\x05\x01\x26\x00\x01\xff\x00\x01bxx",  # a user property that does
    ],
)
def test_properties_that_end_beyond_their_length(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """The codec reads on there, so text is looked at as far as it reads."""
    assert taken(data) == 0
    assert capfd.readouterr().err == ""
