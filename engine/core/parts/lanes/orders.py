"""Orders about lanes: modes, tides, plans of event days, and barriers raised by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from liftgate.codecs.events import lanes as ev
from liftgate.codecs.events.operators import LaneModeSet, LaneVended, OperatorEvent
from liftgate.configs.rules.lanes import Run
from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.order_args import Actor, OrderRefused, Words, lane_of
from liftgate.engine.core.parts.base import NEVER
from liftgate.engine.core.parts.lanes.modes import LOT, Setting, Stack, at_area, at_lane, pushed
from liftgate.engine.core.parts.lanes.plans import PLANS_MAX, STEPS_MAX

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order
    from liftgate.engine.core.parts.base import CarryOut, Done
    from liftgate.engine.core.parts.lanes.part import LanesPart

NAMED_MAX = 32
"""Lanes that an outcome names, of each sort: thousands of outcomes are kept. All are counted."""

TimeMs = Annotated[int, Meta(ge=1, le=1 << 52)]
Seconds = Annotated[int, Meta(ge=1, le=366 * 86_400)]
Mode = Annotated[int, Meta(ge=1, le=5)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Scope = Literal["lot", "area", "lane"]


class SetLane(msgspec.Struct, forbid_unknown_fields=True):
    """Set a lane's mode: 1 normal, 2 held open, 3 closed, 4 closed to all, 5 known credentials only.

    until_ms (Unix time) or for_s gives it an end; then what was before holds again.
    """

    reader: str
    lane: int
    mode: Mode
    actor: Actor
    reason: Words = ""
    until_ms: TimeMs | None = None
    for_s: Seconds | None = None


class SetMode(msgspec.Struct, forbid_unknown_fields=True):
    """Set the mode of a whole lot, an area or a lane; the most specific wins.

    mode as in set_lane; 0 takes away what was set by hand at this scope, so that the wider one holds. area
    for scope "area"; reader and lane for scope "lane". until_ms (Unix time) or for_s gives it an end.
    """

    scope: Scope
    mode: Annotated[int, Meta(ge=0, le=5)]
    actor: Actor
    area: str | None = None
    reader: str | None = None
    lane: int | None = None
    reason: Words = ""
    until_ms: TimeMs | None = None
    for_s: Seconds | None = None


class SetTide(msgspec.Struct, forbid_unknown_fields=True):
    """Have a lane for both ways run "in" or "out" only, be "closed", or "off": both ways at once.

    Without until_ms or for_s it holds until the lane's schedule turns it next, or until it is set again.
    """

    reader: str
    lane: int
    run: Run
    actor: Actor
    reason: Words = ""
    until_ms: TimeMs | None = None
    for_s: Seconds | None = None


class PlanStep(msgspec.Struct, forbid_unknown_fields=True):
    """A mode of a plan, from the plan's beginning to its end where from_ms and to_ms are left out."""

    scope: Scope
    mode: Mode
    area: str | None = None
    reader: str | None = None
    lane: int | None = None
    from_ms: TimeMs | None = None
    to_ms: TimeMs | None = None


class PlanHold(msgspec.Struct, forbid_unknown_fields=True):
    """Places of an area that a plan keeps for others."""

    area: str
    places: Annotated[int, Meta(ge=1, le=1_000_000)]
    from_ms: TimeMs | None = None
    to_ms: TimeMs | None = None


class PlanEvent(msgspec.Struct, forbid_unknown_fields=True):
    """Plan an event day: modes (steps) and held places (holds), each in its time, all over at to_ms."""

    name: Name
    from_ms: TimeMs
    to_ms: TimeMs
    actor: Actor
    steps: Annotated[tuple[PlanStep, ...], Meta(max_length=STEPS_MAX)] = ()
    holds: Annotated[tuple[PlanHold, ...], Meta(max_length=STEPS_MAX)] = ()
    reason: Words = ""


class CancelPlan(msgspec.Struct, forbid_unknown_fields=True):
    """Take a plan away; what it has in force ends at once."""

    name: Name
    actor: Actor
    reason: Words = ""


class OpenLane(msgspec.Struct, forbid_unknown_fields=True):
    """Raise a barrier once. cause: one of the lot's vend_causes, where its rules list them."""

    reader: str
    lane: int
    cause: Words
    actor: Actor


