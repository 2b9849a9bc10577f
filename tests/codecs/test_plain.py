"""Events as plain values: quick for most fields by their types, and the same as asking every value."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.codecs.events import Event
from liftgate.codecs.events.plain import as_line, fields, plain
from liftgate.codecs.events.readers import ScanDecided
from liftgate.codecs.events.registry import ReaderKeyRotated, check_of
from tests.relay.every_event import every_event


def asked(event: Event) -> dict[str, Any]:
    """Each field's value looked at."""
    named = {name: plain(getattr(event, name)) for name in event.__struct_fields__}
    if isinstance(event, ScanDecided):
        del named["rare"]
        named |= {"price": plain(event.price), "trace": plain(event.trace), "marks": plain(event.marks)}
    return named


@pytest.mark.parametrize("event", every_event(), ids=lambda event: type(event).__name__)
def test_fields_are_plain_at_any_depth(event: Event) -> None:
    """In the order of the struct, with bytes as hex digits and nothing but what JSON has."""
    assert fields(event) == asked(event)
    assert list(fields(event)) == list(asked(event))


def test_a_key_is_not_printed() -> None:
    """Not even wrapped: its check stands in its place."""
    wrapped = bytes(range(40))
    line = as_line(7, ReaderKeyRotated("north", 1, 0, "r", wrapped, 0, "jo", ""))
    assert wrapped.hex() not in line
    assert f'"key":"{check_of(wrapped)}"' in line
