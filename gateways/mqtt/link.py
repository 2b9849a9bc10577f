"""A reader's connection that speaks MQTT 5, with the dialogue of frames inside.

What a reader publishes becomes the frame that it would have sent over TCP, and every frame for it becomes a
PUBLISH or an acknowledgement when it leaves, which is after the commit: so all that holds for frames (once,
durable, bounds, errors) holds here by the same code. Rejected: a dialogue of its own, which saves one CRC and
some copies a message, and would have to be proven all over again.
"""

from typing import TYPE_CHECKING, Any

import mqtt5
import structlog
from mqtt5 import ConnAckReasonCode as Refused
from mqtt5 import DisconnectReasonCode as Reason
from mqtt5 import PubAckPacket, PubAckReasonCode, QoS, SubAckReasonCode, UnsubAckReasonCode

from liftgate.codecs import messages as m
from liftgate.codecs import raw
from liftgate.codecs.frame import HEADER_BYTES, Fault, PeerError, frame
from liftgate.codecs.mqtt import topics
from liftgate.codecs.mqtt.packets import OtherVersion, PacketError, PacketReader
from liftgate.gateways.link import SIGN_ON_MS, STALLED_MS, Link
from liftgate.gateways.mqtt import connect, reasons
from liftgate.gateways.mqtt.session import Session, Sessions

if TYPE_CHECKING:
    from liftgate.gateways.gateway import Gateway

log = structlog.get_logger()

CORRELATION_BYTES_MAX = 64
"""Kept until the answer leaves, for each PUBLISH in flight."""

_NUMBERED = frozenset({m.Scan.TYPE, m.Passage.TYPE, m.LaneStatus.TYPE, m.Replay.TYPE})
_UNANSWERED = frozenset({m.Done.TYPE, m.Time.TYPE, m.Pong.TYPE, m.Goodbye.TYPE, m.Error.TYPE})
_SIGN_ON = frozenset({m.Hello.TYPE, m.Auth.TYPE})
_OLD_CONNACK = b"\x20\x02\x00\x01"
"""CONNACK in the form of 3.1 and 3.1.1: unacceptable protocol version. Theirs cannot read that of 5."""


