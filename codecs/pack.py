"""MessagePack, written field by field.

`Packer` and `Unpacker` (`unpack.py`) serve the hot path: events into the journal and answers onto the
wire, without an object per value. Everything that is not hot goes through msgspec (`messages.py`). Both
write integers in their smallest form, as protocol.md asks, and the tests hold them to the `msgpack` package.

Source: the MessagePack specification, https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from typing import Any

from liftgate.codecs import raw, values


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
        self.n = values.put_nil(self.buf, self.n)

    def boolean(self, value: bool) -> None:
        self.reserve(1)
        self.buf[self.n] = 0xC3 if value else 0xC2
        self.n += 1

    def uint(self, value: int) -> None:
        """value: 0..2**64-1."""
        self.reserve(values.NUMBER_BYTES)
        self.n = values.put_uint(self.buf, self.n, value)

    def sint(self, value: int) -> None:
        """value: -2**63..2**63-1."""
        self.reserve(values.NUMBER_BYTES)
        self.n = values.put_sint(self.buf, self.n, value)

    def binary(self, value: bytes) -> None:
        self.reserve(len(value) + values.HEAD_BYTES)
        self.n = values.put_binary(self.buf, self.n, value)

    def binary_or_nil(self, value: bytes | None) -> None:
        if value is None:
            self.nil()
        else:
            self.binary(value)

    def text(self, value: str) -> None:
        self.reserve(values.text_bytes(value) + values.HEAD_BYTES)
        self.n = values.put_text(self.buf, self.n, value)

    def text_or_nil(self, value: str | None) -> None:
        if value is None:
            self.nil()
        else:
            self.text(value)

    def array(self, count: int) -> None:
        """Begin an array of `count` values; the caller writes them next."""
        self.reserve(values.HEAD_BYTES)
        self.n = values.put_array(self.buf, self.n, count)

    def mapping(self, count: int) -> None:
        """Begin a map of `count` pairs."""
        self.reserve(values.HEAD_BYTES)
        self.n = values.put_map(self.buf, self.n, count)

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
