"""Signatures and MACs by the published examples."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftgate.codecs.credentials.keys import KeySet, VerifyKey, is_mac, is_signature
from tests.codecs.credentials.vectors import load


@pytest.mark.parametrize("vector", load("ed25519_rfc8032")["vectors"], ids=lambda vector: vector["name"])
def test_the_examples_of_rfc_8032(vector: dict[str, Any]) -> None:
    """The signature is the one that the private key makes; it holds, and with one bit changed it does not."""
    secret, public, message, signature = (
        bytes.fromhex(vector[name]) for name in ("secret_key", "public_key", "message", "signature")
    )
    own = Ed25519PrivateKey.from_private_bytes(secret)
    assert (own.public_key().public_bytes_raw(), own.sign(message)) == (public, signature)
    assert is_signature(public, message, signature)
    assert not is_signature(public, message, bytes((signature[0] ^ 1,)) + signature[1:])
    assert not is_signature(public, message + b"!", signature)


def test_a_signature_or_key_of_another_length_is_wrong_and_no_error() -> None:
    """Lengths are the caller's to check; here they only cannot be right."""
    assert not is_signature(bytes(31), b"", bytes(64))
    assert not is_signature(bytes(32), b"", b"")
    assert not is_mac(bytes(32), b"", b"")


def test_a_key_checks_in_its_time_only() -> None:
    """From its beginning up to its end, so that two can overlap while one takes over."""
    key = VerifyKey("k", "ed25519", bytes(32), 100, 200)
    assert [key.holds(at) for at in (99, 100, 199, 200)] == [False, True, True, False]
    assert KeySet((key,)).get("k") is key and KeySet((key,)).get("other") is None


def test_a_key_is_not_shown() -> None:
    """An HMAC key is a secret, and logs show what repr says."""
    assert "abab" not in repr(VerifyKey("k", "hmac", b"\xab" * 32))
