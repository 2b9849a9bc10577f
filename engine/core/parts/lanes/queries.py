"""Queries about lanes: each as it is now, what modes are set, what is planned."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.parts.lanes.modes import Setting

if TYPE_CHECKING:
    from liftgate.engine.core.parts.base import Reply
    from liftgate.engine.core.parts.lanes.part import LanesPart
    from liftgate.engine.core.parts.lanes.plans import Plan


class NoArgs(msgspec.Struct, forbid_unknown_fields=True):
    """No args."""


def _part(lot: Lot) -> LanesPart | None:
    return cast("LanesPart | None", lot.parts.get("lanes"))


def lanes(lot: Lot, args: NoArgs) -> Reply:
    """Every lane: its mode and who set it, its tide, its barrier as last reported, whether it is down."""
    part = _part(lot)
    if part is None:
        return True, "", {}
    return True, "", {f"{lane.reader.id}/{lane.number}": _lane(part, lane) for lane in part.modes.lanes()}


def _lane(part: LanesPart, lane: Lane) -> dict[str, Any]:
    body = {
        "direction": lane.direction,
        "area": lane.area.id,
        "mode": lane.mode,
        "barrier": lane.barrier,
        "loop": lane.loop,
        "faults": list(lane.faults),
    }
    at, setting = part.modes.over(lane, part.modes.stacks)
    if setting is not None:
        body["mode_set"] = {"at": at, **_setting(setting)}
    down_since_ms = part.watch.down.get(lane.reader.id)
    if down_since_ms is not None:
        body["down_since_ms"] = down_since_ms
    tide = part.tides.running.get((lane.reader.id, lane.number))
    if tide is not None:
        body["tide"] = {name: getattr(tide, name) for name in tide.__struct_fields__}
    return body


def _setting(setting: Setting) -> dict[str, Any]:
    return {
        name: getattr(setting, name) for name in ("mode", "until_ms", "actor", "reason", "since_ms", "plan")
    }


def modes(lot: Lot, args: NoArgs) -> Reply:
    """What is set, by scope ("lot", "area/…", "lane/reader/number"), the one in force there last."""
    part = _part(lot)
    stacks = {} if part is None else part.modes.stacks
    return True, "", {at: [_setting(setting) for setting in stack] for at, stack in stacks.items()}


def plans(lot: Lot, args: NoArgs) -> Reply:
    """Plans of event days that are not over, and the places they hold now, by area."""
    part = _part(lot)
    if part is None:
        return True, "", {"plans": {}, "held": {}}
    found = {name: _plan(plan) for name, plan in part.plans.plans.items()}
    return True, "", {"plans": found, "held": dict(part.plans.by_area)}


def _plan(plan: Plan) -> dict[str, Any]:
    planned = plan.planned
    return {
        "state": plan.state(),
        "from_ms": planned.from_ms,
        "to_ms": planned.to_ms,
        "steps": [list(step) for step in planned.steps],
        "holds": [list(hold) for hold in planned.holds],
        "actor": planned.actor,
        "reason": planned.reason,
    }


QUERIES: dict[str, tuple[type[Any], Callable[[Lot, Any], Reply]]] = {
    "lanes": (NoArgs, lanes),
    "modes": (NoArgs, modes),
    "plans": (NoArgs, plans),
}
