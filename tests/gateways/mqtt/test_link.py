"""MQTT readers against the gateway, without sockets: what is acknowledged when, and what is refused how."""

from typing import Any

import mqtt5
import msgspec
import pytest
from mqtt5 import (
    AuthPacket,
    AuthReasonCode,
    ConnectPacket,
    DisconnectPacket,
    PubAckPacket,
    PublishPacket,
    QoS,
)
from mqtt5 import ConnAckReasonCode as Refused
from mqtt5 import DisconnectReasonCode as Reason

from liftgate.codecs import messages as m
from liftgate.codecs.mqtt import topics
from liftgate.codecs.signon import client_mac, engine_mac
from liftgate.engine.journal.journal import JournalFailed
from tests.gateways.mqtt.clients import MqttPeer, MqttWorld, body_of, connect, make_world, subscribe
from tests.gateways.network import ENTRY, KEY, START_MS, Peer, hello, scan
from tests.gateways.tickets import show, signed, ticket_config

ORDER = {"reader": "r0", "lane": 0, "cause": "help", "actor": "op"}


@pytest.fixture
def world() -> MqttWorld:
    return make_world()


def only(packets: list[Any], kind: type[Any]) -> Any:
    (packet,) = [packet for packet in packets if isinstance(packet, kind)]
    return packet


def test_a_scan_is_acknowledged_and_answered(world: MqttWorld) -> None:
    """PUBACK, then the DECISION on the reader's own topic with the scan's correlation data."""
    reader = world.mqtt_reader()
    puback, publish = reader.say(reader.publish(scan(1), correlation_data=b"mine"))
    assert isinstance(puback, PubAckPacket) and puback.packet_id == 1 and puback.reason_code == 0
    assert publish.topic == "liftgate/v1/r0/down/11" and publish.correlation_data == b"mine"
    decision = body_of(publish)
    assert decision.no == 1 and decision.verdict == m.OPEN
    assert world.lot.counts()["occupancy"] == 1


def test_nothing_is_acknowledged_before_it_is_durable(world: MqttWorld) -> None:
    """Where the sync fails, neither PUBACK nor DECISION leaves."""
    reader = world.mqtt_reader()
    world.storage.faults.failing_sync = 1
    with pytest.raises(JournalFailed):
        reader.say(reader.publish(scan(1)))
    assert reader.taken() == []


def test_connack_names_what_holds(world: MqttWorld) -> None:
    """Receive Maximum, QoS, packet size, keep alive and aliases are told; done_to as at WELCOME."""
    reader = world.mqtt_reader()
    reader.say(reader.publish(scan(1)), reader.publish(scan(2)))
    _, connack = world.sign_on(keep_alive=0, session_expiry_interval=1 << 31)
    assert connack.receive_max == 64 and connack.max_qos == 1 and not connack.retain_available
    assert not connack.shared_subscription_available and not connack.subscription_id_available
    assert connack.server_keep_alive == 15 and connack.session_expiry_interval == 3600
    assert ("done_to", "2") in connack.user_properties and ("engine", "engine-a") in connack.user_properties


@pytest.mark.parametrize("password", [bytes(KEY), KEY.hex().encode(), KEY.hex().upper().encode()])
def test_the_key_is_the_password(world: MqttWorld, password: bytes) -> None:
    """As its bytes or in hex; the user name may repeat the id."""
    _, connack = world.sign_on(password=password, username="r0")
    assert connack.reason_code == Refused.SUCCESS


def test_an_id_may_come_as_user_name(world: MqttWorld) -> None:
    """A client without an id of its own is assigned the reader's."""
    peer = world.dial()
    connack = only(peer.say(connect("", username="r0")), mqtt5.ConnAckPacket)
    assert connack.reason_code == 0 and connack.assigned_client_id == "r0"


