"""A message's value, back as the event it tells of: for consumers written in Python."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from liftgate.codecs.events import EVENTS, Event, UnknownEvent
from liftgate.codecs.events.readers import SCAN_DECIDED, HistoryRecorded, Rare, ScanDecided
from liftgate.history.privacy import HASH_BYTES, KEY_BYTES_MIN, Hasher

BY_NAME = {event.__name__: event for event in EVENTS}


class Hashed(Hasher):
    """For `history/fold.py` over events from the stream, whose credentials are hashes already.

    A scan's token is the hash of its kind and token: with the kind put before it, as the fold does, its last
    bytes are what all other events have.
    """

    def __init__(self) -> None:
        super().__init__(bytes(KEY_BYTES_MIN))

    def _of(self, credential: bytes) -> bytes:
        return credential[-HASH_BYTES:]


def event_of(value: Mapping[str, Any]) -> Event:
    """The event with hashes where credentials were. Raises UnknownEvent: a newer engine wrote it.

    Bytes deep inside `spec`, `marks`, `notes`, `body` and the like stay hex digits: nothing says what they
    were.
    """
    kind = BY_NAME.get(value.get("type", ""))
    if kind is None:
        raise UnknownEvent(f"no event is called {value.get('type')!r}")
    try:
        read = {name: _read(hint, value[name]) for name, hint in _hints(kind).items() if name != "rare"}
        if kind is ScanDecided:
            read["rare"] = _rare(value)
        if kind is HistoryRecorded and value["what"] == SCAN_DECIDED:
            read["detail"] = (value["detail"][0], bytes.fromhex(value["detail"][1]))
        return kind(**read)
    except (KeyError, ValueError, TypeError) as error:
        raise UnknownEvent(f"{kind.__name__} {value.get('seq')}: {error!r}") from error


@cache
def _hints(kind: type[Event]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__}


def _rare(value: Mapping[str, Any]) -> Rare | None:
    if value["price"] is None and value["trace"] is None and not value["marks"]:
        return None
    return msgspec.convert([value["price"], value["trace"], value["marks"]], Rare)


def _read(hint: Any, value: Any) -> Any:
    """What `codecs/events/plain.py` made of a value of this type, made undone."""
    if hint is bytes:
        return bytes.fromhex(value)
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        each = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_read(one, item) for one, item in zip(each, value, strict=True))
    if value is not None and bytes in get_args(hint):
        return bytes.fromhex(value)
    return value