def _part(lot: Lot) -> LanesPart:
    return cast("LanesPart", lot.parts["lanes"])


def _switched_on(lot: Lot) -> LanesPart:
    part = _part(lot)
    if part.rules is None:
        raise OrderRefused("no_rules", "this needs [lot.rules.lanes], which the lot does not have")
    return part


def _until(order: Order, until_ms: int | None, for_s: int | None) -> int:
    """When it ends, 0 for never."""
    if until_ms is not None and for_s is not None:
        raise OrderRefused("bad_args", "until_ms and for_s cannot both be given")
    if for_s is not None:
        return order.now_ms + for_s * 1000
    if until_ms is not None and until_ms <= order.now_ms:
        raise OrderRefused("over_already", f"until_ms {until_ms} is not later than now, {order.now_ms}")
    return until_ms or 0


def _at(lot: Lot, scope: Scope, area: str | None, reader: str | None, lane: int | None) -> str:
    """The scope's name in events."""
    wanted = {"lot": (), "area": (area,), "lane": (reader, lane)}[scope]
    given = [value for value in (area, reader, lane) if value is not None]
    if None in wanted or len(given) != len(wanted):
        raise OrderRefused("bad_args", 'scope "area" goes with area, "lane" with reader and lane')
    if area is not None:
        if area not in lot.areas:
            raise OrderRefused("no_such_area", f"no area {area!r} in this lot")
        return at_area(area)
    if reader is not None and lane is not None:
        lane_of(lot, reader, lane)
        return at_lane(reader, lane)
    return LOT


def _numbered(lot: Lot, events: list[OperatorEvent]) -> list[OperatorEvent]:
    return [msgspec.structs.replace(event, seq=lot.seq + place) for place, event in enumerate(events, 1)]


# -- modes


def _set_lane(lot: Lot, order: Order, args: SetLane) -> Done:
    lane = lane_of(lot, args.reader, args.lane)
    until_ms = _until(order, args.until_ms, args.for_s)
    seq, now_ms = lot.seq + 1, order.now_ms
    event: OperatorEvent
    if until_ms:
        at = at_lane(args.reader, args.lane)
        event = ev.ModeSet(lot.id, seq, now_ms, at, args.mode, until_ms, args.actor, args.reason)
    else:
        event = LaneModeSet(lot.id, seq, now_ms, args.reader, args.lane, args.mode, args.actor, args.reason)
    return [event], {"before": lane.mode, "after": args.mode}


def _set_mode(lot: Lot, order: Order, args: SetMode) -> Done:
    at = _at(lot, args.scope, args.area, args.reader, args.lane)
    until_ms = _until(order, args.until_ms, args.for_s)
    modes = _part(lot).modes
    stack = modes.stacks.get(at, ())
    if args.mode:
        setting = Setting(args.mode, until_ms, args.actor, args.reason, order.now_ms)
        after = pushed(stack, setting)
        events: list[OperatorEvent] = [
            ev.ModeSet(lot.id, 0, order.now_ms, at, args.mode, until_ms, args.actor, args.reason)
        ]
    else:
        after = tuple(setting for setting in stack if setting.plan)
        events = [
            ev.ModeEnded(lot.id, 0, order.now_ms, at, s.mode, s.until_ms, args.actor, args.reason)
            for s in modes.by_hand(at)
        ]
    if not events:
        raise OrderRefused("not_set", f"nothing was set by hand at {at}")
    return _numbered(lot, events), _what_changes(lot, at, after)


def _what_changes(lot: Lot, at: str, after: Stack) -> dict[str, Any]:
    """Lanes that will work in another mode, and those that something more specific keeps as they are."""
    modes = _part(lot).modes
    stacks = {**modes.stacks, at: after}
    changed, kept = [], []
    for lane in modes.lanes():
        if modes.mode(lane, stacks) != lane.mode:
            changed.append(_name(lane))
        elif after and modes.under(lane, at) and modes.over(lane, stacks)[0] != at:
            kept.append(_name(lane))
    return {
        "changed": changed[:NAMED_MAX],
        "kept": kept[:NAMED_MAX],
        "changed_count": len(changed),
        "kept_count": len(kept),
    }


def _name(lane: Lane) -> str:
    return f"{lane.reader.id}/{lane.number}"


# -- tides