@pytest.mark.parametrize(
    ("id", "more", "reason"),
    [
        ("r0", {"password": b"wrong"}, Refused.BAD_USER_NAME_OR_PASSWORD),
        ("r0", {"password": None}, Refused.BAD_USER_NAME_OR_PASSWORD),
        ("r9", {}, Refused.BAD_USER_NAME_OR_PASSWORD),
        ("api", {}, Refused.BAD_USER_NAME_OR_PASSWORD),
        ("r0", {"username": "r1"}, Refused.CLIENT_ID_NOT_VALID),
        ("", {}, Refused.CLIENT_ID_NOT_VALID),
        ("x" * 65, {}, Refused.CLIENT_ID_NOT_VALID),
        ("r0", {"authentication_method": "SCRAM-SHA-1"}, Refused.BAD_AUTHENTICATION_METHOD),
        ("r0", {"user_properties": [("boot", "0")]}, Refused.PAYLOAD_FORMAT_INVALID),
        ("r0", {"user_properties": [("boot", "18446744073709551616")]}, Refused.PAYLOAD_FORMAT_INVALID),
        ("r0", {"max_packet_size": 1000}, Refused.PACKET_TOO_LARGE),
        (
            "r0",
            {"will": mqtt5.Will("liftgate/v1/r0/up/13", qos=QoS.EXACTLY_ONCE)},
            Refused.QUALITY_NOT_SUPPORTED,
        ),
        (
            "r0",
            {"will": mqtt5.Will("liftgate/v1/r1/up/13", qos=QoS.AT_LEAST_ONCE)},
            Refused.TOPIC_NAME_INVALID,
        ),
        ("r0", {"will": mqtt5.Will("x", qos=QoS.AT_LEAST_ONCE, retain=True)}, Refused.RETAIN_NOT_SUPPORTED),
        (
            "r0",
            {"will": mqtt5.Will("liftgate/v1/r0/up/13", payload=b"\xc1", qos=QoS.AT_LEAST_ONCE)},
            Refused.PAYLOAD_FORMAT_INVALID,
        ),
    ],
)
def test_who_is_refused(world: MqttWorld, id: str, more: dict[str, Any], reason: Refused) -> None:
    """CONNACK with the reason, then the end; an unknown id is refused as a wrong key is."""
    peer = world.dial()
    (connack,) = peer.say(connect(id, **more))
    assert connack.reason_code == reason and peer.ended and not world.gateway.readers


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04read", b"\x20\x02\x00\x01"),
        (b"\x10\x12\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x04read", b"\x20\x02\x00\x01"),
        (b"\x10\x10\x00\x04MQTT\x06\x02\x00\x3c\x00\x04read", b"\x20\x03\x00\x84\x00"),
    ],
)
def test_other_versions_are_refused_in_their_own_words(
    world: MqttWorld, head: bytes, expected: bytes
) -> None:
    """3.1 and 3.1.1 read return code 1; what is newer than 5 reads reason 0x84 in the form of 5."""
    peer = world.dial()
    got = bytearray()
    peer.receive = got.extend  # type: ignore[method-assign,assignment]
    world.round((peer, head))
    assert bytes(got) == expected and peer.ended


def test_the_proof_of_the_frames_sign_on(world: MqttWorld) -> None:
    """Enhanced authentication: HELLO, CHALLENGE, AUTH, WELCOME as data; each side proves the key."""
    peer, told = prove(world, KEY)
    assert isinstance(told, mqtt5.ConnAckPacket) and told.reason_code == 0
    welcome: Any = m.decode(m.Welcome.TYPE, told.authentication_data or b"")
    assert welcome.mac == engine_mac(KEY, *peer.conversation)  # type: ignore[attr-defined]
    assert only(peer.say(subscribe("r0"), peer.publish(scan(1))), PubAckPacket).reason_code == 0


def prove(world: MqttWorld, key: bytes, id: str = "r0") -> tuple[MqttPeer, Any]:
    """Enhanced authentication up to the engine's last word."""
    peer = world.dial()
    greeting = m.encode(hello(id))
    packet = ConnectPacket("r0", authentication_method="liftgate-1", authentication_data=greeting)
    (challenge,) = peer.say(packet)
    peer.conversation = (greeting, challenge.authentication_data)  # type: ignore[attr-defined]
    proof = m.encode(m.Auth(client_mac(key, *peer.conversation)))  # type: ignore[attr-defined]
    auth = AuthPacket(
        reason_code=AuthReasonCode.CONTINUE_AUTHENTICATION,
        authentication_method="liftgate-1",
        authentication_data=proof,
    )
    return peer, peer.say(auth)[0]


