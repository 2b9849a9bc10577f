"""A lot with tickets and tags, and what is held before its readers."""

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftgate.codecs import messages as m
from liftgate.codecs.credentials import ntag424, ticket
from liftgate.codecs.credentials.ntag424 import TagKeys
from liftgate.codecs.credentials.ticket import Ticket
from liftgate.configs.schema import Config, Key
from liftgate.gateways.prover import Answer, PromptProver
from tests.gateways.network import ENTRY, START_MS, Peer, World, make_config

SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw()
MAC_SECRET, TAG_SECRET = Key(bytes(range(2, 34))), Key(bytes(range(3, 35)))
TAG = TagKeys("t1", TAG_SECRET[:16], TAG_SECRET[16:])
UID = bytes.fromhex("04DE5F1EACC040")
QR, SUN = 1, 3
START_S = START_MS // 1000

RULES: dict[str, Any] = {
    "keys": [{"kid": "2026a", "public": PUBLIC.hex()}, {"kid": "m1", "alg": "hmac"}],
    "tags": {"keys": ["t1"]},
}


def ticket_config(**made: Any) -> Config:
    """As make_config, with tickets signed or MACed, and tags."""
    config = make_config(**made)
    secrets = {"m1": MAC_SECRET, "t1": TAG_SECRET}
    lot = msgspec.structs.replace(config.lots[0], rules={"tickets": RULES}, secrets=secrets)
    return msgspec.structs.replace(config, lots=(lot,))


def ticket_world(**made: Any) -> World:
    return World(ticket_config(**made))


def claims(number: int = 1, **said: Any) -> Ticket:
    """A ticket for the lot, good for an hour."""
    usual = {"cti": number.to_bytes(8, "big"), "lot": "north", "expires_s": START_S + 3600}
    return Ticket(**(usual | said))


def signed(number: int = 1, secret: bytes = SECRET, kid: str = "2026a", **said: Any) -> bytes:
    return ticket.issue(claims(number, **said), kid, "ed25519", secret)


def maced(number: int = 1, **said: Any) -> bytes:
    return ticket.issue(claims(number, **said), "m1", "hmac", MAC_SECRET)


def tapped(counter: int) -> bytes:
    return ntag424.tap(TAG, UID, counter)


def show(no: int, token: bytes, kind: int = QR, lane: int = ENTRY) -> m.Scan:
    """A token before a reader."""
    return m.Scan(no, START_MS, lane, kind, token)


def decided(peer: Peer, *messages: m.Message) -> list[tuple[int, int, int]]:
    """Send them, let one more round come, and give (no, verdict, reason) of what was decided."""
    answers = peer.ask(*messages)
    peer.world.round()
    answers += peer.take()
    return [(each.no, each.verdict, each.reason) for each in answers if isinstance(each, m.Decision)]


class Slow(PromptProver):
    """A prover that finds nothing out before it is `done`."""

    done = False

    def answers(self) -> list[Answer]:
        return super().answers() if self.done else []
