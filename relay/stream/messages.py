"""An event as a message: the value's bytes, the headers of CloudEvents 1.0, the key.

Binary content mode of the Kafka protocol binding of CloudEvents 1.0 (cloudevents/spec,
`cloudevents/bindings/kafka-protocol-binding.md`): the value is the event's data and nothing else, its
attributes are headers named `ce_…`, `content-type` says how to read the value. Chosen over the structured
mode because a reader that knows nothing of CloudEvents gets plain JSON, and a router needs no JSON at all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from liftgate.codecs.events import Event, plain
from liftgate.configs.stream import Format
from liftgate.relay.sink import Stored

Headers = list[tuple[str, bytes]]
ValuesOf = Callable[[type[Event]], plain.Values]
"""For a type of events what makes their values, with nobody's credentials in them."""

CONTENT_TYPES: dict[Format, bytes] = {"json": b"application/json", "msgpack": b"application/vnd.msgpack"}
SPEC_VERSION = ("ce_specversion", b"1.0")
TYPE_PREFIX = "liftgate."

Message = tuple[bytes, bytes, Headers]
"""Key, value and headers: what a record of the topic holds besides its timestamp."""


class Kind(NamedTuple):
    """What the messages of one type of events share.

    twin: a struct with the value's fields, made and encoded in half the time of a dict.
    """

    name: str
    twin: Callable[..., Any]
    values: plain.Values
    header: tuple[str, bytes]


class Messages:
    """Makes messages, all in one format and from one engine."""

    def __init__(self, engine: str, values_of: ValuesOf, form: Format = "json") -> None:
        """engine: its name in the configuration, part of `ce_source`."""
        self._engine = engine
        self._values_of = values_of
        self._encode = (msgspec.json if form == "json" else msgspec.msgpack).Encoder().encode
        self._form = ("content-type", CONTENT_TYPES[form])
        self._kinds: dict[type[Event], Kind] = {}
        self._lots: dict[str, tuple[bytes, tuple[str, bytes]]] = {}
        self._at_ms = -1
        self._time = ("ce_time", b"")

    def message(self, stored: Stored) -> Message:
        """The message of an event. Raises ValueError, TypeError or OverflowError where it cannot be written.

        Value: position, type, then the event's fields, as `docs/events.md` has them. `ce_id` is the event's
        seq, once for ever within `ce_source`, which names engine and lot.
        """
        position, event = stored
        lot, at_ms = event.lot, event.at_ms
        key, source = self._lots.get(lot) or self._lot(lot)
        name, twin, values, kind = self._kinds.get(type(event)) or self._kind(type(event))
        if self._at_ms != at_ms:  # the events of one commit have one time
            self._at_ms, self._time = at_ms, ("ce_time", _rfc_3339(at_ms))
        value = self._encode(twin(position, name, *values(event)))
        return key, value, [self._form, SPEC_VERSION, kind, source, ("ce_id", b"%d" % event.seq), self._time]

    def _kind(self, event_type: type[Event]) -> Kind:
        name = event_type.__name__
        twin = msgspec.defstruct(name, ["position", "type", *plain.names(event_type)], gc=False)
        header = ("ce_type", (TYPE_PREFIX + name).encode())
        found = self._kinds[event_type] = Kind(name, twin, self._values_of(event_type), header)
        return found

    def _lot(self, lot: str) -> tuple[bytes, tuple[str, bytes]]:
        found = self._lots[lot] = (lot.encode(), ("ce_source", f"/liftgate/{self._engine}/{lot}".encode()))
        return found


def _rfc_3339(at_ms: int) -> bytes:
    seconds, ms = divmod(at_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{ms:03d}Z").encode()
