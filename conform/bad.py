"""Frames that break the protocol, each in one way, with the ERROR code that names it.

The first list is what `tests/vectors/wire_v1.json` calls bad, made here byte for byte (a test holds that): a
signed-on reader sends it. The second is for the other direction.
"""

from typing import Any, NamedTuple

from liftgate.conform.wire import BODY_BYTES_MAX_AT_FIRST, frame, frame_of, pack

SCAN, DISPLAY, PING, UNKNOWN = 0x10, 0x22, 0x2A, 0x7F
AT_MS = 1_795_348_801_234
REF = 3


class Bad(NamedTuple):
    """name: how it is wrong; error: the code; frame: the bytes."""

    name: str
    error: int
    frame: bytes


def _scan(no: Any = 1, kind: int = 1, token: Any = b"x", lane: int = 0, ref: int = REF) -> bytes:
    return frame(SCAN, ref, no, AT_MS, lane, kind, token)


def _raw(raw: bytes) -> bytes:
    return frame_of(SCAN, REF, raw)


def _flipped(at: int) -> bytes:
    """A good scan with one bit of the byte at `at` turned."""
    good = bytearray(frame(SCAN, REF, 1, AT_MS, 0, 1, b"LG1:6BFOXN"))
    good[at] ^= 1
    return bytes(good)


def header(kind: int, length: int) -> bytes:
    """The header alone of a frame whose body is never sent."""
    return frame_of(kind, 1, b"", length=length, crc=0)


TO_ENGINE = (
    Bad("wrong magic", 1, frame_of(PING, 0, pack(), magic=b"GL")),
    Bad("version 9", 2, frame_of(PING, 0, pack(), version=9)),
    Bad("length over the limit, body never sent", 3, header(SCAN, 70_000)),
    Bad("body bit flipped", 4, _flipped(20)),
    Bad("ref bit flipped", 4, _flipped(8)),
    Bad("crc zero", 4, frame_of(SCAN, REF, pack(1, AT_MS, 0, 1, b"x"), crc=0)),
    Bad("body is not an array", 5, _raw(b"\x81\xa2no\x01")),
    Bad("empty body", 5, _raw(b"")),
    Bad("two values in one body", 5, _raw(pack(1, AT_MS, 0, 1, b"x") + pack())),
    Bad("truncated value", 5, _raw(pack(1, AT_MS, 0, 1, b"xyz")[:-1])),
    Bad("nested 100 deep", 5, _raw(b"\x91" * 100 + b"\x90")),
    Bad("array claims 2^32-1 items", 5, _raw(b"\xdd\xff\xff\xff\xff")),
    Bad("no is a string", 6, _scan(no="1")),
    Bad("no is 0", 6, _scan(no=0)),
    Bad("no is negative", 6, _scan(no=-1)),
    Bad("token is str, not bin", 6, _scan(token="x")),
    Bad("token of 513 bytes", 6, _scan(token=bytes(513))),
    Bad("kind 9", 6, _scan(kind=9)),
    Bad("fields missing", 6, frame(SCAN, REF, 1, AT_MS, 0)),
    Bad("lane 256", 6, _scan(lane=256)),
    Bad("request with ref 0", 6, _scan(ref=0)),
    Bad("unknown type, not fatal", 7, frame(UNKNOWN, REF)),
)

TO_READER = (
    Bad("CRC of another body", 4, frame_of(DISPLAY, REF, pack(0, "no", 1), crc=1)),
    Bad("wrong magic", 1, frame_of(PING, 0, pack(), magic=b"GL")),
    Bad("version 9", 2, frame_of(PING, 0, pack(), version=9)),
    Bad("length over the limit, body never sent", 3, header(DISPLAY, BODY_BYTES_MAX_AT_FIRST + 1)),
    Bad("body is not an array", 5, frame_of(DISPLAY, REF, b"\x80")),
    Bad("text is bin, not str", 6, frame(DISPLAY, REF, 0, b"no", 1)),
)
"""The first is judged by itself: a flipped bit is what really happens on a line."""
