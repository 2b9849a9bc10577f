"""Events as plain values for JSON: what `liftgate tail` prints and the stream sends."""

from collections.abc import Callable
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec.structs import astuple

from liftgate.codecs.events import Event
from liftgate.codecs.events.readers import Rare, ScanDecided
from liftgate.codecs.events.registry import ReaderKeyRotated, ReaderRegistered, check_of

Convert = Callable[[Any], Any]
Values = Callable[[Event], list[Any]]
"""An event's values in the order of `names`."""

_PLAIN_ALREADY = frozenset((int, str, bool, float, type(None)))
"""Most values, and looked at first: who follows the feed asks for some twenty an event."""


def fields(event: Event) -> dict[str, Any]:
    """The event's fields by name, bytes as hex digits. A scan's price, trace and marks are fields, too."""
    return dict(zip(names(type(event)), values(event), strict=True))


def values(event: Event) -> list[Any]:
    """The fields' values in the order of `names`: for whoever has the names already."""
    return values_of(type(event))(event)


@cache
def values_of(event_type: type[Event]) -> Values:
    """What makes `values` of events of this type: for whoever has many of them."""
    steps = conversions(event_type)

    def made(event: Event) -> list[Any]:
        found = [*astuple(event)]
        for place, convert in steps:
            found[place] = convert(found[place])
        if isinstance(event, ScanDecided):
            unfold_rare(found, event)
        return found

    return made


def unfold_rare(found: list[Any], event: ScanDecided) -> None:
    """Put price, trace and marks in place of what holds them, the last of a scan's fields; few have any."""
    if event.rare is None:
        found[-1:] = None, None, {}
    else:
        found[-1:] = plain(event.price), plain(event.trace), plain(event.marks)


def shown(event: Event) -> dict[str, Any]:
    """The event's fields for a screen or a log: of a reader's key, which is nobody's to see even wrapped,
    only what tells it from another.
    """
    named = fields(event)
    if isinstance(event, ReaderRegistered | ReaderKeyRotated):
        named["key"] = check_of(event.key)
    return named


def as_line(position: int, event: Event) -> str:
    """One event as a JSON object: position, type by name, then its fields."""
    named = {"position": position, "type": type(event).__name__, **shown(event)}
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


@cache
def names(event_type: type[Event]) -> tuple[str, ...]:
    """The names of the fields as `fields` gives them."""
    own = event_type.__struct_fields__
    return (*own[:-1], "price", "trace", "marks") if own[-1] == "rare" else own


@cache
def conversions(event_type: type[Event]) -> tuple[tuple[int, Convert], ...]:
    """(place, what makes it plain) of the fields that are not plain already, by their declared types.

    Asking each value again took three times as long.
    """
    hints = get_type_hints(event_type)
    kinds = [set(get_args(hints[name])) or {hints[name]} for name in event_type.__struct_fields__]
    return tuple(
        (place, to_hex if kind <= {bytes, type(None)} else plain)
        for place, kind in enumerate(kinds)
        if not kind <= {str, int, bool, type(None), Rare | None, Rare}
    )


def to_hex(value: bytes | None) -> str | None:
    """What makes bytes plain."""
    return None if value is None else value.hex()
