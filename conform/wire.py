"""Frames as the kit sees them: split and judged in protocol.md's order of checks, and made, also wrong ones.

Written apart from codecs/frame.py, so that what the engine's codec gets wrong does not pass here. Field types
and ranges of a body are those of codecs/messages.py.
"""

import struct
import zlib
from typing import Any, NamedTuple

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.frame import PeerError

HEADER_BYTES = 16
BODY_BYTES_MAX_AT_FIRST = 4096
_HEADER = struct.Struct("<2sBBIII")

NAMES = {kind: cls.__name__ for kind, cls in m.MESSAGES.items()} | {0x13: "LaneStatus", 0x40: "Command"}


def name(kind: int) -> str:
    """A message type as protocol.md writes it."""
    plain = NAMES.get(kind)
    if plain is None:
        return f"type 0x{kind:02x}"
    return "".join(f"_{c}" if c.isupper() and at else c for at, c in enumerate(plain)).upper()


class Frame(NamedTuple):
    """One frame: body is the decoded array, raw its bytes as they stood on the wire."""

    kind: int
    ref: int
    body: list[Any]
    raw: bytes

    def __str__(self) -> str:
        return f"{name(self.kind)} {shown(self.body)}"


def shown(body: Any) -> str:
    """A body for people: bytes in hex, cut where it is long."""
    if isinstance(body, bytes):
        text = body.hex()
        return text if len(text) <= 16 else f"{text[:12]}…({len(body)} bytes)"
    if isinstance(body, list):
        items = [shown(item) for item in body[:12]] + ["…"] * (len(body) > 12)
        return f"[{', '.join(items)}]"
    return repr(body)


class BadFrame(Exception):
    """The peer broke the protocol; code is the ERROR code that names how."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def pack(*fields: Any) -> bytes:
    """A body: one array of these fields, integers in the smallest form."""
    return msgspec.msgpack.encode(fields)


def frame_of(
    kind: int,
    ref: int,
    raw: bytes,
    *,
    magic: bytes = b"LG",
    version: int = 1,
    length: int | None = None,
    crc: int | None = None,
) -> bytes:
    """A frame around a packed body; the keywords make a wrong one."""
    size = len(raw) if length is None else length
    start = _HEADER.pack(magic, version, kind, size, ref, 0)[:12]
    check = zlib.crc32(raw, zlib.crc32(start)) if crc is None else crc
    return start + struct.pack("<I", check) + raw


def frame(kind: int, ref: int, *fields: Any) -> bytes:
    """A whole frame of one message."""
    return frame_of(kind, ref, pack(*fields))


class Splitter:
    """Turns any pieces of a byte stream into frames.

    body_bytes_max: what the peer may send now; largest: the longest body so far; loose: the first body that
    was not in the smallest form, in hex, "" while there is none.
    """

    def __init__(self) -> None:
        self.body_bytes_max = BODY_BYTES_MAX_AT_FIRST
        self.largest = 0
        self.loose = ""
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def next_frame(self) -> Frame | None:
        """The next whole frame, None until more is fed. Raises BadFrame."""
        if len(self._data) < HEADER_BYTES:
            return None
        magic, version, kind, length, ref, crc = _HEADER.unpack_from(self._data)
        if magic != b"LG":
            raise BadFrame(1, f"magic {magic.hex()}")
        if version != 1:
            raise BadFrame(2, f"version {version}")
        if length > self.body_bytes_max:
            raise BadFrame(3, f"{name(kind)} of {length} bytes, {self.body_bytes_max} are allowed")
        end = HEADER_BYTES + length
        if len(self._data) < end:
            return None
        raw = self._data[HEADER_BYTES:end]
        if zlib.crc32(raw, zlib.crc32(self._data[:12])) != crc:
            raise BadFrame(4, f"CRC of {name(kind)}")
        self._data = self._data[end:]
        self.largest = max(self.largest, length)
        return Frame(kind, ref, self._body(kind, ref, raw), raw)

    def _body(self, kind: int, ref: int, raw: bytes) -> list[Any]:
        try:
            message = m.decode(kind, raw)
        except PeerError as error:
            raise BadFrame(int(error.code), f"{name(kind)} {raw[:64].hex()}: {error.text}") from error
        if message.REQUEST and not ref:
            raise BadFrame(6, f"{name(kind)} is a request, and its ref is 0")
        body: list[Any] = msgspec.msgpack.decode(raw)
        if not self.loose and msgspec.msgpack.encode(body) != raw:
            self.loose = f"{name(kind)} {raw[:64].hex()}"
        return body


def ranges(numbers: set[int], above: int = 0) -> list[list[int]]:
    """Numbers above `above` as [from, to] ranges, in order."""
    found: list[list[int]] = []
    for no in sorted(number for number in numbers if number > above):
        if found and found[-1][1] == no - 1:
            found[-1][1] = no
        else:
            found.append([no, no])
    return found
