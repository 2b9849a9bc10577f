"""Keys that tickets are checked with: by kid, several valid at once, each for its time."""

import hmac
from collections.abc import Iterable
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

Alg = Literal["ed25519", "hmac"]

FOREVER_S = 1 << 40
"""A time that does not come, Unix s."""

MAC_BYTES = 8
SIGNATURE_BYTES = 64


class VerifyKey(Struct, frozen=True):
    """kid: its name; material: 32 bytes, an Ed25519 public key or an HMAC key; it checks tickets from
    from_s up to and not at until_s, Unix s.
    """

    kid: str
    alg: Alg
    material: bytes
    from_s: int = 0
    until_s: int = FOREVER_S

    def holds(self, at_s: int) -> bool:
        """Whether it checks tickets at that time."""
        return self.from_s <= at_s < self.until_s

    def __repr__(self) -> str:
        return f"VerifyKey({self.kid!r}, {self.alg}, …)"


def is_signature(public: bytes, sealed: bytes, signature: bytes) -> bool:
    """Whether this is the Ed25519 signature over these bytes. Some 100 µs, and the interpreter is held."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, sealed)
    except (InvalidSignature, ValueError):  # ValueError: 32 bytes that are no point of the curve
        return False
    return True


def is_mac(key: bytes, sealed: bytes, mac: bytes) -> bool:
    """Whether this is HMAC 256/64 over these bytes. 2 µs."""
    return hmac.compare_digest(hmac.digest(key, sealed, "sha256")[:MAC_BYTES], mac)


class KeySet:
    """The keys of one lot, by kid."""

    def __init__(self, keys: Iterable[VerifyKey] = ()) -> None:
        self._by_kid = {key.kid: key for key in keys}

    def __len__(self) -> int:
        return len(self._by_kid)

    def get(self, kid: str) -> VerifyKey | None:
        """The key of that name, valid now or not."""
        return self._by_kid.get(kid)
