"""Whether the text in an MQTT packet is UTF-8, before the codec sees it.

`mqtt5` 0.8 panics where text is not: a `BaseException` that no `except Exception` stops, and lines on stderr
for every such packet, both of which a stranger could have for a few bytes. So text is looked at first.
What is malformed in any other way the codec refuses by itself, as it does lengths that lead past the end.
"""

_BYTE, _TWO, _FOUR, _NUMBER, _BINARY, _TEXT, _PAIR = range(7)

_PROPERTIES = (
    dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), _BYTE)
    | dict.fromkeys((0x13, 0x21, 0x22, 0x23), _TWO)
    | dict.fromkeys((0x02, 0x11, 0x18, 0x27), _FOUR)
    | dict.fromkeys((0x09, 0x16), _BINARY)
    | dict.fromkeys((0x03, 0x08, 0x12, 0x15, 0x1A, 0x1C, 0x1F), _TEXT)
    | {0x0B: _NUMBER, 0x26: _PAIR}
)
"""Every property of MQTT 5 by its form (2.2.2.2)."""

_SIZES = {_BYTE: 1, _TWO: 2, _FOUR: 4}

CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE = 1, 3, 8, 10
_BEFORE_PROPERTIES = {2: 2, 9: 2, 11: 2, 14: 1, 15: 1}
"""Bytes before the properties: CONNACK, SUBACK, UNSUBACK, DISCONNECT, AUTH. Else packet id and reason: 3."""
_WILL, _USERNAME = 0x04, 0x80


class _Past(Exception):
    """A length leads past the end: the codec's to refuse."""


class _Walk:
    """A walk through one packet's body; every text that it passes is decoded."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def skip(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) < size:
            raise _Past
        self.at += size
        return piece

    def binary(self) -> bytes:
        return self.skip(int.from_bytes(self.skip(2), "big"))

    def text(self) -> None:
        self.binary().decode()

    def number(self) -> int:
        value = shift = 0
        while shift < 28:
            byte = self.skip(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise _Past

    def properties(self) -> None:
        """As the codec reads them: a property that begins within the length is read, wherever it ends."""
        end = self.number() + self.at
        while self.at < end:
            form = _PROPERTIES.get(self.number())
            if form in _SIZES:
                self.skip(_SIZES[form])
            elif form == _NUMBER:
                self.number()
            elif form == _BINARY:
                self.binary()
            elif form is None:
                raise _Past
            else:
                self.text()
                if form == _PAIR:
                    self.text()


def check_text(head: int, body: bytes) -> None:
    """Decode all text of a packet. head: its first byte. Raises UnicodeDecodeError."""
    if head >> 4 == PUBLISH and _is_plain(head, body):
        return
    try:
        _walk(head, _Walk(body))
    except _Past:
        return


def _is_plain(head: int, body: bytes) -> bool:
    """Whether a PUBLISH, which is nearly all that comes, has a topic of ASCII and no properties."""
    if len(body) < 5:
        return False
    topic_end = 2 + (body[0] << 8 | body[1])
    at = topic_end + (2 if head & 0x06 else 0)
    return at < len(body) and not body[at] and body[2:topic_end].isascii()


def _walk(head: int, walk: _Walk) -> None:
    kind = head >> 4
    if kind == CONNECT:
        _connect(walk)
    elif kind == PUBLISH:
        walk.text()
        if head & 0x06:
            walk.skip(2)
        walk.properties()
    elif kind in (SUBSCRIBE, UNSUBSCRIBE):
        walk.skip(2)
        walk.properties()
        while walk.at < len(walk.data):
            walk.text()
            if kind == SUBSCRIBE:
                walk.skip(1)
    else:
        walk.skip(_BEFORE_PROPERTIES.get(kind, 3))
        walk.properties()


def _connect(walk: _Walk) -> None:
    walk.text()
    walk.skip(1)
    flags = walk.skip(1)[0]
    walk.skip(2)
    walk.properties()
    walk.text()
    if flags & _WILL:
        walk.properties()
        walk.text()
        walk.binary()
    if flags & _USERNAME:
        walk.text()
