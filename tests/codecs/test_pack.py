"""Packer against the `msgpack` package."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.pack import Packer
from liftgate.codecs.unpack import Unpacker
from tests.codecs.samples import VALUES

EDGES = sorted(
    {sign * 2**power + step for power in range(64) for step in (-1, 0, 1) for sign in (1, -1)} | {2**64 - 1}
)
EDGES = [number for number in EDGES if -(2**63) <= number]


def packed(value: Any) -> bytes:
    """Return what Packer.value writes."""
    out = Packer(1)
    out.value(value)
    return out.getvalue()


@given(VALUES)
def test_any_value_is_written_as_msgpack_writes_it(value: Any) -> None:
    """Nested values come out byte for byte as the msgpack package packs them."""
    assert packed(value) == msgpack.packb(value)


def test_tuples_are_arrays() -> None:
    """A tuple is written as the list of its items."""
    assert packed((1, ("a", b"b"))) == packed([1, ["a", b"b"]])


@pytest.mark.parametrize("number", EDGES)
def test_integers_take_the_smallest_form(number: int) -> None:
    """On both sides of every power of two an integer takes the fewest bytes that hold it."""
    out = Packer()
    if number < 2**63:
        out.sint(number)
        assert out.getvalue() == msgpack.packb(number)
    out.n = 0
    if number >= 0:
        out.uint(number)
        assert out.getvalue() == msgpack.packb(number)
    assert packed(number) == msgpack.packb(number)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536])
def test_lengths_take_the_smallest_form(size: int) -> None:
    """Bytes, text, arrays and maps take the shortest head at each side of every step."""
    for value in (b"x" * size, "x" * size, [None] * size, dict.fromkeys(range(size))):
        assert packed(value) == msgpack.packb(value)


@pytest.mark.parametrize("letter", ["a", "\0", "ä", "€", "😀"])
@pytest.mark.parametrize("count", [1, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 16_384, 32_768])
def test_text_is_measured_in_bytes(letter: str, count: int) -> None:
    """Text of any width takes the head that its UTF-8 needs, and comes back whole."""
    data = packed(letter * count)
    assert data == msgpack.packb(letter * count)
    assert Unpacker(data).text() == letter * count


@pytest.mark.parametrize("text", ["\ud800", "x" * 40 + "\udfff"])
def test_text_that_has_no_utf8_is_refused(text: str) -> None:
    """A lone surrogate raises UnicodeEncodeError and leaves nothing behind."""
    out = Packer()
    with pytest.raises(UnicodeEncodeError):
        out.text(text)
    assert out.n == 0


def test_fields_one_by_one() -> None:
    """A record written field by field equals the same record packed at once."""
    out = Packer(1)
    out.array(9)
    out.nil()
    out.boolean(True)
    out.boolean(False)
    out.uint(300)
    out.sint(-300)
    out.binary_or_nil(None)
    out.binary_or_nil(b"token")
    out.text_or_nil(None)
    out.text_or_nil("Grüße")
    out.mapping(1)
    out.text("ä")
    out.append(msgpack.packb([1]))
    expected = msgpack.packb([None, True, False, 300, -300, None, b"token", None, "Grüße"])
    assert out.getvalue() == expected + msgpack.packb({"ä": [1]})


@pytest.mark.parametrize("value", [1.5, object(), {1}, bytearray(b"x"), [1, 2.5], {"a": 1j}])
def test_what_the_protocol_has_not_is_refused(value: Any) -> None:
    """Floats and other objects raise TypeError, also inside a container."""
    with pytest.raises(TypeError):
        packed(value)


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**30, -(10**30)])
def test_integers_beyond_64_bits_are_refused(number: int) -> None:
    """An integer that no MessagePack form holds raises OverflowError and is not cut to fit."""
    out = Packer()
    with pytest.raises(OverflowError):
        out.value(number)
    assert out.n == 0


@given(st.integers(0, 40), st.lists(st.binary(max_size=700), max_size=8))
def test_the_buffer_grows_and_is_used_again(size: int, parts: list[bytes]) -> None:
    """From any first size all bytes are kept in order; set back to 0, the same packer starts afresh."""
    out = Packer(size)
    for _ in range(2):
        out.n = 0
        for part in parts:
            out.append(part)
        assert out.getvalue() == b"".join(parts)


def test_growth_is_linear() -> None:
    """Appending byte by byte doubles the buffer, so it is moved only a logarithmic number of times."""
    out = Packer(1)
    sizes = set()
    for _ in range(10_000):
        out.nil()
        sizes.add(len(out.buf))
    assert len(sizes) <= 15
