"""MessagePack values, written where there is room for them already: what `Packer` and hot events are made of.

Never compiled, as `raw.py`: compiled modules find the same names as inline C in `values.pxd`. A method of
`Packer` for each value made room each time and was a call through a table: a third of what a scan costs.
Each function writes at `at` and returns where the next value goes.

Source: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from struct import Struct

from liftgate.codecs import raw

_PUT_U16, _PUT_U32, _PUT_U64 = Struct(">H").pack_into, Struct(">I").pack_into, Struct(">Q").pack_into

NUMBER_BYTES = 9
"""What a number takes at most."""

HEAD_BYTES = 5
"""What the head of text, of bytes or of a container takes at most."""


def put_uint(buf: bytearray, at: int, value: int) -> int:
    """value: 0..2**64-1."""
    if value < 0x80:
        buf[at] = value
        return at + 1
    if value < 0x100:
        buf[at] = 0xCC
        buf[at + 1] = value
        return at + 2
    if value < 0x10000:
        buf[at] = 0xCD
        _PUT_U16(buf, at + 1, value)
        return at + 3
    if value < 0x100000000:
        buf[at] = 0xCE
        _PUT_U32(buf, at + 1, value)
        return at + 5
    buf[at] = 0xCF
    _PUT_U64(buf, at + 1, value)
    return at + 9


def put_sint(buf: bytearray, at: int, value: int) -> int:
    """value: -2**63..2**63-1."""
    if value >= 0:
        return put_uint(buf, at, value)
    if value >= -0x20:
        buf[at] = value + 0x100
        return at + 1
    if value >= -0x80:
        buf[at] = 0xD0
        buf[at + 1] = value + 0x100
        return at + 2
    if value >= -0x8000:
        buf[at] = 0xD1
        _PUT_U16(buf, at + 1, value & 0xFFFF)
        return at + 3
    if value >= -0x80000000:
        buf[at] = 0xD2
        _PUT_U32(buf, at + 1, value & 0xFFFFFFFF)
        return at + 5
    buf[at] = 0xD3
    _PUT_U64(buf, at + 1, value & 0xFFFFFFFFFFFFFFFF)
    return at + 9


def put_array(buf: bytearray, at: int, count: int) -> int:
    """The head of an array of `count` values."""
    return _put_head(buf, at, count, 0x90, 0xDC)


def put_map(buf: bytearray, at: int, count: int) -> int:
    """The head of a map of `count` pairs."""
    return _put_head(buf, at, count, 0x80, 0xDE)


def _put_head(buf: bytearray, at: int, count: int, fix: int, wide: int) -> int:
    if count < 0x10:
        buf[at] = fix | count
        return at + 1
    if count < 0x10000:
        buf[at] = wide
        _PUT_U16(buf, at + 1, count)
        return at + 3
    buf[at] = wide + 1
    _PUT_U32(buf, at + 1, count)
    return at + 5


def put_nil(buf: bytearray, at: int) -> int:
    """Nothing is there."""
    buf[at] = 0xC0
    return at + 1


def text_bytes(value: str | None) -> int:
    """How many bytes of UTF-8 a text is, its head not counted; 0 for None."""
    if value is None:
        return 0
    return len(value) if value.isascii() else len(value.encode())


def put_text(buf: bytearray, at: int, value: str | None) -> int:
    """A text, or nil."""
    if value is None:
        return put_nil(buf, at)
    data = value.encode()
    size = len(data)
    if size < 0x20:
        buf[at] = 0xA0 | size
        at += 1
    else:
        at = _put_sized(buf, at, size, 0xD9)
    raw.put_bytes(buf, at, data, size)
    return at + size


def binary_bytes(value: bytes | None) -> int:
    """How many bytes these are, their head not counted; 0 for None."""
    return 0 if value is None else len(value)


def put_binary(buf: bytearray, at: int, value: bytes | None) -> int:
    """Bytes, or nil."""
    if value is None:
        return put_nil(buf, at)
    size = len(value)
    at = _put_sized(buf, at, size, 0xC4)
    raw.put_bytes(buf, at, value, size)
    return at + size


def _put_sized(buf: bytearray, at: int, size: int, code: int) -> int:
    """The head of `size` bytes; `code` is that of 8 bit sizes, the next two those of 16 and 32 bit."""
    if size < 0x100:
        buf[at] = code
        buf[at + 1] = size
        return at + 2
    if size < 0x10000:
        buf[at] = code + 1
        _PUT_U16(buf, at + 1, size)
        return at + 3
    buf[at] = code + 2
    _PUT_U32(buf, at + 1, size)
    return at + 5
