"""raw.py against struct and zlib, and its inline-C twin through the classes that use it.

Compiled modules never call raw.py, so every fact is held twice: once for the plain functions and once for
`Packer`, `Unpacker`, `FrameReader`, which take whichever twin this build has.
"""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs import raw
from liftgate.codecs.frame import FrameReader, frame
from liftgate.codecs.pack import Packer
from liftgate.codecs.unpack import Unpacker

WIDTHS = [
    ("u16", ">H", 2**16 - 1, 0xCD),
    ("u32", ">I", 2**32 - 1, 0xCE),
    ("u64", ">Q", 2**64 - 1, 0xCF),
]
EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x0102, 0x01020304, 0x0102030405060708)


@pytest.mark.parametrize(("name", "form", "top", "code"), WIDTHS)
def test_numbers_are_big_endian(name: str, form: str, top: int, code: int) -> None:
    """Each width is read as struct does, at any offset."""
    for value in (top, top - 1, top // 2 + 1, *(edge & top for edge in EDGES)):
        for at in range(9):
            buf = bytearray(b"\xaa" * 20)
            struct.pack_into(form, buf, at, value)
            assert getattr(raw, f"get_{name}")(bytes(buf), at) == value


@pytest.mark.parametrize(("name", "form", "top", "code"), WIDTHS)
def test_this_builds_numbers_are_big_endian(name: str, form: str, top: int, code: int) -> None:
    """The twin in use reads and writes each width as struct does, at any offset."""
    for value in (top, top - 1, top // 2 + 1):
        for at in range(9):
            expected = b"\xc0" * at + bytes([code]) + struct.pack(form, value)
            out = Packer(1)
            for _ in range(at):
                out.nil()
            out.uint(value)
            assert out.getvalue() == expected
            assert Unpacker(expected, at).uint() == value


def test_frame_numbers_are_little_endian() -> None:
    """u32 of frames are little-endian in raw.py and in the twin in use."""
    for value in (0, 1, 0x01020304, 2**31, 2**32 - 1):
        buf = bytearray(b"\xaa" * 8)
        raw.put_u32_le(buf, 3, value)
        assert buf == b"\xaa\xaa\xaa" + struct.pack("<I", value) + b"\xaa"
        assert raw.get_u32_le(bytes(buf), 3) == value
        assert frame(0x2A, value, b"\x90")[8:12] == struct.pack("<I", value)


@given(st.binary(max_size=40), st.integers(0, 40))
def test_copies(data: bytes, size: int) -> None:
    """put_bytes copies the first bytes and no more; the twin in use copies whole values."""
    size = min(size, len(data))
    buf = bytearray(b"\xaa" * 50)
    raw.put_bytes(buf, 3, data, size)
    assert buf == b"\xaa" * 3 + data[:size] + b"\xaa" * (47 - size)
    out = Packer(1)
    out.append(data)
    out.append(data[:size])
    assert out.getvalue() == data + data[:size]


@given(st.binary(max_size=100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 2**32 - 1))
def test_crc_is_zlibs(data: bytes, at: int, size: int, start: int) -> None:
    """crc32 and crc32_out agree with zlib over any part, going on from any earlier sum."""
    expected = zlib.crc32(data[at : at + size], start)
    assert raw.crc32(data, at, size, start) == expected
    buf = bytearray(data)
    assert raw.crc32_out(buf, at, size, start) == expected
    buf.append(0)  # no view may be left behind, or the buffer could not grow


def test_this_builds_crc_is_zlibs() -> None:
    """The twin in use agrees with zlib at every length and alignment around its eight-byte step."""
    noise = bytes(zlib.crc32(bytes([n])) & 0xFF for n in range(64))
    for size in range(64):
        body = noise[:size]
        sent = frame(0x45, 7, body)
        assert struct.unpack_from("<I", sent, 12)[0] == zlib.crc32(sent[:12] + body)
        reader = FrameReader()
        reader.feed(frame(0x2A, 0, noise[: size % 8]) + sent)
        assert reader.take() and reader.take()
        assert reader.body() == body
