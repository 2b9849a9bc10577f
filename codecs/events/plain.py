"""Events as plain values for JSON: what `liftgate tail` prints and the stream sends."""

from typing import Any

import msgspec

from liftgate.codecs.events import Event
from liftgate.codecs.events.readers import ScanDecided

_PLAIN_ALREADY = frozenset((int, str, bool, float, type(None)))
"""Most values, and looked at first: who follows the feed asks for some twenty an event."""


def fields(event: Event) -> dict[str, Any]:
    """The event's fields by name, bytes as hex digits. A scan's price, trace and marks are fields, too."""
    named = {name: plain(getattr(event, name)) for name in event.__struct_fields__}
    if isinstance(event, ScanDecided):
        del named["rare"]
        named.update(price=plain(event.price), trace=plain(event.trace), marks=plain(event.marks))
    return named


def as_line(position: int, event: Event) -> str:
    """One event as a JSON object: position, type by name, then its fields."""
    named = {"position": position, "type": type(event).__name__, **fields(event)}
    return msgspec.json.encode(named).decode()


def plain(value: Any) -> Any:
    """The value with bytes as hex digits, at any depth."""
    if type(value) in _PLAIN_ALREADY:
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
