"""The events of the journal, as structs for whoever reads them.

Tags: 0x10-0x1F readers, 0x20-0x3F configuration and orders, 0x40-0x4F entitlements and classes,
0x50-0x5F reservations, 0x60-0x6F passback and identity, 0x70-0x7F ledger, limits and reconciliation,
0x80-0x8F lanes, 0xA0-0xAF registry.
"""

from typing import Any, Union

import msgspec

from liftgate.codecs.events import entitlements, lanes, ledger, passback, registry, reservations
from liftgate.codecs.events.operators import OperatorEvent
from liftgate.codecs.events.readers import BY_READERS, ReaderEvent

__all__ = ["entitlements", "lanes", "ledger", "passback", "registry", "reservations"]

Event = ReaderEvent | OperatorEvent

OPERATOR_EVENTS: dict[int, type[OperatorEvent]] = {
    cls.__struct_config__.tag: cls  # type: ignore[misc]
    for cls in OperatorEvent.__subclasses__()
}

EVENTS: tuple[type[Event], ...] = (*BY_READERS, *OPERATOR_EVENTS.values())
"""Every event there is."""

_DECODER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(
    list[Union[EVENTS]]  # type: ignore[valid-type]  # noqa: UP007
)
_ARRAY_32 = b"\xdd"


class UnknownEvent(ValueError):
    """A record holds what this version cannot read: a newer engine wrote it, or it is no record."""


def events_of(payload: bytes | memoryview, count: int) -> list[Event]:
    """The `count` events of a record's payload, in order. Raises UnknownEvent.

    They stand there one after the other; with the head of an array before them one call reads them all.
    """
    try:
        events: list[Event] = _DECODER.decode(b"".join((_ARRAY_32, count.to_bytes(4, "big"), payload)))
    except msgspec.DecodeError as error:
        raise UnknownEvent(f"{count} events of {len(payload)} bytes: {error}") from error
    return events
