"""Registered readers on MQTT: a dead key ends their connection, as it does over frames."""

from typing import Any

import mqtt5
from mqtt5 import DisconnectReasonCode as Reason

from liftgate.codecs import messages as m
from liftgate.codecs.keywrap import wrap
from liftgate.codecs.mqtt import topics
from liftgate.configs.schema import Key
from tests.gateways.mqtt.clients import MqttPeer, MqttWorld
from tests.gateways.network import ENTRY, START_MS, make_config, scan

WRAPPING = Key(b"w" * 32)
ONE, TWO = bytes([1]) * 32, bytes([2]) * 32
LANES = [{"number": ENTRY, "direction": "entry", "area": "north", "confirm": False}]
KEEP = {"session_expiry_interval": 60}


class Site(MqttWorld):
    """A world with a registry, a desk, and the reader "new" in it under key ONE."""

    def __init__(self) -> None:
        super().__init__(make_config(registry_key=WRAPPING))
        self.orders = 0
        self.desk = self.service()
        self.order("add_reader", key=wrap(WRAPPING, ONE), lanes=LANES)

    def order(self, name: str, **args: Any) -> None:
        self.orders += 1
        id = self.orders.to_bytes(16, "big")
        command = m.CommandMessage(id, "north", name, {"actor": "jo", "reader": "new", **args})
        (outcome,) = self.desk.ask(command)
        assert isinstance(outcome, m.Outcome) and outcome.ok, outcome


def disconnected(peer: MqttPeer) -> int:
    (packet,) = peer.of(mqtt5.DisconnectPacket, peer.taken())
    assert peer.ended
    return int(packet.reason_code)


def test_a_registered_reader_signs_on_until_it_is_revoked() -> None:
    """By DISCONNECT 0x98, and its key is a wrong one from then on."""
    site = Site()
    reader = site.mqtt_reader("new", password=ONE)
    assert reader.of(mqtt5.PubAckPacket, reader.say(reader.publish(scan(1))))[0].reason_code == 0
    site.order("revoke_reader")
    assert disconnected(reader) == int(Reason.ADMINISTRATIVE_ACTION)
    assert site.sign_on("new", password=ONE)[1].reason_code == 0x86


def test_both_keys_are_good_while_one_is_rotated() -> None:
    """The first use of the new one ends the old one's connection, as a newer one of the same reader does."""
    site = Site()
    old = site.mqtt_reader("new", password=ONE)
    site.order("rotate_reader_key", key=wrap(WRAPPING, TWO))
    assert not old.ended
    assert site.sign_on("new", password=TWO)[1].reason_code == 0
    assert old.ended and site.sign_on("new", password=ONE)[1].reason_code == 0x86


def test_the_will_of_a_revoked_reader_is_nobodys_word() -> None:
    """What it left to be recorded goes with its key."""
    site = Site()
    status = m.LaneStatus(5, START_MS, ENTRY, 3, False, ("gone",))
    topic = topics.up("new", m.LaneStatus.TYPE)
    will = mqtt5.Will(topic, payload=m.encode(status), qos=mqtt5.QoS.AT_LEAST_ONCE, will_delay_interval=5)
    site.hang_up(site.mqtt_reader("new", password=ONE, will=will, **KEEP))
    site.order("revoke_reader")
    site.wait(7)
    assert not site.lot.readers["new"].numbering(7).has(5)
