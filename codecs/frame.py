"""Frames: the 16-byte header of protocol.md, and splitting a byte stream into frames.

    offset 0 magic "LG" · 2 version · 3 type · 4 length u32 · 8 ref u32 · 12 crc u32, little-endian

A frame's length is judged before its body is waited for, and its CRC before its body is decoded.
"""

from enum import IntEnum

from liftgate.codecs import codes, raw
from liftgate.codecs.pack import Packer

HEADER_BYTES = codes.HEADER_BYTES
VERSION = 1
BODY_BYTES_BEFORE_WELCOME = 4096
BODY_BYTES_LIMIT = 65_536
"""What WELCOME may name at the very most (protocol.md)."""

_HEAD = b"LG\x01"


class Fault(IntEnum):
    """The codes of ERROR."""

    BAD_MAGIC = 1
    BAD_VERSION = 2
    TOO_LONG = 3
    BAD_CRC = 4
    BAD_BODY = 5
    BAD_FIELD = 6
    UNKNOWN_TYPE = 7
    REFUSED = 8
    NOT_ALLOWED = 9
    TOO_MANY_IN_FLIGHT = 10
    TOO_MANY_GAPS = 11
    UNAVAILABLE = 12
    NO_SUCH_LANE = 13
    TOO_SLOW = 14
    POSITION_GONE = 15


FAULT_TEXT = {
    Fault.BAD_MAGIC: "bad magic",
    Fault.BAD_VERSION: "version not spoken",
    Fault.TOO_LONG: "frame too long",
    Fault.BAD_CRC: "CRC mismatch",
    Fault.BAD_BODY: "body is not one MessagePack array, or too deep",
    Fault.BAD_FIELD: "wrong field type or range",
    Fault.UNKNOWN_TYPE: "unknown type",
    Fault.REFUSED: "sign-on refused",
    Fault.NOT_ALLOWED: "not allowed in this state or role",
    Fault.TOO_MANY_IN_FLIGHT: "too many in flight",
    Fault.TOO_MANY_GAPS: "too many gaps: replay first",
    Fault.UNAVAILABLE: "engine is stopping or its disk is full",
    Fault.NO_SUCH_LANE: "lane not configured for this reader",
    Fault.TOO_SLOW: "too slow: output limit reached",
    Fault.POSITION_GONE: "position no longer kept",
}

_LASTING = frozenset({Fault.UNKNOWN_TYPE, Fault.UNAVAILABLE, Fault.POSITION_GONE})


class PeerError(Exception):
    """The peer broke the protocol: answer ERROR `code`, and close where `fatal`.

    ref: of the request that caused it, 0 where none can be named.
    """

    def __init__(self, code: Fault, text: str = "", ref: int = 0) -> None:
        super().__init__(text or FAULT_TEXT[code])
        self.code = code
        self.text = text or FAULT_TEXT[code]
        self.ref = ref
        self.fatal = code not in _LASTING


class FrameReader:
    """Splits what a peer sends into frames.

    feed() bytes, then call take() until it returns False. After True, `kind` and `ref` are the frame's,
    and its body is `data[body_at:body_end]` until the next call of either.
    """

    def __init__(self) -> None:
        self.data = b""
        self.at = 0
        self.kind = 0
        self.ref = 0
        self.body_at = 0
        self.body_end = 0
        self.body_bytes_max = BODY_BYTES_BEFORE_WELCOME

    def feed(self, data: bytes) -> None:
        """Add what was received. Only an unfinished frame is ever kept back: a frame's bytes at most."""
        if self.at >= len(self.data):
            self.data = data
        else:
            self.data = self.data[self.at :] + data
        self.at = 0

    def take(self) -> bool:
        """Step to the next whole frame; False: more bytes are needed.

        Raises PeerError for a bad magic, version, length or CRC.
        """
        data = self.data
        at = self.at
        left = len(data) - at
        if left < codes.HEADER_BYTES:
            if left > 0:
                self._refuse_head(left)
            else:
                self.drained()
            return False
        if data[at] != 0x4C or data[at + 1] != 0x47 or data[at + 2] != 1:
            self._refuse_head(left)
        size = raw.get_u32_le(data, at + 4)
        if size > self.body_bytes_max:
            raise PeerError(Fault.TOO_LONG)
        if left - codes.HEADER_BYTES < size:
            return False
        crc = raw.crc32(data, at + codes.HEADER_BYTES, size, raw.crc32(data, at, 12, 0))
        if crc != raw.get_u32_le(data, at + 12):
            raise PeerError(Fault.BAD_CRC)
        self.kind = data[at + 3]
        self.ref = raw.get_u32_le(data, at + 8)
        self.body_at = at + codes.HEADER_BYTES
        self.body_end = self.at = at + codes.HEADER_BYTES + size
        return True

    def drained(self) -> bool:
        """Whether nothing is left of what was fed; if so, let go of it."""
        if self.at < len(self.data):
            return False
        self.data = b""
        self.at = 0
        return True

    def _refuse_head(self, left: int) -> None:
        """Judge magic and version as soon as their bytes are there: a stranger need not send 16."""
        head = self.data[self.at : self.at + min(left, 3)]
        if head[:2] != _HEAD[: min(left, 2)]:
            raise PeerError(Fault.BAD_MAGIC)
        if head != _HEAD[: len(head)]:
            raise PeerError(Fault.BAD_VERSION)

    def body(self) -> bytes:
        """The current frame's body."""
        return self.data[self.body_at : self.body_end]


def begin_frame(out: Packer, kind: int, ref: int) -> int:
    """Append a frame's header to `out` and return where it starts; the body is packed next."""
    out.reserve(codes.HEADER_BYTES)
    at = out.n
    raw.put_bytes(out.buf, at, _HEAD, 3)
    out.buf[at + 3] = kind
    raw.put_u32_le(out.buf, at + 8, ref)
    out.n = at + codes.HEADER_BYTES
    return at


def end_frame(out: Packer, at: int) -> None:
    """Fill in length and CRC of the frame begun at `at`."""
    buf = out.buf
    size = out.n - at - codes.HEADER_BYTES
    raw.put_u32_le(buf, at + 4, size)
    crc = raw.crc32_out(buf, at + codes.HEADER_BYTES, size, raw.crc32_out(buf, at, 12, 0))
    raw.put_u32_le(buf, at + 12, crc)


def frame(kind: int, ref: int, body: bytes) -> bytes:
    """One whole frame."""
    out = Packer(codes.HEADER_BYTES + len(body))
    at = begin_frame(out, kind, ref)
    out.append(body)
    end_frame(out, at)
    return out.getvalue()
