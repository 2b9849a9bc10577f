"""The frames that every implementation must produce and accept: tests/vectors/wire_v1.json."""

import json
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs import messages as m
from liftgate.codecs import raw, signon
from liftgate.codecs.connection import State
from liftgate.codecs.frame import FrameReader, PeerError, frame
from liftgate.codecs.pack import Packer
from liftgate.codecs.unpack import Unpacker
from tests.codecs.samples import carry, pair_in

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "wire_v1.json").read_text())
GOOD = VECTORS["good"]
SIGN_ON = VECTORS["sign_on"]
BYTES = {vector["name"]: bytes.fromhex(vector["frame"]) for vector in GOOD + VECTORS["bad"]}
good = pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
bad = pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["name"])


def value_of(written: Any) -> Any:
    """Return a vector's body as values: {"bin": hex} is bytes, {"map": pairs} a dict."""
    if isinstance(written, list):
        return [value_of(item) for item in written]
    if isinstance(written, dict) and "bin" in written:
        return bytes.fromhex(written["bin"])
    if isinstance(written, dict):
        return {key: value_of(item) for key, item in written["map"]}
    return written


def packed(value: Any) -> bytes:
    """Return a value's MessagePack."""
    out = Packer()
    out.value(value)
    return out.getvalue()


def taken(reader: FrameReader) -> list[tuple[int, int, m.Message]]:
    """Return all whole frames that are there, decoded."""
    found = []
    while reader.take():
        found.append((reader.kind, reader.ref, m.decode(reader.kind, reader.body())))
    return found


def expected(vector: dict[str, Any]) -> tuple[int, int, m.Message]:
    """Return type, ref and message as the vector's fields say, by msgspec alone from the JSON's values."""
    cls = m.MESSAGES[vector["type"]]
    fields = value_of(vector["body"])[: len(cls.__struct_fields__)]
    if cls is m.Replay:
        entries = tuple(
            m.ReplayEntry(kind, given, msgspec.Raw(packed(body))) for kind, given, body in fields[0]
        )
        return vector["type"], vector["ref"], m.Replay(entries)
    return vector["type"], vector["ref"], msgspec.convert(fields, cls)


@good
def test_good_frames_are_produced(vector: dict[str, Any]) -> None:
    """The vector's fields become its bytes, by the packer and by the message alike."""
    kind, ref, message = expected(vector)
    fields = value_of(vector["body"])
    assert frame(kind, ref, packed(fields)).hex() == vector["frame"]
    if len(fields) == len(message.__struct_fields__):
        assert frame(kind, ref, m.encode(message)).hex() == vector["frame"]


@good
def test_good_frames_are_accepted(vector: dict[str, Any]) -> None:
    """The vector's bytes become its fields by the unpacker, and a message less what it doesn't know."""
    reader = FrameReader()
    reader.feed(bytes.fromhex(vector["frame"]))
    assert taken(reader) == [expected(vector)]
    unpacker = Unpacker(bytes.fromhex(vector["frame"]), 16)
    assert unpacker.value() == value_of(vector["body"])
    assert unpacker.at == unpacker.end


@given(st.permutations(GOOD), st.lists(st.integers(0, 3000), max_size=40))
def test_good_frames_in_any_order_and_split_anywhere(vectors: list[dict[str, Any]], cuts: list[int]) -> None:
    """All good frames joined in any order come out in that order, however the stream is cut."""
    stream = b"".join(BYTES[vector["name"]] for vector in vectors)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader, found = FrameReader(), []
    for start, end in zip(edges, edges[1:], strict=False):
        reader.feed(stream[start:end])
        found += taken(reader)
    assert found == [expected(vector) for vector in vectors]


def test_good_frames_byte_by_byte() -> None:
    """All good frames come out of a stream that arrives one byte at a time."""
    reader, found = FrameReader(), []
    for byte in b"".join(BYTES[vector["name"]] for vector in GOOD):
        reader.feed(bytes([byte]))
        found += taken(reader)
    assert found == [expected(vector) for vector in GOOD]


@bad
def test_bad_frames_are_refused(vector: dict[str, Any]) -> None:
    """A signed-on reader's bad frame gives the vector's code, and ERROR can say so."""
    client, engine = pair_in(State.READER)
    engine.feed(BYTES["ping"] + BYTES[vector["name"]])
    assert engine.next_event() == m.Ping()
    with pytest.raises(PeerError) as caught:
        engine.next_event()
    error = caught.value
    assert error.code == vector["error"]
    assert error.fatal == (vector["error"] != 7)
    answer = m.Error(error.code, error.text, error.fatal)
    assert carry(engine, client, answer) == answer


@bad
def test_bad_frames_byte_by_byte(vector: dict[str, Any]) -> None:
    """The code is the same when the bad frame arrives one byte at a time."""
    _, engine = pair_in(State.READER)
    codes = []
    for byte in BYTES[vector["name"]]:
        engine.feed(bytes([byte]))
        try:
            engine.next_event()
        except PeerError as error:
            codes.append(error.code)
    assert codes == [vector["error"]]


def test_sign_on_macs() -> None:
    """Both macs of sign-on are the vectors', over the bodies of the frames among them."""
    key, hello, challenge = (bytes.fromhex(SIGN_ON[name]) for name in ("key", "hello_body", "challenge_body"))
    assert (hello, challenge) == (BYTES["hello"][16:], BYTES["challenge"][16:])
    assert signon.client_mac(key, hello, challenge).hex() == SIGN_ON["client_mac"]
    assert signon.engine_mac(key, hello, challenge).hex() == SIGN_ON["engine_mac"]


def test_crc_check_value() -> None:
    """The CRC has the check value that CRC-32 is known by."""
    check = VECTORS["crc32_check"]
    data = check["input"].encode()
    assert raw.crc32(data, 0, len(data), 0) == zlib.crc32(data) == int(check["crc"], 16)