class MqttLink(Link):
    """One MQTT connection of a reader.

    session: once it signed on; connected: CONNECT came; keep_alive_s: 0 = none; explains: the client wants
    reason strings.
    """

    def __init__(self, gateway: "Gateway", peer: str, steady_ms: int, sessions: Sessions) -> None:
        super().__init__(gateway, peer, steady_ms)
        self.wraps = True
        self.sessions = sessions
        self.session: Session | None = None
        self.connecting: mqtt5.ConnectPacket | None = None
        self.keep_alive_s = 0
        self.explains = True
        self.packets = PacketReader()
        self._prefix = ""
        self._kinds: dict[bytes, int] = {}
        self._knows = False
        self._aliases: dict[int, str] = {}
        self._asked: dict[int, tuple[int, bytes | None]] = {}
        self._asked_ref = 0
        self._frames: list[bytes] = []
        self._ready: list[bytes] = []
        self._last = b""
        self._said_last = False

    # -- what comes in

    def receive(self, data: bytes) -> None:
        """Take what the peer sent (b"": it closed)."""
        if self.closing or self.closed or not data:
            Link.receive(self, data)
            return
        self.heard_ms = self.gateway.steady_ms
        packets = self.packets
        packets.feed(data)
        try:
            while not self.closing:
                if self._knows and self._take_quickly(packets):
                    continue
                packet = packets.take()
                if packet is None:
                    break
                self._handle(packet)
            self.decide_frames()
        except PacketError as error:
            self.decide_frames()
            self._break(error)
        if self._ready or self.closing:
            self.gateway.own(self)

    def _take_quickly(self, packets: PacketReader) -> bool:
        """Take the next packet if it is one of the two that nearly all are, as most clients send them: PUBACK
        that says no more than its packet id, PUBLISH of QoS 1 without properties to an own topic.

        Everything else the codec reads. It costs three times as much a message, most of it objects.
        """
        head, body_at, end = packets.peek()
        if head == 0x40 and end - body_at == 2:
            data = packets.data
            self._have(data[body_at] << 8 | data[body_at + 1])
            packets.at = end
            return True
        if head != 0x32 or not self.boot or end - body_at < 5:
            return False
        data = packets.data
        topic_end = body_at + 2 + (data[body_at] << 8 | data[body_at + 1])
        kind = self._kinds.get(data[body_at + 2 : topic_end], 0)
        if not kind or topic_end + 3 > end or data[topic_end + 2]:
            return False
        packet_id = data[topic_end] << 8 | data[topic_end + 1]
        if not packet_id or len(self._asked) >= self.in_flight_max:
            return False
        ref = self._asked_ref = self._asked_ref % 0xFFFFFFFF + 1
        self._asked[ref] = (packet_id, None)
        self._frames.append(frame(kind, ref, data[topic_end + 3 : end]))
        packets.at = end
        return True

    def _handle(self, packet: mqtt5.Packet) -> None:
        handler = _HANDLERS.get(type(packet))
        if handler is None or (self.session is None and handler not in _BEFORE_SIGN_ON):
            raise PacketError(Reason.PROTOCOL_ERROR, f"{type(packet).__name__} is not legal now")
        handler(self, packet)

    def _connect(self, packet: mqtt5.ConnectPacket) -> None:
        if self.connecting is not None:
            raise PacketError(Reason.PROTOCOL_ERROR, "a second CONNECT")
        self.connecting = packet
        self.explains = packet.request_problem_info
        connect.begin(self, packet)

    def _auth(self, packet: mqtt5.AuthPacket) -> None:
        if self.role or self.connecting is None:
            raise PacketError(Reason.PROTOCOL_ERROR, "AUTH is not legal now")
        connect.proceed(self, packet)

    def _publish(self, packet: mqtt5.PublishPacket) -> None:
        if packet.qos == QoS.EXACTLY_ONCE:
            raise PacketError(Reason.QOS_NOT_SUPPORTED, "QoS 1 is the highest")
        if packet.retain:
            raise PacketError(Reason.RETAIN_NOT_SUPPORTED, "nothing is retained")
        lasting = packet.qos == QoS.AT_LEAST_ONCE
        if lasting and not packet.packet_id:
            raise PacketError(Reason.PROTOCOL_ERROR, "packet id 0")
        topic = self._topic(packet)
        kind = topics.kind_of(topic[len(self._prefix) :]) if topic.startswith(self._prefix) else None
        correlation = packet.correlation_data
        if kind is None or kind in _SIGN_ON:
            self._refuse_publish(packet, topic)
            return
        if not lasting and kind in _NUMBERED:
            raise PacketError(Reason.QOS_NOT_SUPPORTED, "events are published with QoS 1")
        if correlation is not None and len(correlation) > CORRELATION_BYTES_MAX:
            raise PacketError(
                Reason.QUOTA_EXCEEDED, f"correlation data: at most {CORRELATION_BYTES_MAX} bytes"
            )
        if packet.user_properties or kind in _NUMBERED:
            self._rename(packet, kind)
        if kind in _UNANSWERED:
            if packet.packet_id:
                self._ready.append(PubAckPacket(packet.packet_id).write())
            self._frames.append(frame(kind, topics.parse_ref(correlation), packet.payload))
            return
        if len(self._asked) >= self.in_flight_max:
            raise PacketError(Reason.RECEIVE_MAX_EXCEEDED, f"more than {self.in_flight_max} in flight")
        ref = self._asked_ref = self._asked_ref % 0xFFFFFFFF + 1
        self._asked[ref] = (packet.packet_id or 0, correlation)
        self._frames.append(frame(kind, ref, packet.payload))

    def _topic(self, packet: mqtt5.PublishPacket) -> str:
        alias = packet.topic_alias
        if alias is None:
            return packet.topic
        if alias > connect.TOPIC_ALIASES_MAX or not (packet.topic or alias in self._aliases):
            raise PacketError(Reason.TOPIC_ALIAS_INVALID, f"topic alias {alias}")
        if packet.topic:
            self._aliases[alias] = packet.topic
        return self._aliases[alias]

    def _refuse_publish(self, packet: mqtt5.PublishPacket, topic: str) -> None:
        """Not this reader's topic, or none at all: that PUBLISH is refused, and nothing else."""
        if packet.packet_id:
            other = topics.parse_up(topic)
            foreign = other is not None and other.reader != self.id
            reason = PubAckReasonCode.NOT_AUTHORIZED if foreign else PubAckReasonCode.TOPIC_NAME_INVALID
            self._ready.append(PubAckPacket(packet.packet_id, reason_code=reason).write())

    def _rename(self, packet: mqtt5.PublishPacket, kind: int) -> None:
        """Follow the boot that this PUBLISH names; what came before it is decided under the one before."""
        try:
            boot = topics.parse_boot(packet.user_properties)
        except ValueError as error:
            raise PacketError(Reason.PAYLOAD_FORMAT_INVALID, str(error)) from error
        if boot and boot != self.boot:
            self.decide_frames()
            self.boot, self.numbering = boot, None
        elif not self.boot and kind in _NUMBERED:
            raise PacketError(Reason.PAYLOAD_FORMAT_INVALID, "user property boot: in CONNECT or each PUBLISH")

    def decide_frames(self) -> None:
        """Decide what was published so far."""
        frames, self._frames = self._frames, []
        if frames and not self.closing:
            Link.receive(self, b"".join(frames))

    def feed_frame(self, kind: int, body: bytes) -> None:
        """Decide a message of sign-on."""
        Link.receive(self, frame(kind, 1, body))

    def _acknowledged(self, packet: mqtt5.PubAckPacket) -> None:
        self._have(packet.packet_id)

    def _have(self, packet_id: int) -> None:
        """The reader has that PUBLISH: the next may go."""
        if self.session is not None and (
            more := self.session.acknowledged(packet_id, self.gateway.steady_ms)
        ):
            self._ready.append(more)

    def _subscribe(self, packet: mqtt5.SubscribePacket) -> None:
        if packet.subscription_id is not None:
            raise PacketError(Reason.SUBSCRIPTION_IDS_NOT_SUPPORTED, "subscription identifiers")
        if not packet.packet_id or not packet.topic_filters:
            raise PacketError(Reason.PROTOCOL_ERROR, "SUBSCRIBE without packet id or filter")
        codes = [self._grant(wanted) for wanted in packet.topic_filters]
        self._ready.append(mqtt5.SubAckPacket(packet.packet_id, codes).write())

    def _grant(self, wanted: mqtt5.TopicFilter) -> SubAckReasonCode:
        if wanted.pattern.startswith("$share/"):
            return SubAckReasonCode.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
        if wanted.pattern != topics.down_filter(self.id) or self.session is None:
            return SubAckReasonCode.NOT_AUTHORIZED
        self.session.granted = min(int(wanted.max_qos), 1)
        return SubAckReasonCode(self.session.granted)

    def _unsubscribe(self, packet: mqtt5.UnsubscribePacket) -> None:
        if not packet.packet_id or not packet.patterns:
            raise PacketError(Reason.PROTOCOL_ERROR, "UNSUBSCRIBE without packet id or filter")
        codes = []
        for pattern in packet.patterns:
            had = self.session is not None and self.session.granted >= 0
            if pattern == topics.down_filter(self.id) and self.session is not None and had:
                self.session.granted = -1
                codes.append(UnsubAckReasonCode.SUCCESS)
            else:
                codes.append(UnsubAckReasonCode.NO_SUBSCRIPTION_EXISTED)
        self._ready.append(mqtt5.UnsubAckPacket(packet.packet_id, codes).write())

    def _pingreq(self, packet: mqtt5.PingReqPacket) -> None:
        self._ready.append(mqtt5.PingRespPacket().write())

    def _disconnect(self, packet: mqtt5.DisconnectPacket) -> None:
        self.decide_frames()
        session = self.session
        if session is not None:
            if packet.session_expiry_interval is not None:
                if packet.session_expiry_interval and not session.expiry_s:
                    raise PacketError(Reason.PROTOCOL_ERROR, "a session that was to end cannot be kept")
                session.expiry_s = connect.expiry_of(packet.session_expiry_interval)
            if packet.reason_code == Reason.NORMAL_DISCONNECTION:
                session.will = None
        self.close("goodbye")

    # -- what goes out

    def wrap(self, run: bytes) -> bytes:
        """The round's frames for this reader as MQTT packets. They are durable by now, and so is what is
        acknowledged with them.
        """
        if self._said_last:
            return b""
        out, self._ready = self._ready, []
        at = 0
        while at < len(run):
            kind, ref = run[at + 3], raw.get_u32_le(run, at + 8)
            body_at = at + HEADER_BYTES
            at = body_at + raw.get_u32_le(run, at + 4)
            self._say(out, kind, ref, run[body_at:at])
        session = self.session
        if session is not None and session.waiting_bytes > self.gateway.config.output_bytes_max:
            self.end(Reason.QUOTA_EXCEEDED, "too many unacknowledged")
        if self._last:
            out.append(self._last)
            self._said_last = True
        return b"".join(out)

    def _say(self, out: list[bytes], kind: int, ref: int, body: bytes) -> None:
        """One frame."""
        if kind == m.Challenge.TYPE or kind == m.Welcome.TYPE:
            out.append(connect.answer(self, kind, body))
        elif kind == m.Goodbye.TYPE:
            reason: Any = m.decode(kind, body)
            self.end(reasons.farewell_of(reason.reason), reason.reason)
        elif kind == m.Error.TYPE:
            self._say_error(out, ref, body)
        elif kind != m.Ping.TYPE:  # the keep alive is the client's to speak in
            self._answer(out, kind, ref, body, PubAckReasonCode.SUCCESS, "")

    def _answer(
        self, out: list[bytes], kind: int, ref: int, body: bytes, reason: PubAckReasonCode, text: str
    ) -> None:
        """PUBACK for what this frame answers, and the frame itself."""
        packet_id, correlation = 0, topics.pack_ref(ref) if ref else None
        if kind not in _OF_THE_ENGINE and ref:
            packet_id, correlation = self._asked.pop(ref, (0, None))
        if packet_id:
            said = text if self.explains and text else None
            out.append(PubAckPacket(packet_id, reason_code=reason, reason_str=said).write())
        if self.session is not None:
            out.append(self.session.publish(kind, body, correlation, self.gateway.steady_ms))

    def _say_error(self, out: list[bytes], ref: int, body: bytes) -> None:
        error: Any = m.decode(m.Error.TYPE, body)
        text = f"{error.code} {error.text}"
        if self.session is None:
            if self.connecting is not None:
                self._last = connect.refusal(reasons.connack_of(error.code), text)
            return
        self._answer(out, m.Error.TYPE, ref, body, reasons.puback_of(error.code), text)
        if error.fatal:
            self.end(reasons.disconnect_of(error.code), text)

    def put(self, packet: bytes) -> None:
        """Have a packet sent with this round."""
        self._ready.append(packet)

    def open_topics(self) -> None:
        """The reader's id is known: its topics are."""
        self._prefix = topics.up(self.id, 0).removesuffix("00")
        self._kinds = {topics.up(self.id, kind).encode(): kind for kind in _NUMBERED}
        self._knows = True

    def end(self, reason: Reason, text: str) -> None:
        """Say why with DISCONNECT, behind all else, and end."""
        if not self._last:
            said = text[:200] if self.explains else None
            self._last = mqtt5.DisconnectPacket(reason_code=reason, reason_str=said).write()
        self.closing = True

    def refuse_connect(self, packet: bytes, text: str) -> None:
        """Answer CONNECT with this CONNACK, and end."""
        log.info("mqtt.refused", peer=self.peer, text=text)
        self._last = packet
        self.closing = True

    def _break(self, error: PacketError) -> None:
        """The peer broke MQTT. Before CONNECT there is nothing that it could be told."""
        log.info("mqtt.refused", id=self.id, peer=self.peer, reason=int(error.reason), text=error.text)
        if self.closing:
            return
        if self.role:
            self.end(error.reason, error.text)
        elif isinstance(error, OtherVersion):
            old = error.level in (3, 4)
            self._last = _OLD_CONNACK if old else connect.refusal(Refused.UNSUPPORTED_PROTOCOL_VERSION)
        elif self.connecting is not None:
            self._last = connect.refusal(Refused.PROTOCOL_ERROR, error.text)
        self.closing = True

    def tick(self, steady_ms: int) -> None:
        """End what is too slow, or was silent for one and a half times its keep alive."""
        if self.closed:
            return
        if self.backlog and steady_ms - self.stalled_ms > STALLED_MS:
            self._drop(Fault.TOO_SLOW)
        elif not self.role:
            if steady_ms - self.opened_ms >= SIGN_ON_MS:
                self._drop(Fault.REFUSED)
        elif self.keep_alive_s and 2 * (steady_ms - self.heard_ms) >= 3000 * self.keep_alive_s:
            self.goodbye("silent")

    def _drop(self, code: Fault) -> None:
        if self.closing:
            self.close("ends too slowly")
        else:
            self.refuse(PeerError(code))


_OF_THE_ENGINE = frozenset({m.Vend.TYPE, m.SetLane.TYPE, m.Display.TYPE, m.Policy.TYPE, m.TimeAsk.TYPE})

_HANDLERS: dict[type[Any], Any] = {
    mqtt5.ConnectPacket: MqttLink._connect,
    mqtt5.AuthPacket: MqttLink._auth,
    mqtt5.PublishPacket: MqttLink._publish,
    mqtt5.PubAckPacket: MqttLink._acknowledged,
    mqtt5.SubscribePacket: MqttLink._subscribe,
    mqtt5.UnsubscribePacket: MqttLink._unsubscribe,
    mqtt5.PingReqPacket: MqttLink._pingreq,
    mqtt5.DisconnectPacket: MqttLink._disconnect,
}
_BEFORE_SIGN_ON = (MqttLink._connect, MqttLink._auth, MqttLink._disconnect)
