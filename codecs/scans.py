"""The fast way for SCAN, which is nearly all that ever comes: fields into one object, no message each."""

from liftgate.codecs import codes, fields
from liftgate.codecs.unpack import Malformed, Unpacker


class ScanFields:
    """A SCAN's fields, filled anew for each.

    `parse` takes bodies that are exactly what protocol.md asks for. Whatever is unusual about one (a field
    too many, of another type, out of range) it leaves to `messages.decode`, which knows what to say.
    """

    def __init__(self) -> None:
        self.no = 0
        self.at_ms = 0
        self.lane = 0
        self.kind = 0
        self.token = b""
        self._source = Unpacker(b"")

    def parse(self, data: bytes, at: int, end: int) -> bool:
        """Read the body data[at:end]. False: let `messages.decode` judge it."""
        source = self._source
        source.data = data
        source.at = at
        source.end = end
        try:
            return self._fields(source)
        except Malformed:
            return False
        finally:
            source.data = b""

    def _fields(self, source: Unpacker) -> bool:
        if source.array() != 5:
            return False
        self.no = fields.take_uint(source)
        self.at_ms = fields.take_uint(source)
        lane = fields.take_uint(source)
        kind = fields.take_uint(source)
        self.token = fields.take_binary(source)
        if lane > 255 or kind < 1 or kind > 4 or not self.no or len(self.token) > codes.TOKEN_BYTES_MAX:
            return False
        self.lane = lane
        self.kind = kind
        return source.at == source.end
