"""A JSON Schema for each event as the stream sends it, and the page that shows them all.

`python -m liftgate.relay.stream.schemas docs` writes `docs/schemas/*.json` and the generated part of
`docs/events.md` anew; a test holds that they are current. Made from the structs, by way of a twin of each:
the journal's structs are arrays with bytes in them, the stream's values are objects with hex digits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from liftgate.codecs.events import EVENTS, Event
from liftgate.codecs.events.readers import Rare, ScanDecided
from liftgate.relay.stream.words import POSITION, word

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MARKER = "<!-- From here on made by python -m liftgate.relay.stream.schemas docs -->"
Hex = Annotated[str, Meta(pattern="^([0-9a-f]{2})*$")]


def schema(event: type[Event]) -> dict[str, Any]:
    """The schema of an event's value. Fields that it does not name may come with a later version."""
    ((found,), parts) = msgspec.json.schema_components([_twin(event)])
    body: dict[str, Any] = parts[event.__name__]
    return {"$schema": DIALECT, **body, "description": _purpose(event), "examples": [example(event)]}


def example(event: type[Event]) -> dict[str, Any]:
    """A value of the event, made of each field's example."""
    name = event.__name__
    named = {field: word(name, field)[1] for field, _ in _fields(event)}
    return {"position": POSITION[1], "type": name, **named}


def _fields(event: type[Event]) -> Iterator[tuple[str, Any]]:
    """(name, type in the value) of the event's own fields; a scan's rare ones stand among them."""
    hints = get_type_hints(event)
    for name in event.__struct_fields__:
        if name != "rare":
            yield name, _plain(hints[name])
    if event is ScanDecided:
        for name, hint in get_type_hints(Rare).items():
            if name in Rare.__struct_fields__:
                yield name, _plain(hint)


def _plain(hint: Any) -> Any:
    """The type that `codecs/events/plain.py` makes of this one."""
    if hint is bytes:
        return Hex
    if get_origin(hint) is None:
        return hint
    inner = tuple(_plain(arg) for arg in get_args(hint))
    if type(None) in inner:
        return inner[0] | None
    return get_origin(hint)[inner]


def _twin(event: type[Event]) -> Any:
    name = event.__name__
    fields: list[tuple[str, Any]] = [
        ("position", _said(int, POSITION[0])),
        ("type", Literal[name]),
        *((field, _said(hint, word(name, field)[0])) for field, hint in _fields(event)),
    ]
    return msgspec.defstruct(name, fields)


def _said(hint: Any, meaning: str) -> Any:
    return Annotated[hint, Meta(description=meaning)]


def _purpose(event: type[Event]) -> str:
    """The first sentence of the event's docstring."""
    return " ".join((event.__doc__ or "").strip().split("\n\n")[0].split())


def page() -> str:
    """The generated part of `docs/events.md`: each event with its fields, units and an example."""
    return "\n".join([MARKER, *map(_section, EVENTS)])


def _section(event: type[Event]) -> str:
    name, properties = event.__name__, schema(event)["properties"]
    rows = [
        f"| `{field}` | {_kind(properties[field])} | {word(name, field)[0]} |"
        for field, _ in _fields(event)
        if field not in ("lot", "seq", "at_ms")
    ]
    table = ["| field | type | meaning |", "|---|---|---|", *rows, ""] if rows else []
    told = msgspec.json.encode(example(event)).decode()
    lines = ["", f"## {name}", "", _purpose(event), "", *table, "```json", told, "```"]
    return "\n".join(lines)


def _kind(described: dict[str, Any]) -> str:
    """A property's type in a word or two."""
    if "anyOf" in described:
        return " or ".join(_kind(each) for each in described["anyOf"])
    kind = str(described.get("type", "any"))
    return "hex" if kind == "string" and "pattern" in described else kind


def files() -> dict[str, str]:
    """Path under docs -> text, of every schema."""
    return {
        f"schemas/{event.__name__}.json": json.dumps(schema(event), indent=1, ensure_ascii=False) + "\n"
        for event in EVENTS
    }


def write(docs: Path) -> None:
    """Write the schemas and the generated part of the page; what is before the marker stays."""
    (docs / "schemas").mkdir(exist_ok=True)
    for old in (docs / "schemas").glob("*.json"):
        old.unlink()
    for name, text in files().items():
        (docs / name).write_text(text, encoding="utf-8")
    path = docs / "events.md"
    head = path.read_text(encoding="utf-8").partition(MARKER)[0]
    path.write_text(head + page() + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
