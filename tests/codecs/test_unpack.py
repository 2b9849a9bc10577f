"""Unpacker against the `msgpack` package, and against bytes that lie."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.unpack import DEPTH_MAX, Malformed, Unpacker
from tests.codecs.samples import VALUES

READERS: dict[str, Callable[[Unpacker], Any]] = {
    "uint": Unpacker.uint,
    "sint": Unpacker.sint,
    "boolean": Unpacker.boolean,
    "binary": Unpacker.binary,
    "binary_or_nil": Unpacker.binary_or_nil,
    "text": Unpacker.text,
    "text_or_nil": Unpacker.text_or_nil,
    "array": Unpacker.array,
    "mapping": Unpacker.mapping,
    "value": Unpacker.value,
    "skip": Unpacker.skip,
}
FOREIGN = [
    1.5,
    -0.0,
    msgpack.Timestamp(1, 5),
    *(msgpack.ExtType(5, bytes(size)) for size in (0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65_536)),
]
HUGE = [head + b"\xff\xff\xff\xff" for head in (b"\xc6", b"\xc9", b"\xdb", b"\xdd", b"\xdf")]
SAMPLES = [
    *(sign * edge for edge in (0, 1, 32, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1) for sign in (1, -1)),
    *(2**32, 2**63, 2**64 - 1, -(2**31), -(2**31) - 1, -(2**63), None, True, False),
    *(kind * size for size in (0, 1, 31, 32, 255, 256) for kind in (b"x", "x", [1])),
    {"a": {1: [b"x", "ä", None]}, "b": 70_000},
]


@given(VALUES)
def test_any_value_comes_back(value: Any) -> None:
    """What the msgpack package packed is read back with the same types, and read to its end."""
    data = msgpack.packb(value)
    unpacker = Unpacker(data)
    assert repr(unpacker.value()) == repr(value)
    assert unpacker.at == len(data)


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: repr(value)[:20])
def test_cut_anywhere_is_malformed(value: Any) -> None:
    """Every value cut at every byte is Malformed, whether the bytes end there or only `end` says so."""
    data = msgpack.packb(value)
    for cut in range(len(data)):
        for unpacker in (Unpacker(data[:cut]), Unpacker(data, 0, cut), Unpacker(b"\xc0" + data[:cut], 1)):
            start = unpacker.at
            with pytest.raises(Malformed):
                unpacker.value()
            unpacker.at = start
            with pytest.raises(Malformed):
                unpacker.skip()


@given(VALUES, st.data())
def test_nested_values_cut_anywhere_are_malformed(value: Any, data: st.DataObject) -> None:
    """Nested values cut at any byte are Malformed and nothing else."""
    packed = msgpack.packb(value)
    cut = data.draw(st.integers(0, len(packed) - 1))
    for read in (Unpacker.value, Unpacker.skip):
        with pytest.raises(Malformed):
            read(Unpacker(packed, 0, cut))


@pytest.mark.parametrize("name", READERS)
@given(data=st.binary(max_size=40))
def test_any_bytes_give_a_value_or_malformed(name: str, data: bytes) -> None:
    """Whatever the bytes, a reader returns or raises Malformed, and never reads past the end."""
    unpacker = Unpacker(data)
    try:
        READERS[name](unpacker)
    except Malformed:
        return
    assert unpacker.at <= len(data)


@pytest.mark.parametrize("name", READERS)
def test_every_first_byte_with_nothing_behind_it(name: str) -> None:
    """A single byte of any code gives a value or Malformed, as does no byte at all."""
    for data in (b"", *(bytes([code]) for code in range(256))):
        unpacker = Unpacker(data)
        try:
            READERS[name](unpacker)
        except Malformed:
            continue
        assert unpacker.at <= 1


@given(st.binary(max_size=60))
def test_what_is_read_is_what_msgpack_reads(data: bytes) -> None:
    """Where value() accepts random bytes, the msgpack package reads the same and skip() goes as far."""
    unpacker = Unpacker(data)
    try:
        value = unpacker.value()
    except Malformed:
        return
    oracle = msgpack.unpackb(data[: unpacker.at], strict_map_key=False)
    assert repr(value) == repr(oracle)
    stepper = Unpacker(data)
    stepper.skip()
    assert stepper.at == unpacker.at


@pytest.mark.parametrize("number", [value for value in SAMPLES if type(value) is int])
def test_integers_by_sign(number: int) -> None:
    """sint reads every number up to 2**63-1 in either form, uint all that are not negative."""
    data = msgpack.packb(number)
    if number < 2**63:
        assert Unpacker(data).sint() == number
    if number >= 0:
        assert Unpacker(data).uint() == number
    else:
        with pytest.raises(Malformed):
            Unpacker(data).uint()


@pytest.mark.parametrize("number", [2**63, 2**63 + 1, 2**64 - 1])
def test_sint_refuses_what_its_range_has_not(number: int) -> None:
    """An unsigned number of 2**63 or more is Malformed for sint, never a negative one."""
    with pytest.raises(Malformed):
        Unpacker(msgpack.packb(number)).sint()


@pytest.mark.parametrize("name", ["uint", "sint", "boolean", "binary", "text", "array", "mapping"])
def test_another_type_is_malformed(name: str) -> None:
    """A reader of one type takes no other."""
    kinds = {
        "uint": 5,
        "sint": -5,
        "boolean": True,
        "binary": b"x",
        "text": "x",
        "array": [],
        "mapping": {},
        "nil": None,
    }
    for kind, value in kinds.items():
        if kind == name or (name, kind) == ("sint", "uint"):
            continue
        with pytest.raises(Malformed):
            READERS[name](Unpacker(msgpack.packb(value)))


def test_nil_is_stepped_over_only_where_it_is() -> None:
    """nil_next passes a nil and stays before anything else, the end included."""
    unpacker = Unpacker(b"\xc0\x01")
    assert unpacker.nil_next() and unpacker.at == 1
    assert not unpacker.nil_next() and unpacker.at == 1
    assert not Unpacker(b"").nil_next()
    assert not Unpacker(b"\xc0", 0, 0).nil_next()
    assert Unpacker(b"\xc0").binary_or_nil() is None
    assert Unpacker(b"\xc0").text_or_nil() is None


@pytest.mark.parametrize("data", [b"\xa1\xff", b"\xa3\xed\xa0\x80", b"\x91\xa2\xc3\x28", b"\x81\xa1\xff\xc0"])
def test_text_must_be_utf8(data: bytes) -> None:
    """Text that is not UTF-8 is Malformed, at the top, inside, and as a key."""
    with pytest.raises(Malformed):
        Unpacker(data).value()


@pytest.mark.parametrize("opening", [b"\x91", b"\xdc\x00\x01", b"\xdd\x00\x00\x00\x01", b"\x81\xc0"])
def test_depth_is_bounded(opening: bytes) -> None:
    """DEPTH_MAX levels are read and one more is Malformed, by value and skip alike."""
    for leaf in (b"\xc0", b"\x05", b"\xa1x"):
        for read in (Unpacker.value, Unpacker.skip):
            read(Unpacker(opening * DEPTH_MAX + leaf))
            with pytest.raises(Malformed):
                read(Unpacker(opening * (DEPTH_MAX + 1) + leaf))
    for read in (Unpacker.value, Unpacker.skip):
        read(Unpacker(opening * (DEPTH_MAX - 1) + b"\x90"))
        with pytest.raises(Malformed):
            read(Unpacker(opening * DEPTH_MAX + b"\x90"))
        with pytest.raises(Malformed):
            read(Unpacker(opening * 20_000))


@pytest.mark.parametrize("data", HUGE, ids=lambda data: data.hex())
@pytest.mark.parametrize("name", ["value", "skip", "binary", "text"])
def test_claimed_sizes_build_nothing(data: bytes, name: str) -> None:
    """A count or size of 2**32-1 is refused before memory is taken for it."""
    body = data + bytes(60_000)  # if it were believed, there is something to build from
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            READERS[name](Unpacker(body))
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("data", [b"\x81\x90\xc0", b"\x81\x80\xc0", b"\x81\x91\x01\xc0"])
def test_a_container_is_no_key(data: bytes) -> None:
    """A map whose key is an array or a map is Malformed, not a TypeError."""
    with pytest.raises(Malformed):
        Unpacker(data).value()


@pytest.mark.parametrize("value", FOREIGN, ids=lambda value: repr(value)[:24])
def test_foreign_types_are_skipped_but_not_read(value: Any) -> None:
    """Floats and extensions can be stepped over, as a newer peer may send them, and are no value here."""
    data = msgpack.packb([value, 7])
    unpacker = Unpacker(data, 1)
    unpacker.skip()
    assert unpacker.uint() == 7
    for cut in (1, len(data) - 2):
        with pytest.raises(Malformed):
            Unpacker(data, 1, cut).skip()
    with pytest.raises(Malformed):
        Unpacker(data).value()


@pytest.mark.parametrize("value", FOREIGN, ids=lambda value: repr(value)[:24])
def test_a_value_is_read_as_the_bytes_that_it_is(value: Any) -> None:
    """Of whatever type, and what follows it is next."""
    own, data = msgpack.packb(value), msgpack.packb([value, 7])
    unpacker = Unpacker(data, 1)
    assert unpacker.packed() == own
    assert unpacker.uint() == 7
    with pytest.raises(Malformed):
        Unpacker(own, 0, len(own) - 1).packed()


def test_the_code_that_is_never_used() -> None:
    """0xC1 is Malformed for value and skip."""
    for read in (Unpacker.value, Unpacker.skip):
        with pytest.raises(Malformed):
            read(Unpacker(b"\xc1"))