def _set_tide(lot: Lot, order: Order, args: SetTide) -> Done:
    part = _switched_on(lot)
    lane = lane_of(lot, args.reader, args.lane)
    if lane.direction != "both":
        raise OrderRefused("one_way", f'lane {args.lane} of {args.reader!r} is for "{lane.direction}" only')
    key = (args.reader, args.lane)
    until_ms = _until(order, args.until_ms, args.for_s)
    if not until_ms and key in part.tides.rules:
        next_ms = part.tides.scheduled(key, order.now_ms)[1]
        until_ms = next_ms if next_ms < NEVER else 0
    event = part.tides.turn(key, args.run, order.now_ms, until_ms, args.actor, args.reason)
    before = part.tides.running.get(key)
    body = {
        "before": "off" if before is None else before.run,
        "after": args.run,
        "clear_until_ms": event.clear_until_ms,
        "until_ms": until_ms,
    }
    return _numbered(lot, [event]), body


# -- plans


def _plan_event(lot: Lot, order: Order, args: PlanEvent) -> Done:
    part = _switched_on(lot)
    _check_plan(part, order, args)
    steps = tuple(
        (*_span(args, s.from_ms, s.to_ms), _at(lot, s.scope, s.area, s.reader, s.lane), s.mode)
        for s in args.steps
    )
    holds = tuple((*_span(args, hold.from_ms, hold.to_ms), hold.area, hold.places) for hold in args.holds)
    event = ev.EventPlanned(
        lot.id,
        lot.seq + 1,
        order.now_ms,
        args.name,
        args.from_ms,
        args.to_ms,
        steps,
        holds,
        args.actor,
        args.reason,
    )
    return [event], {"steps": len(steps), "holds": len(holds)}


def _check_plan(part: LanesPart, order: Order, args: PlanEvent) -> None:
    if args.name in part.plans.plans:
        raise OrderRefused("plan_exists", f"there is a plan {args.name!r}: cancel it first")
    if len(part.plans.plans) >= PLANS_MAX:
        raise OrderRefused("too_many", f"a lot has at most {PLANS_MAX} plans that are not over")
    if not args.steps and not args.holds:
        raise OrderRefused("bad_args", "a plan needs steps or holds")
    if args.to_ms <= max(order.now_ms, args.from_ms):
        raise OrderRefused("over_already", "to_ms must be later than from_ms and than now")
    for hold in args.holds:
        if hold.area not in part.lot.areas:
            raise OrderRefused("no_such_area", f"no area {hold.area!r} in this lot")


def _span(args: PlanEvent, from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
    """A step's time, within the plan's."""
    start, end = from_ms or args.from_ms, to_ms or args.to_ms
    if not args.from_ms <= start < end <= args.to_ms:
        raise OrderRefused("bad_args", f"{start} to {end} is not a time within the plan's")
    return start, end


def _cancel_plan(lot: Lot, order: Order, args: CancelPlan) -> Done:
    plan = _part(lot).plans.plans.get(args.name)
    if plan is None:
        raise OrderRefused("no_such_plan", f"no plan {args.name!r} that is not over")
    events = list(plan.cancelled(lot, order.now_ms, args.actor))
    gone = ev.PlanCancelled(lot.id, 0, order.now_ms, args.name, args.actor, args.reason)
    return _numbered(lot, [*events, gone]), {"ended": len(events)}


# -- barriers


def _open_lane(lot: Lot, order: Order, args: OpenLane) -> Done:
    lane_of(lot, args.reader, args.lane)
    rules = _part(lot).rules
    if rules is not None and rules.vend_causes is not None and args.cause not in rules.vend_causes:
        known = ", ".join(rules.vend_causes)
        raise OrderRefused("cause_not_allowed", f"a barrier is raised here only for: {known}")
    if not order.reachable:
        raise OrderRefused("reader_away", f"reader {args.reader!r} is not connected")
    event = LaneVended(lot.id, lot.seq + 1, order.now_ms, args.reader, args.lane, args.cause, args.actor)
    return [event], {}


ORDERS: dict[str, tuple[type[Any], CarryOut]] = {
    "set_lane": (SetLane, _set_lane),
    "set_mode": (SetMode, _set_mode),
    "set_tide": (SetTide, _set_tide),
    "plan_event": (PlanEvent, _plan_event),
    "cancel_plan": (CancelPlan, _cancel_plan),
    "open_lane": (OpenLane, _open_lane),
}
