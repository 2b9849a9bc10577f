"""decide(lot, command) -> events: pure and total. It looks, and changes nothing.

A command that changes nothing gives no events: a repeated event of a reader, a Tick with nothing due, a
configuration that is in force already. A refusal is an event, with its reason and the trace of rules.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from liftgate.codecs.events.operators import FindingMade, MoveLapsed, OperatorEvent
from liftgate.engine.core import commands as c
from liftgate.engine.core.configure import configure_lot, configure_reader
from liftgate.engine.core.events import Event, LaneReported
from liftgate.engine.core.history import record_history
from liftgate.engine.core.model import Lot
from liftgate.engine.core.orders import obey
from liftgate.engine.core.parts.lanes.part import lanes_of
from liftgate.engine.core.parts.registry import registry_of
from liftgate.engine.core.passages import record_passage
from liftgate.engine.core.reads import decide_read, decision_time

LAPSES_PER_TICK = 1000
"""A Tick's events are one atomic batch, which must fit a record; the rest lapse a second later."""

DUE_PER_TICK = 100
"""Of each part, for the same reason: theirs may be ten times as long."""


def decide(lot: Lot, command: c.Command) -> tuple[Event, ...]:
    """What happens to `lot` by `command`. Raises nothing for any command whose types are right."""
    if isinstance(command, c.ReadCredential):
        if command.numbering.has(command.no):
            return ()
        return (decide_read(lot, command),)
    return _DECIDERS[type(command)](lot, command)


def _report_lane(lot: Lot, report: c.ReportLane) -> tuple[Event, ...]:
    if report.numbering.has(report.no):
        return ()
    event = LaneReported()
    at_ms = decision_time(report.at_ms, report.now_ms)
    event.name(lot, report.lane, report.numbering, report.no, at_ms)
    event.barrier, event.loop, event.faults = report.barrier, report.loop, report.faults
    return (event,)


def _tick(lot: Lot, tick: c.Tick) -> tuple[Event, ...]:
    due = [s.session for s in lot.moving.values() if s.since_ms + lot.confirm_ms <= tick.now_ms]
    events: list[OperatorEvent] = [MoveLapsed(lot.id, 0, tick.now_ms, s) for s in due[:LAPSES_PER_TICK]]
    for part in lot.parts.values():
        if part.due_ms() <= tick.now_ms and len(events) < DUE_PER_TICK:
            events += part.due(tick.now_ms)[:DUE_PER_TICK]
    return _numbered(lot, events)


def _numbered(lot: Lot, events: list[OperatorEvent]) -> tuple[Event, ...]:
    return tuple(replace(event, seq=lot.seq + place) for place, event in enumerate(events, 1))


def _reader_away(lot: Lot, away: c.ReaderAway) -> tuple[Event, ...]:
    return _numbered(lot, lanes_of(lot).watch.away(away.reader, away.since_ms, away.now_ms))


def _reader_seen(lot: Lot, seen: c.ReaderSeen) -> tuple[Event, ...]:
    return _numbered(lot, lanes_of(lot).watch.seen(seen.reader, seen.now_ms))


def _key_used(lot: Lot, used: c.KeyUsed) -> tuple[Event, ...]:
    registry = registry_of(lot)
    return () if registry is None else registry.key_used(used.reader, used.now_ms)


def _make_finding(lot: Lot, seen: c.MakeFinding) -> tuple[Event, ...]:
    return _numbered(lot, [FindingMade(lot.id, 0, seen.now_ms, seen.kind, seen.text, seen.about)])


def is_due(lot: Lot, now_ms: int) -> bool:
    """Whether a Tick may bring something."""
    return bool(lot.moving) or any(part.due_ms() <= now_ms for part in lot.parts.values())


_DECIDERS: dict[type, Callable[[Lot, Any], tuple[Event, ...]]] = {
    c.RecordPassage: record_passage,
    c.ReportLane: _report_lane,
    c.RecordHistory: record_history,
    c.Tick: _tick,
    c.ReaderAway: _reader_away,
    c.ReaderSeen: _reader_seen,
    c.MakeFinding: _make_finding,
    c.ConfigureLot: configure_lot,
    c.ConfigureReader: configure_reader,
    c.KeyUsed: _key_used,
    c.Order: obey,
}
