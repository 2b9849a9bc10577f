"""MessagePack, read field by field: the other half of `pack.py`."""

from typing import Any

from liftgate.codecs import raw

DEPTH_MAX = 16
"""Nesting that is read. Nothing in the protocol needs 5; a bound keeps hostile input off the C stack."""


class Malformed(ValueError):
    """The bytes are not MessagePack, end too early, or nest deeper than DEPTH_MAX."""


def _take(source: "Unpacker", size: int) -> int:
    """Step over that many bytes; where they begin. No method: compiled, it goes into who calls it."""
    at = source.at
    if size > source.end - at:
        raise Malformed("value ends too early")
    source.at = at + size
    return at


class Unpacker:
    """Reads MessagePack values from bytes, one call a value.

    data: the bytes; at: where the next value starts; end: where reading must stop. Every method raises
    Malformed when the value there is of another type or does not end before `end`.
    """

    def __init__(self, data: bytes, at: int = 0, end: int = -1) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end < 0 else end

    def uint(self) -> int:
        code = self.data[_take(self, 1)]
        if code < 0x80:
            return code
        if code == 0xCC:
            return self.data[_take(self, 1)]
        if code == 0xCD:
            return raw.get_u16(self.data, _take(self, 2))
        if code == 0xCE:
            return raw.get_u32(self.data, _take(self, 4))
        if code == 0xCF:
            return raw.get_u64(self.data, _take(self, 8))
        raise Malformed("no unsigned integer here")

    def sint(self) -> int:
        """Read an integer of either sign, -2**63..2**63-1."""
        if self.end <= self.at:
            raise Malformed("value ends too early")
        code = self.data[self.at]
        if code < 0x80 or 0xCC <= code <= 0xCF:
            wide = self.uint()  # a name of its own: compiled, `value` is signed and would have wrapped
            if wide >> 63:
                raise Malformed("integer too large")
            return wide
        self.at += 1
        if code >= 0xE0:
            return code - 0x100
        if code == 0xD0:
            value = self.data[_take(self, 1)]
            return value - 0x100 if value >= 0x80 else value
        if code == 0xD1:
            value = raw.get_u16(self.data, _take(self, 2))
            return value - 0x10000 if value >= 0x8000 else value
        if code == 0xD2:
            value = raw.get_u32(self.data, _take(self, 4))
            return value - 0x100000000 if value >= 0x80000000 else value
        if code == 0xD3:
            half = raw.get_u32(self.data, self.at) if self.end - self.at >= 8 else 0
            low = raw.get_u32(self.data, _take(self, 8) + 4)
            return ((half - 0x100000000 if half >= 0x80000000 else half) << 32) + low
        raise Malformed("no integer here")

    def boolean(self) -> bool:
        code = self.data[_take(self, 1)]
        if code == 0xC3:
            return True
        if code == 0xC2:
            return False
        raise Malformed("no boolean here")

    def nil_next(self) -> bool:
        """Step over a nil and return True, or return False and stay."""
        if self.at < self.end and self.data[self.at] == 0xC0:
            self.at += 1
            return True
        return False

    def binary(self) -> bytes:
        code = self.data[_take(self, 1)]
        if code == 0xC4:
            size = self.data[_take(self, 1)]
        elif code == 0xC5:
            size = raw.get_u16(self.data, _take(self, 2))
        elif code == 0xC6:
            size = raw.get_u32(self.data, _take(self, 4))
        else:
            raise Malformed("no bytes here")
        at = _take(self, size)
        return raw.get_bytes(self.data, at, size)

    def binary_or_nil(self) -> bytes | None:
        return None if self.nil_next() else self.binary()

    def text(self) -> str:
        size = self._text_size()
        at = _take(self, size)
        try:
            return raw.get_text(self.data, at, size)
        except UnicodeDecodeError as error:
            raise Malformed("text is not UTF-8") from error

    def text_or_nil(self) -> str | None:
        return None if self.nil_next() else self.text()

    def _text_size(self) -> int:
        code = self.data[_take(self, 1)]
        if 0xA0 <= code < 0xC0:
            return code & 0x1F
        if code == 0xD9:
            return self.data[_take(self, 1)]
        if code == 0xDA:
            return raw.get_u16(self.data, _take(self, 2))
        if code == 0xDB:
            return raw.get_u32(self.data, _take(self, 4))
        raise Malformed("no text here")

    def array(self) -> int:
        """Read the head of an array and return how many values follow."""
        code = self.data[_take(self, 1)]
        if 0x90 <= code < 0xA0:
            return code & 0x0F
        if code == 0xDC:
            return raw.get_u16(self.data, _take(self, 2))
        if code == 0xDD:
            return raw.get_u32(self.data, _take(self, 4))
        raise Malformed("no array here")

    def mapping(self) -> int:
        """Read the head of a map and return how many pairs follow."""
        code = self.data[_take(self, 1)]
        if 0x80 <= code < 0x90:
            return code & 0x0F
        if code == 0xDE:
            return raw.get_u16(self.data, _take(self, 2))
        if code == 0xDF:
            return raw.get_u32(self.data, _take(self, 4))
        raise Malformed("no map here")

    def value(self, depth: int = 0) -> Any:
        """Read any value that `Packer.value` writes; arrays come as lists."""
        if self.at >= self.end:
            raise Malformed("value ends too early")
        code = self.data[self.at]
        if code == 0xC0:
            self.at += 1
            return None
        if code == 0xC2 or code == 0xC3:
            return self.boolean()
        if 0x90 <= code < 0xA0 or code == 0xDC or code == 0xDD:
            return [self.value(depth + 1) for _ in range(self._fitting(self.array(), depth))]
        if 0x80 <= code < 0x90 or code == 0xDE or code == 0xDF:
            return self._pairs(depth)
        if 0xA0 <= code < 0xC0 or 0xD9 <= code <= 0xDB:
            return self.text()
        if 0xC4 <= code <= 0xC6:
            return self.binary()
        if code == 0xCF:
            return self.uint()
        return self.sint()

    def _pairs(self, depth: int) -> dict[Any, Any]:
        pairs: dict[Any, Any] = {}
        for _ in range(self._fitting(self.mapping(), depth)):
            key = self.value(depth + 1)
            if isinstance(key, list | dict):
                raise Malformed("a map's key is a container")
            pairs[key] = self.value(depth + 1)
        return pairs

    def _fitting(self, count: int, depth: int) -> int:
        """Refuse a level too many, or a count that the bytes left cannot hold, before anything is built."""
        if depth >= DEPTH_MAX:
            raise Malformed("nested too deep")
        if count > self.end - self.at:
            raise Malformed("container ends too early")
        return count

    def packed(self) -> bytes:
        """Read one value of any type and leave it as it is."""
        start = self.at
        self.skip()
        return self.data[start : self.at]

    def skip(self, depth: int = 0) -> None:
        """Step over one value of any MessagePack type."""
        code = self.data[_take(self, 1)]
        if code < 0x80 or code >= 0xE0 or 0xC0 <= code <= 0xC3:
            if code == 0xC1:
                raise Malformed("0xC1 is never used")
            return
        if code < 0x90:
            self._skip_many(2 * (code & 0x0F), depth)
        elif code < 0xA0:
            self._skip_many(code & 0x0F, depth)
        elif code < 0xC0:
            _take(self, code & 0x1F)
        elif 0xDC <= code:
            self.at -= 1
            self._skip_wide(code, depth)
        else:
            self._skip_sized(code)

    def _skip_many(self, count: int, depth: int) -> None:
        for _ in range(self._fitting(count, depth)):
            self.skip(depth + 1)

    def _skip_wide(self, code: int, depth: int) -> None:
        if code <= 0xDD:
            self._skip_many(self.array(), depth)
        else:
            self._skip_many(2 * self.mapping(), depth)

    def _skip_sized(self, code: int) -> None:
        """The types with a length of their own: bin, ext, float, int, fixext, str."""
        if code in (0xC4, 0xC7, 0xD9):
            size = self.data[_take(self, 1)]
        elif code in (0xC5, 0xC8, 0xDA):
            size = raw.get_u16(self.data, _take(self, 2))
        elif code in (0xC6, 0xC9, 0xDB):
            size = raw.get_u32(self.data, _take(self, 4))
        elif code in (0xCC, 0xD0):
            size = 1
        elif code in (0xCD, 0xD1):
            size = 2
        elif code in (0xCA, 0xCE, 0xD2):
            size = 4
        elif code in (0xCB, 0xCF, 0xD3):
            size = 8
        else:
            size = 1 + (1 << (code - 0xD4))
        if 0xC7 <= code <= 0xC9:
            size += 1
        _take(self, size)
