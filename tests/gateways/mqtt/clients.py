"""MQTT readers on the sans-I/O world of `tests/gateways/network.py`: packets in, packets out."""

from typing import Any, TypeVar

import mqtt5
from mqtt5 import ConnectPacket, PubAckPacket, PublishPacket, QoS, SubscribePacket, TopicFilter

from liftgate.codecs import messages as m
from liftgate.codecs.frame import BODY_BYTES_LIMIT
from liftgate.codecs.mqtt import topics
from liftgate.codecs.mqtt.packets import PacketReader
from liftgate.gateways.mqtt.listener import Listener
from tests.gateways.network import KEY, Peer, World, make_config

BOOT = ("boot", "7")
OLD_CONNACK = b"\x20\x02\x00\x01"
"""What who speaks MQTT 3.1 is told in its own language: no packet of MQTT 5."""
P = TypeVar("P")


class MqttPeer(Peer):
    """The other end of one MQTT link.

    packets: received and not taken yet; acknowledges: PUBACKs what comes down at once, in the next round.
    """

    def __init__(self, world: World, link: Any) -> None:
        super().__init__(world, link)
        self.reader = PacketReader()
        self.reader.packet_bytes_max = 2 * BODY_BYTES_LIMIT
        self.packets: list[Any] = []
        self.ids = 0

    def receive(self, data: bytes) -> None:
        if data == OLD_CONNACK:
            self.packets.append(data)
            return
        self.reader.feed(data)
        while (packet := self.reader.take()) is not None:
            self.packets.append(packet)

    def say(self, *packets: Any) -> list[Any]:
        """Send them in one piece; what came back in that round."""
        self.world.round((self, b"".join(packet.write() for packet in packets)))
        return self.taken()

    def taken(self) -> list[Any]:
        """What was received since the last call."""
        packets, self.packets = self.packets, []
        return packets

    def of(self, kind: type[P], packets: list[Any]) -> list[P]:
        """Those of one kind."""
        return [packet for packet in packets if isinstance(packet, kind)]

    def publish(self, message: m.Message, **more: Any) -> PublishPacket:
        """A message as the packet of this reader's, QoS 1 unless said otherwise."""
        self.ids += 1
        more.setdefault("qos", QoS.AT_LEAST_ONCE)
        more.setdefault("packet_id", None if more["qos"] == QoS.AT_MOST_ONCE else self.ids)
        topic = more.pop("topic", topics.up(self.link.id, message.TYPE))
        return PublishPacket(topic, more.pop("payload", m.encode(message)), **more)

    def acknowledge(self, packets: list[Any]) -> None:
        """PUBACK every PUBLISH among them."""
        ids = [packet.packet_id for packet in self.of(PublishPacket, packets)]
        self.world.round((self, b"".join(PubAckPacket(id).write() for id in ids if id is not None)))


class MqttWorld(World):
    """A world with an MQTT listener beside the one for frames."""

    def _start(self) -> None:
        super()._start()
        self.mqtt = Listener(self.gateway)

    def _send(self, peer: Peer, data: bytes) -> None:
        super()._send(peer, peer.link.wrap(data))

    def dial(self) -> MqttPeer:
        """A new MQTT connection."""
        link = self.gateway.connect("peer", self.mqtt.link)
        assert link is not None
        link.handle = 1
        peer = MqttPeer(self, link)
        self.peers[link] = peer
        return peer

    def sign_on(self, id: str = "r0", **more: Any) -> tuple[MqttPeer, mqtt5.ConnAckPacket]:
        """A reader with its key, and the CONNACK that it got."""
        peer = self.dial()
        (connack, *rest) = peer.say(connect(id, **more))
        peer.packets = rest
        return peer, connack

    def mqtt_reader(self, id: str = "r0", **more: Any) -> MqttPeer:
        """A reader that is signed on and subscribed."""
        peer, connack = self.sign_on(id, **more)
        assert connack.reason_code == 0, connack
        (suback,) = peer.of(mqtt5.SubAckPacket, peer.say(subscribe(id)))
        assert suback.reason_codes == [1]
        return peer


def connect(id: str = "r0", **more: Any) -> ConnectPacket:
    """CONNECT of a standard client."""
    more.setdefault("password", KEY.hex().encode())
    more.setdefault("user_properties", [BOOT])
    more.setdefault("keep_alive", 10)
    return ConnectPacket(id, **more)


def subscribe(id: str, pattern: str = "", packet_id: int = 60_000) -> SubscribePacket:
    """SUBSCRIBE to what is for that reader, or to something else."""
    wanted = TopicFilter(pattern or topics.down_filter(id), max_qos=QoS.AT_LEAST_ONCE)
    return SubscribePacket(packet_id, [wanted])


def body_of(packet: PublishPacket) -> Any:
    """The message in a PUBLISH to a reader."""
    topic = topics.parse_down(packet.topic)
    assert topic is not None, packet.topic
    return m.decode(topic.kind, packet.payload)


def make_world(**engine: Any) -> MqttWorld:
    """A world of 1,000 spots."""
    return MqttWorld(make_config(spots=1000, **engine))
