"""The independent client against the shared vectors: failing here, it could judge nobody elsewhere."""

import zlib
from typing import Any

import pytest

from tests.independent.frames import BadFrame, Splitter, encode
from tests.independent.packing import unpack
from tests.independent.reader import sign
from tests.independent.vectors import BAD, GOOD, VECTORS, value_of


@pytest.mark.parametrize("vector", GOOD)
def test_good_vector_is_encoded_and_decoded(vector: dict[str, Any]) -> None:
    """Fields become exactly the vector's bytes, and those bytes become the fields again."""
    body = value_of(vector["body"])
    assert encode(vector["type"], vector["ref"], *body).hex() == vector["frame"]
    splitter = Splitter()
    splitter.feed(bytes.fromhex(vector["frame"]))
    frame = splitter.next_frame()
    assert frame is not None
    assert (frame.type, frame.ref, frame.body) == (vector["type"], vector["ref"], body)
    assert splitter.next_frame() is None


@pytest.mark.parametrize("piece", [1, 2, 7, 15, 16, 17, 1000])
def test_good_vectors_in_pieces(piece: int) -> None:
    """All good frames back to back decode alike however the stream is cut."""
    stream = b"".join(bytes.fromhex(vector["frame"]) for vector in VECTORS["good"])
    splitter = Splitter()
    names = []
    for start in range(0, len(stream), piece):
        splitter.feed(stream[start : start + piece])
        while (frame := splitter.next_frame()) is not None:
            names.append((frame.type, frame.ref))
    assert names == [(vector["type"], vector["ref"]) for vector in VECTORS["good"]]


@pytest.mark.parametrize("vector", BAD)
def test_bad_vector_is_named_alike(vector: dict[str, Any]) -> None:
    """Every bad frame is refused with the vector's code; only the engine can tell a request without ref."""
    splitter = Splitter()
    splitter.feed(bytes.fromhex(vector["frame"]))
    if vector["name"] == "request with ref 0":
        frame = splitter.next_frame()
        assert frame is not None and frame.ref == 0
        return
    with pytest.raises(BadFrame) as caught:
        splitter.next_frame()
    assert caught.value.code == vector["error"]


def test_sign_on_macs() -> None:
    """Both sign-on MACs come out as the vectors say."""
    vector = VECTORS["sign_on"]
    key, hello, challenge = (bytes.fromhex(vector[name]) for name in ("key", "hello_body", "challenge_body"))
    assert sign(key, "client", hello, challenge).hex() == vector["client_mac"]
    assert sign(key, "engine", hello, challenge).hex() == vector["engine_mac"]
    assert unpack(hello)[:2] == [1, "north-entry-1"]


def test_crc_is_the_usual_one() -> None:
    """The frame's CRC is that of zlib and Ethernet."""
    check = VECTORS["crc32_check"]
    assert f"{zlib.crc32(check['input'].encode()):08x}" == check["crc"]