@pytest.mark.parametrize(("key", "id"), [(bytes(32), "r0"), (KEY, "r1")])
def test_a_wrong_proof_is_refused(world: MqttWorld, key: bytes, id: str) -> None:
    """A wrong mac, or a HELLO for another id than the client's."""
    peer, connack = prove(world, key, id)
    assert connack.reason_code in (Refused.NOT_AUTHORIZED, Refused.PROTOCOL_ERROR)
    assert peer.ended and not world.gateway.readers


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"qos": QoS.EXACTLY_ONCE}, Reason.QOS_NOT_SUPPORTED),
        ({"qos": QoS.AT_MOST_ONCE}, Reason.QOS_NOT_SUPPORTED),
        ({"retain": True}, Reason.RETAIN_NOT_SUPPORTED),
        ({"packet_id": 0}, Reason.PROTOCOL_ERROR),
        ({"topic_alias": 9}, Reason.TOPIC_ALIAS_INVALID),
        ({"topic_alias": 1, "topic": ""}, Reason.TOPIC_ALIAS_INVALID),
        ({"correlation_data": bytes(65)}, Reason.QUOTA_EXCEEDED),
        ({"user_properties": [("boot", "x")]}, Reason.PAYLOAD_FORMAT_INVALID),
        ({"payload": b"\x91\x01"}, Reason.PAYLOAD_FORMAT_INVALID),
        ({"payload": b"\xc1"}, Reason.PAYLOAD_FORMAT_INVALID),
    ],
)
def test_a_publish_that_breaks_the_rules_ends_it(
    world: MqttWorld, more: dict[str, Any], reason: Reason
) -> None:
    """DISCONNECT with the reason; what was published before it is acknowledged."""
    reader = world.mqtt_reader()
    got = reader.say(reader.publish(scan(1)), reader.publish(scan(2), **more))
    assert only(got, DisconnectPacket).reason_code == reason and got[-1] is only(got, DisconnectPacket)
    assert [packet.packet_id for packet in reader.of(PubAckPacket, got) if packet.reason_code == 0] == [1]
    assert reader.ended and world.lot.readers["r0"].numbering(7).done_to == 1


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("liftgate/v1/r1/up/10", 0x87),
        ("liftgate/v1/r0/up/1", 0x90),
        ("x", 0x90),
        ("liftgate/v1/r0/up/01", 0x90),
    ],
)
def test_topics_of_others_are_refused_and_no_more(world: MqttWorld, topic: str, reason: int) -> None:
    """PUBACK says so, and the reader goes on."""
    reader = world.mqtt_reader()
    refused = only(reader.say(reader.publish(scan(1), topic=topic)), PubAckPacket)
    assert refused.reason_code == reason and not reader.ended
    assert only(reader.say(reader.publish(scan(1))), PubAckPacket).reason_code == 0


@pytest.mark.parametrize(
    "pattern", ["liftgate/v1/r1/down/#", "#", "liftgate/v1/r0/up/#", "$share/a/liftgate/v1/r0/down/#"]
)
def test_only_own_topics_are_subscribed_to(world: MqttWorld, pattern: str) -> None:
    """Any other filter than down/# of the reader's own is refused by its code."""
    reader, _ = world.sign_on()
    (suback,) = reader.say(subscribe("r0", pattern))
    assert suback.reason_codes[0] in (0x87, 0x9E)
    assert reader.of(PublishPacket, reader.say(reader.publish(scan(1)))) == []


def test_a_number_sent_twice_gets_the_first_answer(world: MqttWorld) -> None:
    """Sent again with DUP or as a new packet, over MQTT or over TCP: decided once, answered alike."""
    reader = world.mqtt_reader()
    first = only(reader.say(reader.publish(scan(1, b"car"))), PublishPacket)
    again = only(reader.say(reader.publish(scan(1, b"car"), duplicate=True)), PublishPacket)
    assert first.payload == again.payload
    tcp = world.reader("r0")
    assert only(reader.taken(), DisconnectPacket).reason_code == Reason.SESSION_TAKEN_OVER and reader.ended
    (decision,) = tcp.ask(scan(1, b"car"))
    assert m.encode(decision) == first.payload and world.lot.counts()["occupancy"] == 1
    back = world.mqtt_reader()
    assert tcp.ended and [type(each) for each in tcp.take()] == [m.Goodbye]
    assert only(back.say(back.publish(scan(1, b"car"))), PublishPacket).payload == first.payload


