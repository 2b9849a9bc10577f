"""Keys on disk: RFC 3394's own example, and whatever is not a key of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.keywrap import WrongKey, unwrap, wrap

WRAPPING = bytes(range(32))
KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
WRAPPED = bytes.fromhex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")


def test_the_example_of_the_standard() -> None:
    """RFC 3394, section 4.6: 256 bits of key data with a 256-bit key-encryption key."""
    assert wrap(WRAPPING, KEY) == WRAPPED
    assert unwrap(WRAPPING, WRAPPED) == KEY


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_what_was_wrapped_comes_back_under_its_own_key_only(wrapping: bytes, key: bytes) -> None:
    """And the wrapped bytes do not hold the key."""
    wrapped = wrap(wrapping, key)
    assert unwrap(wrapping, wrapped) == key and key not in wrapped
    with pytest.raises(WrongKey):
        unwrap(bytes(byte ^ 1 for byte in wrapping), wrapped)


@given(st.binary(max_size=64))
def test_other_bytes_are_no_key(data: bytes) -> None:
    """Of any length: WrongKey, and nothing else."""
    with pytest.raises(WrongKey):
        unwrap(WRAPPING, data)


@pytest.mark.parametrize("place", range(40))
def test_a_flipped_bit_is_found(place: int) -> None:
    """In every byte."""
    spoilt = bytearray(WRAPPED)
    spoilt[place] ^= 1
    with pytest.raises(WrongKey):
        unwrap(WRAPPING, bytes(spoilt))


def test_keys_of_other_lengths_are_not_wrapped() -> None:
    """A key of 16 bytes would be refused at every sign-on."""
    with pytest.raises(ValueError, match="32 bytes, not 16"):
        wrap(WRAPPING, bytes(16))
