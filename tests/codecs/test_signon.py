"""The macs of sign-on."""

import hashlib
import hmac
from collections.abc import Callable

import pytest

from liftgate.codecs import signon

KEY = bytes(range(32))
Mac = Callable[[bytes, bytes, bytes], bytes]
MACS = [(signon.client_mac, b"liftgate-1 client"), (signon.engine_mac, b"liftgate-1 engine")]


@pytest.mark.parametrize(("mac", "label"), MACS)
def test_the_mac_covers_label_hello_and_challenge(mac: Mac, label: bytes) -> None:
    """Each side's mac is HMAC-SHA-256 over its label and both bodies as sent."""
    expected = hmac.new(KEY, label + b"hello" + b"challenge", hashlib.sha256).digest()
    assert mac(KEY, b"hello", b"challenge") == expected
    assert signon.same(mac(KEY, b"hello", b"challenge"), expected)


@pytest.mark.parametrize("mac", [mac for mac, _ in MACS])
def test_any_change_changes_the_mac(mac: Mac) -> None:
    """Another key, HELLO or CHALLENGE gives another mac, and neither side's passes for the other's."""
    right = mac(KEY, b"hello", b"challenge")
    wrong = [
        mac(bytes(32), b"hello", b"challenge"),
        mac(KEY, b"Hello", b"challenge"),
        mac(KEY, b"hello", b""),
    ]
    assert not any(signon.same(right, other) for other in wrong)
    assert signon.client_mac(KEY, b"a", b"b") != signon.engine_mac(KEY, b"a", b"b")
