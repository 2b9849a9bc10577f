"""Frames of protocol version 1: header, checks in the order the protocol names, and field shapes."""

import struct
import zlib
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from tests.independent.packing import Malformed, pack, unpack

_HEADER = struct.Struct("<2sBBIII")
HEADER_BYTES = _HEADER.size
FIRST_FRAME_BYTES_MAX = 4096  # until WELCOME names another


class Type(IntEnum):
    """Message types of both roles."""

    HELLO = 0x01
    CHALLENGE = 0x02
    AUTH = 0x03
    WELCOME = 0x04
    SCAN = 0x10
    DECISION = 0x11
    PASSAGE = 0x12
    LANE_STATUS = 0x13
    ACK = 0x14
    REPLAY = 0x15
    REPLAYED = 0x16
    VEND = 0x20
    SET_LANE = 0x21
    DISPLAY = 0x22
    DONE = 0x23
    POLICY = 0x24
    TIME_ASK = 0x28
    TIME = 0x29
    PING = 0x2A
    PONG = 0x2B
    GOODBYE = 0x2E
    ERROR = 0x2F
    COMMAND = 0x40
    OUTCOME = 0x41
    QUERY = 0x42
    ANSWER = 0x43
    SUBSCRIBE = 0x44
    EVENTS = 0x45
    CURSOR = 0x46


class Frame(NamedTuple):
    """One frame: body is the decoded array, raw the body's bytes as they stood on the wire."""

    type: int
    ref: int
    body: list[Any]
    raw: bytes


class BadFrame(Exception):
    """The peer broke the protocol; code is the ERROR code that names how."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


def encode_body(message_type: int, ref: int, raw: bytes) -> bytes:
    """Return a frame around body bytes that are packed already."""
    start = struct.pack("<2sBBII", b"LG", 1, message_type, len(raw), ref)
    return start + struct.pack("<I", zlib.crc32(raw, zlib.crc32(start))) + raw


def encode(message_type: int, ref: int, *fields: Any) -> bytes:
    """Return the frame of one message."""
    return encode_body(message_type, ref, pack(list(fields)))


class Splitter:
    """Turns any pieces of a byte stream into frames; raises BadFrame at the first violation."""

    __slots__ = ("_buffer", "body_bytes_max")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.body_bytes_max = FIRST_FRAME_BYTES_MAX

    def feed(self, data: bytes) -> None:
        """Add received bytes."""
        self._buffer += data

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, or None until more bytes are fed."""
        if len(self._buffer) < HEADER_BYTES:
            return None
        magic, version, message_type, length, ref, crc = _HEADER.unpack_from(self._buffer)
        self._check_start(magic, version, length)
        end = HEADER_BYTES + length
        if len(self._buffer) < end:
            return None
        raw = bytes(self._buffer[HEADER_BYTES:end])
        if zlib.crc32(raw, zlib.crc32(bytes(self._buffer[:12]))) != crc:
            raise BadFrame(4, "CRC mismatch")
        del self._buffer[:end]
        return Frame(message_type, ref, _decode(message_type, raw), raw)

    def _check_start(self, magic: bytes, version: int, length: int) -> None:
        if magic != b"LG":
            raise BadFrame(1, f"magic {magic.hex()}")
        if version != 1:
            raise BadFrame(2, f"version {version}")
        if length > self.body_bytes_max:
            raise BadFrame(3, f"{length} bytes")


def _decode(message_type: int, raw: bytes) -> list[Any]:
    try:
        body = unpack(raw)
    except Malformed as error:
        raise BadFrame(5, str(error)) from error
    if not isinstance(body, list):
        raise BadFrame(5, "body is not an array")
    if message_type not in SHAPES:
        raise BadFrame(7, f"type {message_type:#x}")
    shape = SHAPES[message_type]
    if len(body) < len(shape) or not all(fits(field) for fits, field in zip(shape, body, strict=False)):
        raise BadFrame(6, f"{Type(message_type).name} {body!r}")
    return body


Check = Callable[[Any], bool]


def _uint(bits: int, least: int = 0, most: int | None = None) -> Check:
    top = (1 << bits) - 1 if most is None else most
    return lambda value: type(value) is int and least <= value <= top


def _bin(size_max: int, size_min: int = 0) -> Check:
    return lambda value: isinstance(value, bytes) and size_min <= len(value) <= size_max


def _str(size_max: int = 1 << 16) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= size_max


def _maybe(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _each(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _row(*checks: Check) -> Check:
    def fits(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) >= len(checks)
            and all(check(item) for check, item in zip(checks, value, strict=False))
        )

    return fits


def _map(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def _bool(value: Any) -> bool:
    return isinstance(value, bool)


def _any(_value: Any) -> bool:
    return True


_U8, _U16, _U32, _U64 = (_uint(bits) for bits in (8, 16, 32, 64))
_NO = _uint(64, 1)
_BIN16, _BIN32 = _bin(16, 16), _bin(32, 32)
_RANGES = _each(_row(_NO, _NO))
_EVENT = _uint(8, Type.SCAN, Type.LANE_STATUS)

SHAPES: dict[int, tuple[Check, ...]] = {
    Type.HELLO: (_uint(8, 1, 2), _str(64), _NO, _each(_U8), _BIN16, _str(64), _U32),
    Type.CHALLENGE: (_BIN16, _str(), _U64),
    Type.AUTH: (_BIN32,),
    Type.WELCOME: (_BIN32, _U64, _RANGES, _U32, _uint(32, 1, 65_536), _U32, _U64),
    Type.SCAN: (_NO, _U64, _U8, _uint(8, 1, 4), _bin(512)),
    Type.DECISION: (
        *(_NO, _uint(8, 1, 3), _U16, _maybe(_BIN16), _maybe(_str()), _str()),
        *(_maybe(_row(_U64, _str(3))), _uint(8, 1, 2), _U64),
    ),
    Type.PASSAGE: (_NO, _U64, _U8, _uint(8, 1, 4), _maybe(_BIN16)),
    Type.LANE_STATUS: (_NO, _U64, _U8, _uint(8, 0, 3), _bool, _each(_str())),
    Type.ACK: (_NO, _U64),
    Type.REPLAY: (_each(_row(_EVENT, _uint(8, 0, 3), _each(_any))),),
    Type.REPLAYED: (_U64, _RANGES, _each(_row(_NO, _U16)), _U64, _U32),
    Type.VEND: (_U8, _str()),
    Type.SET_LANE: (_U8, _uint(8, 1, 5)),
    Type.DISPLAY: (_U8, _str(), _U32),
    Type.DONE: (_bool, _str()),
    Type.POLICY: (_each(_any), _each(_any), _any),
    Type.TIME_ASK: (_U64,),
    Type.TIME: (_U64, _U64, _U64),
    Type.PING: (),
    Type.PONG: (),
    Type.GOODBYE: (_str(),),
    Type.ERROR: (_U16, _str(), _bool),
    Type.COMMAND: (_BIN16, _str(), _str(), _map),
    Type.OUTCOME: (_BIN16, _bool, _str(), _any, _U64),
    Type.QUERY: (_str(), _str(), _map),
    Type.ANSWER: (_bool, _str(), _any),
    Type.SUBSCRIBE: (_str(), _maybe(_U64)),
    Type.EVENTS: (_U64, _U64, _bin(1 << 16)),
    Type.CURSOR: (_U64,),
}
