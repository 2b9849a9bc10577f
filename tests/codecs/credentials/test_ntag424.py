"""SUN messages by NXP's examples, and AES-CMAC by its RFC's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.credentials import ntag424
from liftgate.codecs.credentials.errors import CredentialError
from liftgate.codecs.credentials.ntag424 import Names, Sun, TagKeys, Tap
from tests.codecs.credentials.vectors import load

VECTORS = load("ntag424_sun")["vectors"]
CMAC = load("aes_cmac_rfc4493")
KEYS = TagKeys("t1", bytes(16), bytes(16))
AN12196 = b"https://ntag.nxp.com/424?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086"


def unhex(vector: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name])


@pytest.mark.parametrize("vector", CMAC["vectors"], ids=lambda vector: vector["name"])
def test_the_examples_of_rfc_4493(vector: dict[str, Any]) -> None:
    """AES-CMAC of each length."""
    assert ntag424.cmac(unhex(CMAC, "key"), unhex(vector, "message")).hex() == vector["mac"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_published_messages(vector: dict[str, Any]) -> None:
    """Genuine ones say which tag and which tap, and altered ones say nothing."""
    over, expect = vector["mac_input_ascii"].encode(), vector["expect"]
    mac = unhex(vector, "sdmmac")
    if "uid_plain" in vector:
        counter = unhex(vector, "read_ctr_plain")[::-1]
        right = ntag424.mac_of(unhex(vector, "k_file_read"), unhex(vector, "uid_plain"), counter, over)
        assert (right == mac) == expect["valid"]
        return
    keys = TagKeys("t", unhex(vector, "k_meta_read"), unhex(vector, "k_file_read"))
    tap = ntag424.opened(Sun(unhex(vector, "picc_enc_data"), mac, over), keys)
    if not expect["valid"]:
        assert tap is None
        return
    assert tap == Tap(bytes.fromhex(expect["uid"]), expect["read_ctr"])
    if "enc_file_data" in vector:
        counter = tap.counter.to_bytes(3, "little")
        data = ntag424.file_data(keys.file, tap.uid, counter, unhex(vector, "enc_file_data"))
        assert data == unhex(vector["computed"], "file_data")


@pytest.mark.parametrize(
    "token",
    [
        AN12196,
        AN12196.partition(b"?")[2],
        b"https://x.org/?lang=de&c=94EED9EE65337086&e=ef963ff7828658a599f3041510671e88#top",
        bytes.fromhex("EF963FF7828658A599F3041510671E8894EED9EE65337086"),
    ],
)
def test_a_message_is_taken_in_every_shape(token: bytes) -> None:
    """As URL, as its query, with other parameters beside, and as 24 bytes."""
    assert ntag424.opened(ntag424.read(token), KEYS) == Tap(bytes.fromhex("04DE5F1EACC040"), 61)


def test_names_of_parameters_and_the_file_data_under_the_mac() -> None:
    """AN12196's second example, whose MAC is over the text from the file data to itself."""
    url = (
        b"https://www.my424dna.com/?picc_data=FD91EC264309878BE6345CBE53BADF40"
        b"&enc=CEE9A53E3E463EF1F459635736738962&cmac=ECC1E7F6C6C73BF6"
    )
    names = Names("picc_data", "cmac", "enc")
    assert ntag424.opened(ntag424.read(url, names), KEYS) == Tap(bytes.fromhex("04958CAA5C5E80"), 8)
    changed = url.replace(b"enc=CEE9", b"enc=CEE8")
    assert ntag424.opened(ntag424.read(changed, names), KEYS) is None


@given(st.binary(max_size=600))
def test_any_bytes_are_a_message_or_an_error(token: bytes) -> None:
    """Nothing else is ever raised, and by chance nothing is genuine."""
    try:
        sun = ntag424.read(token)
    except CredentialError:
        return
    assert ntag424.opened(sun, KEYS) is None


@given(st.integers(0, 23), st.integers(1, 255))
def test_one_changed_byte_is_not_genuine(place: int, change: int) -> None:
    """Wherever it is, in the data or in the MAC."""
    token = bytearray(ntag424.tap(KEYS, b"\x04\x01\x02\x03\x04\x05\x80", 77))
    assert ntag424.opened(ntag424.read(bytes(token)), KEYS) == Tap(b"\x04\x01\x02\x03\x04\x05\x80", 77)
    token[place] ^= change
    assert ntag424.opened(ntag424.read(bytes(token)), KEYS) is None


def test_other_keys_open_nothing() -> None:
    """And keys are not shown."""
    token = ntag424.tap(KEYS, b"\x04\x01\x02\x03\x04\x05\x80", 77)
    assert ntag424.opened(ntag424.read(token), TagKeys("t2", b"\xcd" * 16, bytes(16))) is None
    assert ntag424.opened(ntag424.read(token), TagKeys("t3", bytes(16), b"\xcd" * 16)) is None
    assert "cd" not in repr(TagKeys("t2", b"\xcd" * 16, b"\xcd" * 16))
