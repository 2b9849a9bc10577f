"""The schemas and docs/events.md: current, and what they say of a value is so."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from liftgate.codecs.events import Event
from liftgate.history import privacy
from liftgate.relay.sink import Stored
from liftgate.relay.stream import schemas
from liftgate.relay.stream.messages import Messages
from tests.relay.every_event import every_event, world

DOCS = Path(__file__).resolve().parents[3] / "docs"
HIDE = partial(privacy.values_of, hasher=privacy.Hasher(bytes(range(32))))


def told(event: Event) -> Any:
    """The event's value as the stream sends it."""
    return msgspec.json.decode(Messages("a", HIDE).message(Stored(1, event))[1])


@cache
def validator(name: str) -> Draft202012Validator:
    schema = msgspec.json.decode((DOCS / "schemas" / f"{name}.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def faults(value: dict[str, Any]) -> list[str]:
    """What the value's schema, as it lies in the file, has against it."""
    return [f"{value['type']}: {error.message}" for error in validator(value["type"]).iter_errors(value)]


def test_files_and_page_are_current() -> None:
    """Else run `python -m liftgate.relay.stream.schemas docs`."""
    on_disk = {f"schemas/{path.name}": path.read_text("utf-8") for path in (DOCS / "schemas").iterdir()}
    assert on_disk == schemas.files()
    _, marker, made = (DOCS / "events.md").read_text("utf-8").partition(schemas.MARKER)
    assert marker + made == schemas.page() + "\n"


@pytest.mark.parametrize("event", every_event(), ids=lambda event: type(event).__name__)
def test_every_event_is_as_its_schema_says(event: Event) -> None:
    """Its value fits; where all fields are missing, or of another type, each is complained of."""
    value = told(event)
    assert faults(value) == []
    assert faults(schemas.example(type(event))) == []
    names = set(value) - {"type"}
    assert len(faults({"type": value["type"]})) == len(names)
    assert len(faults({"type": value["type"], **dict.fromkeys(names, 0.5)})) == len(names)


def test_hashes_are_hex_digits() -> None:
    """A token that was not hashed would not be taken for one."""
    scan = next(event for event in every_event() if type(event).__name__ == "ScanDecided")
    assert faults({**told(scan), "token": "BXY 123"})


def test_events_of_a_simulated_world_fit() -> None:
    """Whatever happens there, and whatever the rules have to say to it."""
    events = [event for of_lot in world(8).values() for event in of_lot]
    assert [fault for event in events for fault in faults(told(event))] == []
    assert len({type(event) for event in events}) > 8
