"""values.py and fields.py against the `msgpack` package, and their inline-C twins through what uses them.

Compiled modules never call either, so each is tried by itself here; `test_pack.py`, `test_unpack.py` and the
tests of events and answers try whichever twin this build has.
"""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs import codes, fields, values
from liftgate.codecs.pack import Packer
from liftgate.codecs.unpack import Malformed, Unpacker
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.model import Lot
from liftgate.gateways.answers import pack_decision
from tests.codecs.test_pack import EDGES

LARGEST = 2**64 - 1
SIZES = (0, 1, 31, 32, 255, 256, 65_535, 65_536)


def put(write: Any, *value: Any) -> bytes:
    """What `write` writes, from an offset, touching nothing before it."""
    buf = bytearray(b"\xaa" * 3 + bytes(70_000))
    stop = write(buf, 3, *value)
    assert buf[:3] == b"\xaa" * 3
    assert not any(buf[stop : stop + 16])
    return bytes(buf[3:stop])


@pytest.mark.parametrize("number", EDGES)
def test_numbers_are_written_as_msgpack_writes_them(number: int) -> None:
    """On both sides of every power of two, in NUMBER_BYTES at most."""
    if number < 2**63:
        assert put(values.put_sint, number) == msgpack.packb(number)
    if number >= 0:
        assert put(values.put_uint, number) == msgpack.packb(number)
    assert len(msgpack.packb(number)) <= values.NUMBER_BYTES


@pytest.mark.parametrize("size", SIZES)
def test_what_has_a_length_is_written_as_msgpack_writes_it(size: int) -> None:
    """Text of one and of two bytes a letter, bytes, and the heads of containers."""
    for text in ("x" * size, "ä" * (size // 2)):
        assert put(values.put_text, text) == msgpack.packb(text)
        assert values.text_bytes(text) == len(text.encode())
    blob = b"x" * size
    assert put(values.put_binary, blob) == msgpack.packb(blob)
    assert values.binary_bytes(blob) == size
    packer = msgpack.Packer()
    assert put(values.put_array, size) == packer.pack_array_header(size)
    assert put(values.put_map, size) == packer.pack_map_header(size)


def test_nothing_is_nil() -> None:
    """And takes no room beside its own byte."""
    assert put(values.put_nil) == put(values.put_text, None) == put(values.put_binary, None) == b"\xc0"
    assert values.text_bytes(None) == values.binary_bytes(None) == 0


@given(st.integers(0, LARGEST), st.text(max_size=40), st.binary(max_size=300), st.integers(0, 9))
def test_what_is_taken_is_what_the_unpacker_reads(number: int, text: str, blob: bytes, behind: int) -> None:
    """Also where a value is the last, and none of it when its end is cut off."""
    for value, take in (
        (number, fields.take_uint),
        (text, lambda source: fields.take_text_as(source, text)),
        (blob, fields.take_binary),
    ):
        data = msgpack.packb(value)
        source = Unpacker(data + bytes(behind))
        assert take(source) == value
        assert source.at == len(data)
        with pytest.raises(Malformed):
            take(Unpacker(data[:-1]))


@given(st.text(max_size=40), st.text(max_size=40))
def test_text_as_before_is_the_text_before(text: str, other: str) -> None:
    """It reads what `text` reads, whatever came before, and gives that itself where it is the same alone."""
    data = msgpack.packb(text)
    for before in (text, other, text[:-1], text + "x"):
        source = Unpacker(data + b"\x01")
        assert fields.take_text_as(source, before) == text
        assert source.at == len(data)
    before = "".join(["no", "rth"])
    assert fields.take_text_as(Unpacker(b"\xa5north"), before) is before
    for cut in range(len(data)):
        with pytest.raises(Malformed):
            fields.take_text_as(Unpacker(data[:cut]), text)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_this_build_takes_the_texts_of_the_scan_before(lot: str, reader: str, area: str, other: str) -> None:
    """The twin in use, by the event that it reads: whatever those are, and those themselves where equal."""
    out = Packer()
    like(lot, reader, area).pack(out)
    data = out.getvalue()
    for before in (like(lot, reader, area), like(other, other, other), like(lot[:-1], reader + "x", area)):
        source = Unpacker(data)
        again = ScanDecided()
        assert (source.array(), source.uint()) == (19, ScanDecided.TYPE)
        again.unpack(source, before)
        assert source.at == source.end
        for name, text in (("lot", lot), ("reader", reader), ("area", area)):
            assert getattr(again, name) == text
            assert getattr(again, name) is getattr(before, name) or getattr(before, name) != text


def like(lot: str, reader: str, area: str) -> ScanDecided:
    """A scan with these texts."""
    event = largest_scan(1)
    event.lot, event.reader, event.area = lot, reader, area
    return event


def largest_scan(sized: int) -> ScanDecided:
    """A scan whose every field takes as much as it can; sized: how long texts and bytes are."""
    event = ScanDecided()
    event.lot = event.reader = event.area = event.spot = "ä" * sized
    event.token = event.session = b"t" * sized
    event.seq = event.at_ms = event.skew_ms = 2**63 - 1
    event.boot = event.no = LARGEST
    event.lane = event.kind = event.way = event.verdict = event.reason = event.effect = 2**31 - 1
    event.position = 2**63 - 1
    return event


@pytest.mark.parametrize("rare", [None, b"\x92\xc0\xc0" + bytes(300)])
@pytest.mark.parametrize("sized", [0, 20, 40, 300])
def test_the_largest_scan_has_room(sized: int, rare: bytes | None) -> None:
    """All that was written stands in the buffer: nothing checks it on the way."""
    event = largest_scan(sized)
    event.rare = rare
    out = Packer(1)
    event.pack(out)
    assert out.n <= len(out.buf)
    again = ScanDecided()
    source = Unpacker(out.getvalue())
    assert (source.array(), source.uint()) == (19, ScanDecided.TYPE)
    again.unpack(source)
    for name in ("lot", "reader", "area", "spot", "token", "session", "seq", "boot", "no", "effect"):
        assert getattr(again, name) == getattr(event, name)


@pytest.mark.parametrize("price", [None, (-(2**63), "EUR")])
@pytest.mark.parametrize("sized", [0, 20, 300])
def test_the_largest_decision_has_room(sized: int, price: tuple[int, str] | None) -> None:
    """And its fields are those of the event."""
    event = largest_scan(sized)
    event.verdict, event.reason = (codes.PAY_FIRST if price else codes.REFUSE), 999
    if price:
        event.add(price, None)
    out = Packer(1)
    pack_decision(out, 7, Lot("north"), event)
    assert out.n <= len(out.buf)
    no, _, _, session, spot, _, owed, _, position = msgpack.unpackb(out.getvalue()[codes.HEADER_BYTES :])
    assert (no, session, spot, position) == (LARGEST, event.session, event.spot, event.position)
    assert owed == (None if price is None else list(price))
