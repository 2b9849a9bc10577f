"""Fixed-width numbers, copies and checksums on byte buffers.

This module is never compiled. Compiled modules find the same names as inline C in `raw.pxd`; the
uncompiled build runs what stands here. It is one of the few places where the two builds differ, so it
stays this small, and `tests/codecs/test_raw.py` holds both to the same results.

Offsets are in bytes and are not checked in the compiled build: callers reserve room first.
"""

from struct import Struct
from zlib import crc32 as _crc32

_U16 = Struct(">H")
_U32 = Struct(">I")
_U64 = Struct(">Q")
_U32_LE = Struct("<I")


def put_u32_le(buf: bytearray, at: int, value: int) -> None:
    """Write `value`, 0..2**32-1, little-endian."""
    _U32_LE.pack_into(buf, at, value)


def put_bytes(buf: bytearray, at: int, data: bytes, size: int) -> None:
    """Copy the first `size` bytes of `data`."""
    buf[at : at + size] = data[:size]


def get_u16(data: bytes, at: int) -> int:
    """Read a big-endian u16."""
    return int(_U16.unpack_from(data, at)[0])


def get_u32(data: bytes, at: int) -> int:
    """Read a big-endian u32."""
    return int(_U32.unpack_from(data, at)[0])


def get_u64(data: bytes, at: int) -> int:
    """Read a big-endian u64."""
    return int(_U64.unpack_from(data, at)[0])


def get_u32_le(data: bytes, at: int) -> int:
    """Read a little-endian u32."""
    return int(_U32_LE.unpack_from(data, at)[0])


def crc32(data: bytes, at: int, size: int, crc: int) -> int:
    """CRC-32 (zlib, Ethernet) of `size` bytes from `at`, going on from `crc` (0 at the start)."""
    return _crc32(memoryview(data)[at : at + size], crc)


def crc32_out(buf: bytearray, at: int, size: int, crc: int) -> int:
    """The same over a bytearray."""
    with memoryview(buf) as view:
        return _crc32(view[at : at + size], crc)


def get_word(buf: bytearray, index: int) -> int:
    """The `index`-th 64-bit word of `buf`, in an order that only put_word shares."""
    return int.from_bytes(buf[8 * index : 8 * index + 8], "little")


def put_word(buf: bytearray, index: int, value: int) -> None:
    """Write the `index`-th 64-bit word."""
    buf[8 * index : 8 * index + 8] = value.to_bytes(8, "little")


def bit(index: int) -> int:
    """The word in which only bit `index` mod 64 is set."""
    return 1 << (index & 63)


def lowest_bit(word: int) -> int:
    """The number of the lowest bit that is set; `word` is not 0."""
    return (word & -word).bit_length() - 1


def get_text(data: bytes, at: int, size: int) -> str:
    """Read `size` bytes of UTF-8. Raises UnicodeDecodeError."""
    return data[at : at + size].decode()


def two_words(high: int, low: int) -> bytes:
    """Two u64, big-endian, as 16 bytes."""
    return _U64.pack(high) + _U64.pack(low)


def get_bytes(data: bytes, at: int, size: int) -> bytes:
    """A copy of `size` bytes from `at`."""
    return data[at : at + size]


def low_bits(value: int, bits: int) -> int:
    """The lowest `bits` bits, 1..63, of a number that is not negative."""
    return value & ((1 << bits) - 1)


def credential(kind: int, token: bytes) -> bytes:
    """A credential's name in the state: its kind as a byte, then its token."""
    return bytes((kind,)) + token
