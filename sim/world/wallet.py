"""What drivers hold before the readers of a lot with tickets: tickets and tags, some copied, some forged.

Each token is told to the auditor with what is true of it, by who made it, so that nothing has to be believed
of what the engine proved.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftgate.codecs.credentials import ntag424, ticket
from liftgate.codecs.credentials.ntag424 import TagKeys
from liftgate.codecs.credentials.ticket import Ticket
from liftgate.configs.schema import Key, LotConfig
from liftgate.sim.world.cars import QR, SUN, credential

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

SIGNED, MACED, TAGS, RETIRED = "s1", "m1", "t1", "s0"
HOUR_S = 3600


def secret(lot: str, kid: str) -> bytes:
    """The 32 bytes of a key: the same in every world, as nobody draws it."""
    return hashlib.sha256(f"{lot} {kid}".encode()).digest()


def public(lot: str, kid: str) -> str:
    """Of a key that signs, in hex digits."""
    return Ed25519PrivateKey.from_private_bytes(secret(lot, kid)).public_key().public_bytes_raw().hex()


def secrets_of(lot: LotConfig) -> dict[str, Key]:
    """Those that its rules of tickets need."""
    rules = lot.rules.get("tickets")
    return {} if rules is None else {kid: Key(secret(lot.id, kid)) for kid in (MACED, TAGS)}


class Wallet:
    """taps: how often each tag was held before a reader, by lot and card; said: what it said then."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tickets: dict[tuple[str, int], bytes] = {}
        self._taps: dict[tuple[str, int], int] = {}
        self._said: dict[tuple[str, int], list[bytes]] = {}

    def show(self, lot: LotConfig, card: int, rng: Random) -> tuple[int, bytes]:
        """Kind and token of a card of the population, as it is held before a reader of that lot now."""
        kind, token = credential(card)
        rules: dict[str, Any] | None = lot.rules.get("tickets")
        if rules is None or kind not in (QR, SUN):
            return kind, token
        if kind == QR:
            return kind, self._ticket(lot.id, card)
        return kind, self._tap(lot.id, card, rng) if "tags" in rules else token

    def _ticket(self, lot: str, card: int) -> bytes:
        """A card's ticket stays the same: who comes again with one for one entry is a copy."""
        token = self._tickets.get((lot, card))
        if token is None:
            token = self._tickets[lot, card] = self._issued(lot, card)
        return token

    def _issued(self, lot: str, card: int) -> bytes:
        start_s = self._world.shape.start_ms // 1000
        draws = Random(f"{lot} {card}")
        made = Ticket(
            cti=hashlib.sha256(f"{lot} ticket {card}".encode()).digest()[:8],
            lot=lot if draws.random() < 0.9 else "elsewhere",
            not_before_s=start_s if draws.random() < 0.9 else start_s + 2 * HOUR_S,
            expires_s=start_s + draws.choice((1, 4, 48)) * HOUR_S + 7,
            single_use=draws.random() < 0.6,
        )
        kid, alg = draws.choice(
            ((SIGNED, "ed25519"), (SIGNED, "ed25519"), (MACED, "hmac"), (RETIRED, "ed25519"))
        )
        token = ticket.issue(made, kid, alg, secret(lot, kid))
        if kid != RETIRED:
            claims = (made.lot, made.not_before_s, made.expires_s, made.single_use)
            self._world.auditor.genuine(lot, token, made.cti, claims, None)
        return token

    def _tap(self, lot: str, card: int, rng: Random) -> bytes:
        """Now and then what the tag said before is said again, or something that no tag said."""
        said = self._said.setdefault((lot, card), [])
        chance = rng.random()
        if said and chance < 0.15:
            return rng.choice(said)
        if chance < 0.2:
            return rng.randbytes(24)
        count = self._taps[lot, card] = self._taps.get((lot, card), 0) + 1
        key = secret(lot, TAGS)
        uid = b"\x04" + hashlib.sha256(f"{lot} tag {card}".encode()).digest()[:6]
        token = ntag424.tap(TagKeys(TAGS, key[:16], key[16:]), uid, count)
        said.append(token)
        self._world.auditor.genuine(lot, token, uid, None, count)
        return token
