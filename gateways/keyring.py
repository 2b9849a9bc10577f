"""The keys of a lot's tickets and tags: what its rules name, with the secrets that stand in no journal."""

from collections.abc import Mapping
from typing import Any

import structlog
from msgspec import Struct

from liftgate.codecs.credentials.keys import KeySet, VerifyKey
from liftgate.codecs.credentials.ntag424 import Names, TagKeys
from liftgate.configs.rules import read_theme
from liftgate.configs.rules.tickets import TicketKey, Tickets
from liftgate.engine.core.model import Lot

log = structlog.get_logger()

THEME = "tickets"


class Ring(Struct, frozen=True):
    """rules: the theme's plain data that it was made from, by which it is known to hold still."""

    rules: Any
    tickets: KeySet
    tags: tuple[TagKeys, ...]
    names: Names


class Keyring:
    """The rings of all lots, each made anew when the lot's rules are others.

    secrets: by lot and name.
    """

    def __init__(self, secrets: Mapping[str, Mapping[str, bytes]]) -> None:
        self.secrets = secrets
        self._rings: dict[str, Ring] = {}

    def of(self, lot: Lot) -> Ring | None:
        """The lot's, None where it has no rules of tickets."""
        rules = lot.rules.get(THEME)
        if rules is None:
            return None
        ring = self._rings.get(lot.id)
        if ring is None or ring.rules is not rules:
            ring = self._rings[lot.id] = self.made(lot.id, rules)
        return ring

    def made(self, lot: str, rules: Any) -> Ring:
        """The ring that these rules of a lot of that name come to."""
        theme = read_theme(THEME, rules)
        assert isinstance(theme, Tickets)
        secrets = self.secrets.get(lot, {})
        keys = [key for each in theme.keys if (key := _verify_key(lot, each, secrets)) is not None]
        tags = () if theme.tags is None else theme.tags.keys
        pairs = [TagKeys(kid, secrets[kid][:16], secrets[kid][16:]) for kid in tags if kid in secrets]
        for kid in tags:
            if kid not in secrets:
                _missing(lot, kid)
        names = Names() if theme.tags is None else Names(theme.tags.picc, theme.tags.mac, theme.tags.file)
        return Ring(rules, KeySet(keys), tuple(pairs), names)


def _verify_key(lot: str, key: TicketKey, secrets: Mapping[str, bytes]) -> VerifyKey | None:
    material = bytes.fromhex(key.public) if key.alg == "ed25519" else secrets.get(key.kid)
    if material is None:
        _missing(lot, key.kid)
        return None
    return VerifyKey(key.kid, key.alg, bytes(material), key.from_s, key.until_s)


def _missing(lot: str, kid: str) -> None:
    """The rules came by an order, and the file has no such secret: nothing is proven by it."""
    log.error("keyring.no_secret", lot=lot, kid=kid, hint=f'[[lot.secret]] name = "{kid}"')
