"""An event as a message: the value's bytes, the headers of CloudEvents 1.0, the key.

Binary content mode of the Kafka protocol binding of CloudEvents 1.0 (cloudevents/spec,
`cloudevents/bindings/kafka-protocol-binding.md`): the value is the event's data and nothing else, its
attributes are headers named `ce_…`, `content-type` says how to read the value. Chosen over the structured
mode because a reader that knows nothing of CloudEvents gets plain JSON, and a router needs no JSON at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


class Envelope:
    """What the messages of one type of events in one lot share: the key, and all headers but the last two."""

    __slots__ = ("headers", "key")

    def __init__(self, key: bytes, headers: Headers) -> None:
        self.key, self.headers = key, headers


Parts = tuple[Envelope, bytes, bytes, bytes]
"""Of a message: what it shares with others, its value, and the values of OWN_HEADERS."""

OWN_HEADERS = ("ce_id", "ce_time")
"""Headers that each message has for itself, behind the others."""


Refused = dict[int, str]
"""Position -> why it cannot be written, for people."""

VALUE_BYTES_MAX = 800_000
"""Most that a value may have, so that it fits a batch of records with its key and headers.

A record of the journal holds 60 KiB of MessagePack, which JSON makes six times as long at the very worst.
"""


class Kind(NamedTuple):
    """What the messages of one type of events share.

    twin: a struct with the value's fields, made and encoded in half the time of a dict; envelopes: by lot.
    """

    name: str
    twin: Callable[..., Any]
    values: plain.Values
    envelopes: dict[str, Envelope]


class Messages:
    """Makes messages, all in one format and from one engine."""

    def __init__(self, engine: str, values_of: ValuesOf, form: Format = "json") -> None:
        """engine: its name in the configuration, part of `ce_source`."""
        self._engine = engine
        self._values_of = values_of
        self._encode = (msgspec.json if form == "json" else msgspec.msgpack).Encoder().encode
        self._name = form
        self._form = ("content-type", CONTENT_TYPES[form])
        self._kinds: dict[type[Event], Kind] = {}
        self._time_ms = -1
        self._time = b""

    def message(self, stored: Stored) -> Message:
        """The message of an event. Raises ValueError where it cannot be written.

        Value: position, type, then the event's fields, as `docs/events.md` has them. `ce_id` is the event's
        seq, once for ever within `ce_source`, which names engine and lot.
        """
        refused: Refused = {}
        made = self.parts([stored], refused)
        if refused:
            raise ValueError(refused[stored.position])
        envelope, value, *own = made[0]
        return envelope.key, value, [*envelope.headers, *zip(OWN_HEADERS, own, strict=True)]

    def parts(self, events: Iterable[Stored], refused: Refused) -> list[Parts]:
        """The messages of many in pieces; an envelope is one object for all its messages.

        What cannot be written is left out and put into `refused`.
        """
        kinds, encode, time_ms, time = self._kinds, self._encode, self._time_ms, self._time
        found: list[Parts] = []
        for position, event in events:
            name, twin, values, envelopes = kinds.get(type(event)) or self._kind(type(event))
            try:
                value = encode(twin(position, name, *values(event)))
            except (ValueError, TypeError, OverflowError) as error:
                refused[position] = f"cannot be written as {self._name}: {type(error).__name__}: {error}"
                continue
            if len(value) > VALUE_BYTES_MAX:
                refused[position] = f"{len(value)} bytes, and {VALUE_BYTES_MAX} are the most"
                continue
            lot, at_ms = event.lot, event.at_ms
            if at_ms != time_ms:  # the events of one commit have one time
                time_ms, time = at_ms, _rfc_3339(at_ms)
            envelope = envelopes.get(lot) or self._envelope(envelopes, name, lot)
            found.append((envelope, value, b"%d" % event.seq, time))
        self._time_ms, self._time = time_ms, time
        return found

    def _kind(self, event_type: type[Event]) -> Kind:
        name = event_type.__name__
        twin = msgspec.defstruct(name, ["position", "type", *plain.names(event_type)], gc=False)
        found = self._kinds[event_type] = Kind(name, twin, self._values_of(event_type), {})
        return found

    def _envelope(self, envelopes: dict[str, Envelope], name: str, lot: str) -> Envelope:
        source = f"/liftgate/{self._engine}/{lot}".encode()
        kind = ("ce_type", (TYPE_PREFIX + name).encode())
        found = envelopes[lot] = Envelope(
            lot.encode(), [self._form, SPEC_VERSION, kind, ("ce_source", source)]
        )
        return found


def _rfc_3339(at_ms: int) -> bytes:
    seconds, ms = divmod(at_ms, 1000)
    return datetime.fromtimestamp(seconds, UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{ms:03d}Z").encode()