def test_boot_may_come_with_each_publish(world: MqttWorld) -> None:
    """As through a broker, which hides CONNECT: each PUBLISH names its numbering, and they do not mix."""
    reader = world.mqtt_reader(user_properties=[])
    got = reader.say(
        reader.publish(scan(1, b"a"), user_properties=[("boot", "7")]),
        reader.publish(scan(1, b"b"), user_properties=[("boot", "8")]),
        reader.publish(scan(2, b"c")),
    )
    assert [body_of(packet).no for packet in reader.of(PublishPacket, got)] == [1, 1, 2]
    numberings = world.lot.readers["r0"].numberings
    assert numberings[7].done_to == 1 and numberings[8].done_to == 2


def test_an_event_without_boot_is_refused(world: MqttWorld) -> None:
    """There is no name to keep it under."""
    reader = world.mqtt_reader(user_properties=[])
    got = reader.say(reader.publish(scan(1)))
    assert only(got, DisconnectPacket).reason_code == Reason.PAYLOAD_FORMAT_INVALID


def test_topic_aliases(world: MqttWorld) -> None:
    """The topic is said once, then its number stands for it."""
    reader = world.mqtt_reader()
    reader.say(reader.publish(scan(1), topic_alias=2))
    assert only(reader.say(reader.publish(scan(2), topic="", topic_alias=2)), PubAckPacket).reason_code == 0
    assert world.lot.counts()["occupancy"] == 2


def test_the_other_messages_of_readers(world: MqttWorld) -> None:
    """PASSAGE, LANE_STATUS, REPLAY, TIME_ASK and PING are answered as over TCP, the backlog last; GOODBYE
    ends.
    """
    reader = world.mqtt_reader()
    entry = m.ReplayEntry(m.Scan.TYPE, m.OPEN, msgspec.Raw(m.encode(scan(4))))
    got = reader.say(
        reader.publish(scan(1)),
        reader.publish(m.Passage(2, START_MS, ENTRY, 1, None)),
        reader.publish(m.LaneStatus(3, START_MS, ENTRY, 0, False, ())),
        reader.publish(m.Replay((entry,))),
        reader.publish(m.TimeAsk(5), qos=QoS.AT_MOST_ONCE),
        reader.publish(m.Ping()),
    )
    kinds = [type(body_of(packet)) for packet in reader.of(PublishPacket, got)]
    assert kinds == [m.Decision, m.Ack, m.Ack, m.Time, m.Pong, m.Replayed]
    assert len(reader.of(PubAckPacket, got)) == 5
    reader.say(reader.publish(m.Goodbye("done")))
    assert reader.ended


def test_orders_reach_the_reader(world: MqttWorld) -> None:
    """VEND comes with a correlation that DONE repeats, and expires before it is history."""
    reader = world.mqtt_reader()
    service = world.service()
    (outcome,) = service.ask(m.CommandMessage(bytes(16), "north", "open_lane", ORDER))
    assert isinstance(outcome, m.Outcome) and outcome.ok
    vend = only(reader.taken(), PublishPacket)
    assert vend.topic.endswith("/down/20") and body_of(vend) == m.Vend(0, "help")
    assert vend.message_expiry_interval == 10 and topics.parse_ref(vend.correlation_data)
    done = reader.publish(m.Done(True, ""), correlation_data=vend.correlation_data)
    assert only(reader.say(done), PubAckPacket).reason_code == 0


def test_an_error_that_is_not_fatal_refuses_that_publish(world: MqttWorld) -> None:
    """On a full disk PUBACK is 0x83 with ERROR's code, ERROR comes down too, and the reader stays."""
    reader = world.mqtt_reader()
    world.storage.faults.bytes_max = sum(world.storage.open(name).size for name in world.storage.names())
    world.engine.room_bytes = 1 << 30
    got = reader.say(reader.publish(scan(1)))
    puback, error = only(got, PubAckPacket), body_of(only(got, PublishPacket))
    assert puback.reason_code == 0x83 and puback.reason_str.startswith("12 ")
    assert error.code == 12 and not error.fatal and not reader.ended


def test_more_than_the_receive_maximum_ends_it(world: MqttWorld) -> None:
    """The 65th unacknowledged PUBLISH in one burst; the 64 before it are acknowledged."""
    reader = world.mqtt_reader()
    got = reader.say(*(reader.publish(scan(no)) for no in range(1, 66)))
    assert only(got, DisconnectPacket).reason_code == Reason.RECEIVE_MAX_EXCEEDED
    assert len(reader.of(PubAckPacket, got)) == 64


