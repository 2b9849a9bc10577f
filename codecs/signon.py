"""The proofs of sign-on: both sides show that they hold the key, over both sides' nonces."""

import hmac
from hashlib import sha256

_CLIENT = b"liftgate-1 client"
_ENGINE = b"liftgate-1 engine"


def client_mac(key: bytes, hello_body: bytes, challenge_body: bytes) -> bytes:
    """The mac of AUTH. Bodies are the bytes as sent. Source: protocol.md, Sign-on."""
    return hmac.digest(key, _CLIENT + hello_body + challenge_body, sha256)


def engine_mac(key: bytes, hello_body: bytes, challenge_body: bytes) -> bytes:
    """The mac of WELCOME."""
    return hmac.digest(key, _ENGINE + hello_body + challenge_body, sha256)


def same(mac: bytes, other: bytes) -> bool:
    """Compare in time that tells nothing."""
    return hmac.compare_digest(mac, other)
