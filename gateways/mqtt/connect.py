"""CONNECT to CONNACK: who it is, by key or by proof, and what was agreed.

A standard client shows the key itself as its password, so it belongs behind TLS. A client that can do
enhanced authentication proves it by the messages of the frames' sign-on, and is shown the engine's proof.
"""

from hashlib import sha256
from typing import TYPE_CHECKING

import mqtt5
from mqtt5 import AuthReasonCode, ConnAckPacket, QoS
from mqtt5 import ConnAckReasonCode as Refused

from liftgate.codecs import messages as m
from liftgate.codecs.frame import PeerError
from liftgate.codecs.mqtt import topics
from liftgate.codecs.signon import same
from liftgate.gateways import signon
from liftgate.gateways.mqtt.session import EXPIRY_S_MAX, Will

if TYPE_CHECKING:
    from liftgate.gateways.mqtt.link import MqttLink

METHOD = "liftgate-1"
"""Authentication method: its data are the bodies of HELLO, CHALLENGE, AUTH and WELCOME."""

PACKET_BYTES_AROUND = 1024
"""Of a PUBLISH around its body at the most: topic, correlation data, some user properties."""

TOPIC_ALIASES_MAX = 8
"""A reader publishes to four topics as a rule."""


class ConnectRefused(Exception):
    """CONNACK with this reason."""

    def __init__(self, reason: Refused, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


def begin(link: "MqttLink", packet: mqtt5.ConnectPacket) -> None:
    """Let in who shows the key, or ask for the proof."""
    try:
        link.id = _id_of(packet)
        boot = _boot_of(packet)
        _check(link, packet)
        if packet.authentication_method is None:
            link.boot = boot
            _check_key(link, packet.password)
            _admit(link)
        elif packet.authentication_method == METHOD:
            link.feed_frame(m.Hello.TYPE, packet.authentication_data or b"")
        else:
            raise ConnectRefused(Refused.BAD_AUTHENTICATION_METHOD, f'only "{METHOD}", or a password')
    except ConnectRefused as error:
        link.id = f"({link.id})"  # what it called itself is no name to look anything up by
        link.refuse_connect(refusal(error.reason, error.text), error.text)


def proceed(link: "MqttLink", packet: mqtt5.AuthPacket) -> None:
    """The client's proof. What it said of itself in HELLO must be what CONNECT says."""
    connecting = link.connecting
    wrong = packet.reason_code != AuthReasonCode.CONTINUE_AUTHENTICATION
    if wrong or connecting is None or packet.authentication_method != METHOD or link.id != _id_of(connecting):
        link.refuse_connect(refusal(Refused.PROTOCOL_ERROR), "AUTH does not go with CONNECT")
        return
    link.asked_role = link.asked_role if link.asked_role == m.READER else 0
    link.feed_frame(m.Auth.TYPE, packet.authentication_data or b"")


def answer(link: "MqttLink", kind: int, body: bytes) -> bytes:
    """The engine's part of the proof: CHALLENGE as AUTH, WELCOME as CONNACK."""
    if kind == m.Challenge.TYPE:
        return mqtt5.AuthPacket(
            reason_code=AuthReasonCode.CONTINUE_AUTHENTICATION,
            authentication_method=METHOD,
            authentication_data=body,
        ).write()
    return _accept(link, body)


def refusal(reason: Refused, text: str = "") -> bytes:
    """A CONNACK that ends it. What a stranger did wrong in its sign-on it is not told."""
    told = reason not in (Refused.NOT_AUTHORIZED, Refused.BAD_USER_NAME_OR_PASSWORD)
    return ConnAckPacket(reason_code=reason, reason_str=text[:200] if told and text else None).write()


def expiry_of(asked_s: int) -> int:
    """How long a session is kept."""
    return min(asked_s, EXPIRY_S_MAX)


def _id_of(packet: mqtt5.ConnectPacket) -> str:
    """The reader's id: the client id; a user name may repeat it, or stand in where there is none."""
    id = packet.client_id or packet.username or ""
    if not 1 <= len(id) <= 64 or (packet.username is not None and packet.username != id):
        raise ConnectRefused(Refused.CLIENT_ID_NOT_VALID, "client id and user name are the reader's id")
    return id


def _boot_of(packet: mqtt5.ConnectPacket) -> int:
    try:
        return topics.parse_boot(packet.user_properties)
    except ValueError as error:
        raise ConnectRefused(Refused.PAYLOAD_FORMAT_INVALID, str(error)) from error


def _check(link: "MqttLink", packet: mqtt5.ConnectPacket) -> None:
    """What can be wrong whoever it is."""
    if not packet.receive_max:
        raise ConnectRefused(Refused.PROTOCOL_ERROR, "Receive Maximum 0")
    least = signon.FRAME_BYTES_MIN + PACKET_BYTES_AROUND
    if packet.max_packet_size is not None and packet.max_packet_size < least:
        raise ConnectRefused(Refused.PACKET_TOO_LARGE, f"Maximum Packet Size: at least {least}")
    if packet.will is not None:
        _will_of(link, packet.will, 1)


def _will_of(link: "MqttLink", will: mqtt5.Will, boot: int) -> Will:
    """A will is an event of the reader's, or nothing."""
    if will.retain:
        raise ConnectRefused(Refused.RETAIN_NOT_SUPPORTED, "nothing is retained")
    if will.qos != QoS.AT_LEAST_ONCE:
        raise ConnectRefused(Refused.QUALITY_NOT_SUPPORTED, "a will is published with QoS 1")
    topic = topics.parse_up(will.topic)
    if topic is None or topic.reader != link.id or topic.kind not in (m.Passage.TYPE, m.LaneStatus.TYPE):
        raise ConnectRefused(Refused.TOPIC_NAME_INVALID, "a will is a PASSAGE or LANE_STATUS of one's own")
    body = will.payload or b""
    try:
        m.decode(topic.kind, body)
        boot = topics.parse_boot(will.user_properties) or boot
    except (PeerError, ValueError) as error:
        raise ConnectRefused(Refused.PAYLOAD_FORMAT_INVALID, f"the will: {error}") from error
    if not boot:
        raise ConnectRefused(Refused.PAYLOAD_FORMAT_INVALID, "the will: under which boot?")
    return Will(topic.kind, body, boot, will.will_delay_interval)


def _check_key(link: "MqttLink", password: bytes | None) -> None:
    """The password is the key, as its 32 bytes or in hex. An unknown id takes as long as a wrong key."""
    gateway = link.gateway
    given = sha256(_key_in(password or b"")).digest()
    known = gateway.reader_key(link.id)
    found = False
    for place, key in enumerate(gateway.directory.tried(link.id)):
        if same(given, sha256(key).digest()) and place < len(known):
            link.key, found = key, True
    if not found:
        raise ConnectRefused(Refused.BAD_USER_NAME_OR_PASSWORD, "wrong key")


def _key_in(password: bytes) -> bytes:
    if len(password) == 64:
        try:
            return bytes.fromhex(password.decode("ascii"))
        except ValueError:
            return b""
    return password


def _admit(link: "MqttLink") -> None:
    """Shown by its key: go on as after WELCOME."""
    link.role = m.READER
    link.frame_bytes_max = link.gateway.config.frame_bytes_max
    link.conn.assume_reader(link.frame_bytes_max)
    signon.bind(link)
    link.put(_accept(link, None))
    signon.admit(link)


def _accept(link: "MqttLink", welcome: bytes | None) -> bytes:
    """CONNACK, and behind it what the session still has for this reader."""
    packet = link.connecting
    if packet is None:
        raise RuntimeError("CONNACK without CONNECT")
    gateway, config = link.gateway, link.gateway.config
    now_ms = gateway.steady_ms
    session, present = link.sessions.take(link.id, packet.clean_start, link, now_ms)
    link.session = session
    session.expiry_s = expiry_of(packet.session_expiry_interval)
    session.receive_max = min(packet.receive_max, config.in_flight_max)
    if packet.will is not None:
        session.will = _will_of(link, packet.will, link.boot)
    link.keep_alive_s = min(packet.keep_alive or config.heartbeat_s, config.heartbeat_s)
    link.packets.packet_bytes_max = config.frame_bytes_max + PACKET_BYTES_AROUND
    if packet.max_packet_size is not None:
        link.frame_bytes_max = min(link.frame_bytes_max, packet.max_packet_size - PACKET_BYTES_AROUND)
    link.open_topics()
    connack = ConnAckPacket(
        session_present=present,
        session_expiry_interval=session.expiry_s,
        assigned_client_id=None if packet.client_id else link.id,
        server_keep_alive=link.keep_alive_s if link.keep_alive_s != packet.keep_alive else None,
        authentication_method=None if welcome is None else METHOD,
        authentication_data=welcome,
        receive_max=config.in_flight_max,
        topic_alias_max=TOPIC_ALIASES_MAX,
        max_qos=QoS.AT_LEAST_ONCE,
        retain_available=False,
        max_packet_size=link.packets.packet_bytes_max,
        subscription_id_available=False,
        shared_subscription_available=False,
        user_properties=[("engine", config.name), ("at_ms", str(gateway.now_ms)), *_done_to(link)],
    )
    return b"".join([connack.write(), *session.resume(now_ms)])


def _done_to(link: "MqttLink") -> list[tuple[str, str]]:
    """Up to which number this boot's events are durable, where the boot is known already."""
    return [("done_to", str(link.own_numbering().done_to))] if link.boot else []
