"""MessagePack, written from its specification alone, for the independent reader.

Encodes in the smallest form only. Decodes exactly one value; anything left over, cut short,
nested deeper than DEPTH_MAX or of an extension type raises Malformed.
"""

import struct
from typing import Any

DEPTH_MAX = 16  # the deepest message of version 1 (REPLAY of a LANE_STATUS) needs 5

_INT_TAGS = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_FLOAT_TAGS = {0xCA: ">f", 0xCB: ">d"}
_BIN_TAGS = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I"}
_STR_TAGS = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_ARRAY_TAGS = {0xDC: ">H", 0xDD: ">I"}
_MAP_TAGS = {0xDE: ">H", 0xDF: ">I"}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


class Malformed(Exception):
    """The bytes are not one MessagePack value of a kind the protocol uses."""


def pack(value: Any) -> bytes:
    """Return the shortest encoding of value; raises TypeError for a type the protocol lacks."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _pack_int(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        data = value.encode()
        return _head(len(data), 0xA0, 31, (0xD9, 0xDA, 0xDB)) + data
    if isinstance(value, bytes):
        return _head(len(value), 0, -1, (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, list | tuple):
        return _head(len(value), 0x90, 15, (None, 0xDC, 0xDD)) + b"".join(map(pack, value))
    if isinstance(value, dict):
        items = b"".join(pack(key) + pack(item) for key, item in value.items())
        return _head(len(value), 0x80, 15, (None, 0xDE, 0xDF)) + items
    raise TypeError(f"no MessagePack form for {type(value).__name__}")


def _pack_int(value: int) -> bytes:
    if 0 <= value <= 0x7F:
        return bytes((value,))
    if -32 <= value < 0:
        return struct.pack(">b", value)
    tags = (0xCC, 0xCD, 0xCE, 0xCF) if value > 0 else (0xD0, 0xD1, 0xD2, 0xD3)
    for tag in tags:
        try:
            return bytes((tag,)) + struct.pack(_INT_TAGS[tag], value)
        except struct.error:
            continue
    raise OverflowError(f"{value} does not fit 64 bits")


def _head(size: int, fixed: int, fixed_max: int, tags: tuple[int | None, int, int]) -> bytes:
    if size <= fixed_max:
        return bytes((fixed | size,))
    for tag, form, limit in zip(tags, (">B", ">H", ">I"), (0xFF, 0xFFFF, 0xFFFFFFFF), strict=True):
        if tag is not None and size <= limit:
            return bytes((tag,)) + struct.pack(form, size)
    raise OverflowError(f"{size} items do not fit 32 bits")


def unpack(data: bytes) -> Any:
    """Return the one value data holds, or raise Malformed."""
    unpacker = _Unpacker(data)
    value = unpacker.value(0)
    if unpacker.at != len(data):
        raise Malformed(f"{len(data) - unpacker.at} bytes after the value")
    return value


class _Unpacker:
    """A cursor over one body."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def value(self, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise Malformed("nested too deep")
        tag = self._take(1)[0]
        if tag <= 0x7F:
            return tag
        if tag >= 0xE0:
            return tag - 0x100
        if tag <= 0x8F:
            return self._map(tag & 0x0F, depth)
        if tag <= 0x9F:
            return self._array(tag & 0x0F, depth)
        if tag <= 0xBF:
            return self._str(tag & 0x1F)
        return self._tagged(tag, depth)

    def _tagged(self, tag: int, depth: int) -> Any:
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        if tag in _INT_TAGS or tag in _FLOAT_TAGS:
            return self._number(_INT_TAGS.get(tag) or _FLOAT_TAGS[tag])
        if tag in _BIN_TAGS:
            return self._take(self._number(_BIN_TAGS[tag]))
        if tag in _STR_TAGS:
            return self._str(self._number(_STR_TAGS[tag]))
        if tag in _ARRAY_TAGS:
            return self._array(self._number(_ARRAY_TAGS[tag]), depth)
        if tag in _MAP_TAGS:
            return self._map(self._number(_MAP_TAGS[tag]), depth)
        raise Malformed(f"tag {tag:#x} is not used here")

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise Malformed("value cut short")
        part = self.data[self.at : end]
        self.at = end
        return part

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _str(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError as error:
            raise Malformed("str is not UTF-8") from error

    def _array(self, size: int, depth: int) -> list[Any]:
        if size > len(self.data) - self.at:  # each item takes a byte at least
            raise Malformed("array longer than the body")
        return [self.value(depth + 1) for _ in range(size)]

    def _map(self, size: int, depth: int) -> dict[Any, Any]:
        if size > len(self.data) - self.at:
            raise Malformed("map longer than the body")
        pairs = [(self.value(depth + 1), self.value(depth + 1)) for _ in range(size)]
        try:
            return dict(pairs)
        except TypeError as error:
            raise Malformed("map key is an array or a map") from error
