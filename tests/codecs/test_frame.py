"""Frames: layout, splitting, and what is refused when."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.frame import (
    BODY_BYTES_BEFORE_WELCOME,
    FAULT_TEXT,
    HEADER_BYTES,
    Fault,
    FrameReader,
    PeerError,
    begin_frame,
    end_frame,
    frame,
)
from liftgate.codecs.pack import Packer

FRAMES = st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=200))


def laid_out(kind: int, ref: int, body: bytes) -> bytes:
    """Return the frame as protocol.md lays it out, by struct and zlib alone."""
    head = struct.pack("<2sBBII", b"LG", 1, kind, len(body), ref)
    return head + struct.pack("<I", zlib.crc32(head + body)) + body


def taken(reader: FrameReader) -> list[tuple[int, int, bytes]]:
    """Return all whole frames the reader has."""
    frames = []
    while reader.take():
        frames.append((reader.kind, reader.ref, reader.body()))
    return frames


def fault_of(data: bytes, body_bytes_max: int = BODY_BYTES_BEFORE_WELCOME) -> Fault | None:
    """Return what a reader makes of these bytes, None where it waits for more or has a frame."""
    reader = FrameReader()
    reader.body_bytes_max = body_bytes_max
    reader.feed(data)
    try:
        reader.take()
    except PeerError as error:
        return error.code
    return None


@given(FRAMES)
def test_layout(parts: tuple[int, int, bytes]) -> None:
    """A frame is the header of protocol.md, the CRC over it and the body, and the body."""
    assert frame(*parts) == laid_out(*parts)


@given(st.lists(FRAMES, max_size=6))
def test_frames_written_in_place(frames: list[tuple[int, int, bytes]]) -> None:
    """begin_frame and end_frame append to whatever a packer holds, and give the same bytes as frame()."""
    out = Packer(1)
    for kind, ref, body in frames:
        at = begin_frame(out, kind, ref)
        out.append(body)
        end_frame(out, at)
    assert out.getvalue() == b"".join(laid_out(*parts) for parts in frames)


def test_a_used_buffer_leaves_nothing_in_a_frame() -> None:
    """A packer set back to 0 writes a clean header over what was there."""
    out = Packer(1)
    out.append(b"\xff" * 100)
    out.n = 0
    end_frame(out, begin_frame(out, 0x2A, 3))
    assert out.getvalue() == laid_out(0x2A, 3, b"")


@given(st.lists(FRAMES, max_size=5), st.lists(st.integers(0, 1200), max_size=12))
def test_any_split_gives_the_same_frames(frames: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    """Frames fed in pieces of any size come out as they went in."""
    stream = b"".join(laid_out(*parts) for parts in frames)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    reader = FrameReader()
    found = []
    for start, end in zip(edges, edges[1:], strict=False):
        reader.feed(stream[start:end])
        found += taken(reader)
    assert found == frames


def test_only_an_unfinished_frame_is_kept() -> None:
    """Frames that were taken are let go of at the next feed, and all bytes once none are left over."""
    whole = laid_out(0x45, 1, bytes(100))
    reader = FrameReader()
    reader.feed(whole * 50 + whole[:30])
    assert len(taken(reader)) == 50
    reader.feed(whole[30:40])
    assert len(reader.data) == 40
    reader.feed(whole[40:])
    assert len(taken(reader)) == 1
    assert reader.data == b""


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        (b"", None),
        (b"L", None),
        (b"LG", None),
        (b"LG\x01", None),
        (b"G", Fault.BAD_MAGIC),
        (b"LX", Fault.BAD_MAGIC),
        (b"XG\x01", Fault.BAD_MAGIC),
        (b"GET / HTTP/1.1\r\n\r\n", Fault.BAD_MAGIC),
        (b"\x16\x03\x01\x02\x00\x01", Fault.BAD_MAGIC),
        (b"LG\x00", Fault.BAD_VERSION),
        (b"LG\x02", Fault.BAD_VERSION),
        (b"LG\x02" + bytes(20), Fault.BAD_VERSION),
        (b"LX\x02" + bytes(20), Fault.BAD_MAGIC),
    ],
)
def test_strangers_are_known_by_their_first_bytes(start: bytes, fault: Fault | None) -> None:
    """Magic and version are judged as soon as their bytes are there, magic first."""
    assert fault_of(start) == fault


@pytest.mark.parametrize("limit", [0, 64, BODY_BYTES_BEFORE_WELCOME, 65_536])
def test_length_is_judged_before_the_body(limit: int) -> None:
    """A body at the limit is read; one byte more is refused by its header, the body unsent."""
    assert fault_of(laid_out(0x10, 1, bytes(limit + 1))[:HEADER_BYTES], limit) is Fault.TOO_LONG
    assert fault_of(laid_out(0x10, 1, bytes(limit))[: HEADER_BYTES + limit - 1], limit) is None
    reader = FrameReader()
    reader.body_bytes_max = limit
    reader.feed(laid_out(0x10, 1, bytes(limit)))
    assert taken(reader) == [(0x10, 1, bytes(limit))]


def test_the_largest_length_there_is() -> None:
    """A claim of 2**32-1 bytes is too long, not negative."""
    assert fault_of(b"LG\x01\x10" + b"\xff" * 12, 65_536) is Fault.TOO_LONG


@given(FRAMES, st.data())
def test_any_flipped_bit_is_found(parts: tuple[int, int, bytes], data: st.DataObject) -> None:
    """A frame with one bit flipped is refused or waited on, never taken."""
    damaged = bytearray(laid_out(*parts))
    bit = data.draw(st.integers(0, 8 * len(damaged) - 1))
    damaged[bit // 8] ^= 1 << bit % 8
    reader = FrameReader()
    reader.feed(bytes(damaged))
    try:
        assert not reader.take()
        assert 4 <= bit // 8 < 8, "only a length that grew can be waited on"
    except PeerError as error:
        assert error.fatal


@given(st.binary(max_size=100), st.booleans())
def test_garbage_gives_only_peer_errors(data: bytes, headed: bool) -> None:
    """Random bytes, with or without a good start, never raise anything but a fatal PeerError."""
    reader = FrameReader()
    reader.feed(b"LG\x01" + data if headed else data)
    try:
        taken(reader)
    except PeerError as error:
        assert error.fatal


def test_faults_are_those_of_the_protocol() -> None:
    """Codes 1 to 14 keep their numbers, each has a text, and those that end no connection are named here."""
    assert [fault.value for fault in Fault][:14] == list(range(1, 15))
    assert set(FAULT_TEXT) == set(Fault)
    lasting = {fault for fault in Fault if not PeerError(fault).fatal}
    assert lasting == {Fault.UNKNOWN_TYPE, Fault.UNAVAILABLE, Fault.POSITION_GONE}


def test_peer_error_says_what_and_for_whom() -> None:
    """An error carries code, ref and a text, the code's own where none is given."""
    error = PeerError(Fault.BAD_FIELD, "lane 256", 9)
    assert (error.code, error.text, error.ref, str(error)) == (6, "lane 256", 9, "lane 256")
    assert PeerError(Fault.BAD_CRC).text == FAULT_TEXT[Fault.BAD_CRC]
