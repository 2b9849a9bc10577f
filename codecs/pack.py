"""MessagePack, written field by field.

`Packer` and `Unpacker` (`unpack.py`) serve the hot path: events into the journal and answers onto the
wire, without an object per value. Everything that is not hot goes through msgspec (`messages.py`). Both
write integers in their smallest form, as protocol.md asks, and the tests hold them to the `msgpack` package.

Source: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from typing import Any

from liftgate.codecs import raw


class Packer:
    """Appends MessagePack values to one growing buffer.

    buf: the buffer; its first `n` bytes are what was written. The owner may set `n` back to 0 and go on.
    """

    def __init__(self, size: int = 256) -> None:
        self.buf = bytearray(size)
        self.n = 0

    def reserve(self, size: int) -> None:
        """Make room for `size` more bytes; doubles, so appending stays linear."""
        short = self.n + size - len(self.buf)
        if short > 0:
            self.buf.extend(bytes(max(short, len(self.buf))))

    def nil(self) -> None:
        self.reserve(1)
        self.buf[self.n] = 0xC0
        self.n += 1

    def boolean(self, value: bool) -> None:
        self.reserve(1)
        self.buf[self.n] = 0xC3 if value else 0xC2
        self.n += 1

    def uint(self, value: int) -> None:
        """value: 0..2**64-1."""
        buf = self.buf
        at = self.n
        if len(buf) - at < 9:
            self.reserve(9)
        if value < 0x80:
            buf[at] = value
            self.n = at + 1
        elif value < 0x100:
            buf[at] = 0xCC
            buf[at + 1] = value
            self.n = at + 2
        elif value < 0x10000:
            buf[at] = 0xCD
            raw.put_u16(buf, at + 1, value)
            self.n = at + 3
        elif not value >> 32:
            buf[at] = 0xCE
            raw.put_u32(buf, at + 1, value)
            self.n = at + 5
        else:
            buf[at] = 0xCF
            raw.put_u64(buf, at + 1, value)
            self.n = at + 9

    def sint(self, value: int) -> None:
        """value: -2**63..2**63-1."""
        if value >= 0:
            self.uint(value)
        else:
            self._negative(value)

    def _negative(self, value: int) -> None:
        self.reserve(9)
        buf = self.buf
        at = self.n
        if value >= -0x20:
            buf[at] = value + 0x100
            self.n = at + 1
        elif value >= -0x80:
            buf[at] = 0xD0
            buf[at + 1] = value + 0x100
            self.n = at + 2
        elif value >= -0x8000:
            buf[at] = 0xD1
            raw.put_u16(buf, at + 1, value & 0xFFFF)
            self.n = at + 3
        elif value >= -0x80000000:
            buf[at] = 0xD2
            raw.put_u32(buf, at + 1, value & 0xFFFFFFFF)
            self.n = at + 5
        else:
            buf[at] = 0xD3
            raw.put_u64(buf, at + 1, value & 0xFFFFFFFFFFFFFFFF)
            self.n = at + 9

    def binary(self, value: bytes) -> None:
        size = len(value)
        at = self._sized(size, 0xC4)
        raw.put_bytes(self.buf, at, value, size)
        self.n = at + size

    def binary_or_nil(self, value: bytes | None) -> None:
        if value is None:
            self.nil()
        else:
            self.binary(value)

    def text(self, value: str) -> None:
        size = raw.utf8_size(value)
        if size < 0x20:
            self.reserve(size + 1)
            at = self.n + 1
            self.buf[at - 1] = 0xA0 | size
        else:
            at = self._sized(size, 0xD9)
        raw.put_text(self.buf, at, value, size)
        self.n = at + size

    def _sized(self, size: int, code: int) -> int:
        """Write the head of `size` bytes; `code` is that of 8 bit sizes, the next two those of 16 and 32 bit.

        Returns where the bytes belong; there is room for them.
        """
        self.reserve(size + 5)
        buf = self.buf
        at = self.n
        if size < 0x100:
            buf[at] = code
            buf[at + 1] = size
            return at + 2
        if size < 0x10000:
            buf[at] = code + 1
            raw.put_u16(buf, at + 1, size)
            return at + 3
        buf[at] = code + 2
        raw.put_u32(buf, at + 1, size)
        return at + 5

    def text_or_nil(self, value: str | None) -> None:
        if value is None:
            self.nil()
        else:
            self.text(value)

    def array(self, count: int) -> None:
        """Begin an array of `count` values; the caller writes them next."""
        self._begin(count, 0x90, 0xDC)

    def mapping(self, count: int) -> None:
        """Begin a map of `count` pairs."""
        self._begin(count, 0x80, 0xDE)

    def _begin(self, count: int, fix: int, wide: int) -> None:
        self.reserve(5)
        buf = self.buf
        at = self.n
        if count < 0x10:
            buf[at] = fix | count
            self.n = at + 1
        elif count < 0x10000:
            buf[at] = wide
            raw.put_u16(buf, at + 1, count)
            self.n = at + 3
        else:
            buf[at] = wide + 1
            raw.put_u32(buf, at + 1, count)
            self.n = at + 5

    def append(self, value: bytes) -> None:
        """Append bytes that are MessagePack (or a frame header) already."""
        size = len(value)
        self.reserve(size)
        raw.put_bytes(self.buf, self.n, value, size)
        self.n += size

    def value(self, value: Any) -> None:
        """Write nil, bool, int, str, bytes, and lists, tuples and dicts of them.

        Raises TypeError for anything else (floats have no place in this protocol), OverflowError for an
        integer outside -2**63..2**64-1.
        """
        if value is None:
            self.nil()
        elif value is True or value is False:
            self.boolean(value)
        elif isinstance(value, int):
            self._integer(value)
        elif isinstance(value, str):
            self.text(value)
        elif isinstance(value, bytes):
            self.binary(value)
        elif isinstance(value, list | tuple):
            self.array(len(value))
            for item in value:
                self.value(item)
        elif isinstance(value, dict):
            self.mapping(len(value))
            for key, item in value.items():
                self.value(key)
                self.value(item)
        else:
            raise TypeError(f"{type(value).__name__} is not packed")

    def _integer(self, value: int) -> None:
        if not -(1 << 63) <= value < 1 << 64:
            raise OverflowError("integer needs more than 64 bits")
        if value < 0:
            self.sint(value)
        else:
            self.uint(value)

    def getvalue(self) -> bytes:
        """What was written, as a copy."""
        return bytes(self.buf[: self.n])