def test_the_clients_receive_maximum_holds(world: MqttWorld) -> None:
    """So many answers are unacknowledged at once; each PUBACK lets the next one go, in order."""
    reader = world.mqtt_reader(receive_max=2)
    got = reader.say(*(reader.publish(scan(no)) for no in range(1, 6)))
    seen = []
    while down := reader.of(PublishPacket, got):
        assert len(down) <= 2
        seen += [body_of(packet).no for packet in down]
        reader.acknowledge(down)
        got = reader.taken()
    assert seen == [1, 2, 3, 4, 5] and len(reader.of(PubAckPacket, got)) == 0


def test_a_reader_that_never_acknowledges_is_dropped(world: MqttWorld) -> None:
    """What waits for it is bounded by output_bytes_max; beyond it DISCONNECT says so."""
    reader = world.mqtt_reader(receive_max=1)
    reader.link.in_flight_max = 64
    no = 0
    while not reader.ended:
        reader.say(*(reader.publish(scan(number)) for number in range(no + 1, no + 61)))
        no += 60
        assert no < 3000
    assert no > 600 and reader.link.session.waiting_bytes < 300_000  # type: ignore[attr-defined]


def test_a_slow_socket_is_bounded(world: MqttWorld) -> None:
    """A reader that leaves its output unread is dropped after 10 s, or at output_bytes_max."""
    reader = world.mqtt_reader()
    reader.room = 0
    reader.say(reader.publish(scan(1)))
    assert reader.link.backlog
    world.wait(9)
    assert not reader.ended
    world.wait(3)
    assert reader.ended


def test_keep_alive_is_the_clients(world: MqttWorld) -> None:
    """Silent for one and a half times its keep alive: DISCONNECT 0x8D. PINGREQ keeps it."""
    silent, lively = world.mqtt_reader("r0", keep_alive=4), world.mqtt_reader("r1", keep_alive=4)
    for _ in range(8):
        world.wait(1)
        answer = lively.say(mqtt5.PingReqPacket())
        assert isinstance(answer[-1], mqtt5.PingRespPacket)
    assert only(silent.taken(), DisconnectPacket).reason_code == Reason.KEEP_ALIVE_TIMEOUT
    assert silent.ended and not lively.ended


def test_strangers_make_room_and_run_out_of_time(world: MqttWorld) -> None:
    """A connection that says nothing ends after 5 s; one that only sent noise at once, untold."""
    quiet, noisy = world.dial(), world.dial()
    world.round((noisy, b"\x30\x00"))
    assert noisy.ended and noisy.taken() == []
    world.wait(6)
    assert quiet.ended and quiet.taken() == [] and not world.gateway.strangers


def test_a_second_connect_ends_it(world: MqttWorld) -> None:
    """Protocol error, by the standard's words."""
    reader = world.mqtt_reader()
    assert only(reader.say(connect()), DisconnectPacket).reason_code == Reason.PROTOCOL_ERROR


def test_stopping_says_so(world: MqttWorld) -> None:
    """An orderly stop is DISCONNECT 0x8B."""
    reader = world.mqtt_reader()
    world.gateway.begin(world.now_ms)
    world.gateway.stop()
    world.finish()
    assert only(reader.taken(), DisconnectPacket).reason_code == Reason.SERVER_SHUTTING_DOWN


def test_peers_of_both_kinds_share_rounds(world: MqttWorld) -> None:
    """Frames and packets of one round are decided in order and answered each in its own form."""
    mqtt, tcp = world.mqtt_reader("r0"), world.reader("r1")
    world.round((mqtt, mqtt.publish(scan(1, b"x")).write()), (tcp, tcp.frame(scan(1, b"x"))))
    assert body_of(only(mqtt.taken(), PublishPacket)).verdict == m.OPEN
    (decision,) = Peer.take(tcp)
    assert isinstance(decision, m.Decision)


def test_a_ticket_is_acknowledged_when_it_is_decided() -> None:
    """A signature is checked beside the loop: PUBACK and DECISION come with the round that decides, and what
    was published behind it does not wait."""
    world = MqttWorld(ticket_config())
    reader = world.mqtt_reader()
    ticket = reader.publish(show(1, signed()), correlation_data=b"ticket")
    got = reader.say(ticket, reader.publish(scan(2), correlation_data=b"card"))
    assert [packet.packet_id for packet in reader.of(PubAckPacket, got)] == [2]
    world.round()
    puback, publish = reader.taken()
    assert (puback.packet_id, publish.correlation_data) == (1, b"ticket")
    assert body_of(publish).verdict == m.OPEN
