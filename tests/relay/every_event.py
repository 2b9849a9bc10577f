"""One event of every type, and those of simulated worlds."""

from __future__ import annotations

from typing import Any, get_args, get_origin, get_type_hints

from liftgate.codecs.events import EVENTS, Event, events_of
from liftgate.codecs.events.readers import Rare, ScanDecided
from liftgate.relay.sink import Stored
from liftgate.relay.stream.schemas import example
from tests.engine.core.lots import pieces
from tests.history.test_fold_lives import journal


def every_event() -> list[Event]:
    """Of each type the example of `docs/events.md`, and of scans also one with price, trace and marks."""
    events = [_sample(event) for event in EVENTS]
    scan = next(event for event in events if isinstance(event, ScanDecided))
    assert isinstance(scan, ScanDecided)
    marks = {"reservation": bytes(16), "plate": "BXY123", "witness": "BXY128"}
    rare = Rare((450, "EUR"), ("deny list: not on it", "plate beside: BXY123"), marks)
    return [*events, _with(scan, rare=rare, session=None, spot=None)]


def stored(events: list[Event]) -> list[Stored]:
    """At positions from 1 on, each the next of its lot."""
    seqs: dict[str, int] = {}
    numbered = []
    for position, event in enumerate(events, 1):
        seqs[event.lot] = seqs.get(event.lot, 0) + 1
        numbered.append(Stored(position, _with(event, seq=seqs[event.lot])))
    return numbered


def world(seed: int) -> dict[str, list[Event]]:
    """The events of a simulated world by lot; the lots' names have the seed before them."""
    found = {}
    for lot, log in journal(seed).items():
        name = f"{seed}-{lot}"
        found[name] = [_with(event, lot=name) for event in events_of(log, len(pieces(log)))]
    return found


def _sample(event: type[Event]) -> Event:
    shown, hints = example(event), get_type_hints(event)
    fields = {
        name: _from_plain(hints[name], shown[name]) for name in event.__struct_fields__ if name != "rare"
    }
    if event is ScanDecided:
        fields["rare"] = None
    if "detail" in fields:
        fields["detail"] = (2, bytes.fromhex(fields["detail"][1]))
    if event.__name__ in ("PassIssued", "PassChanged"):
        fields["spec"]["credentials"] = [b"\2card"]
    return event(**fields)


def _from_plain(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if hint is bytes or bytes in get_args(hint) and get_origin(hint) is not tuple:
        return bytes.fromhex(value)
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(_from_plain(inner, item) if inner is bytes else _tuple(item) for item in value)
    return dict(value) if isinstance(value, dict) else value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _with(event: Any, **changes: Any) -> Any:
    return type(event)(**{name: getattr(event, name) for name in event.__struct_fields__} | changes)
