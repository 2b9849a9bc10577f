"""Plans of event days: modes and held places, each from its time to its time.

A plan is a line of actions in order of time; `done` of them are carried out, each by one event. Of actions
at one time ends come before beginnings, so that a step may follow on another.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from liftgate.codecs.events.lanes import (
    EventPlanned,
    Hold,
    ModeEnded,
    ModeSet,
    PlacesHeld,
    PlanEnded,
    Step,
)
from liftgate.codecs.events.operators import OperatorEvent
from liftgate.engine.core.model import Lot

PLANS_MAX = 32
"""Plans of a lot that are not over: an event day a day for a month."""

STEPS_MAX = 32
"""Of a plan, modes and holds each. All that is in force ends as one batch when a plan is cancelled, which
must fit a record."""

_END, _BEGIN, _LAST = 0, 1, 2

Action = tuple[int, int, int, Callable[[Lot, int], OperatorEvent]]
"""When, its rank among those at one time, its place in the plan, and the event that it comes to."""


class Plan:
    """A plan and how far it was carried out."""

    def __init__(self, planned: EventPlanned, done: int = 0) -> None:
        self.name = planned.name
        self.planned = planned
        self.done = done
        self.actions = _actions(planned)

    def next_ms(self) -> int:
        """When the next action is due; there always is one, as the last removes the plan."""
        return self.actions[self.done][0]

    def due(self, lot: Lot, now_ms: int) -> Iterator[OperatorEvent]:
        """The events that time asks for."""
        for at_ms, _, _, event in self.actions[self.done :]:
            if at_ms > now_ms:
                return
            yield event(lot, now_ms)

    def cancelled(self, lot: Lot, now_ms: int, actor: str) -> Iterator[OperatorEvent]:
        """The ends of what is in force."""
        begun = {place for _, rank, place, _ in self.actions[: self.done] if rank == _BEGIN}
        for _, rank, place, event in self.actions[self.done :]:
            if rank == _END and place in begun:
                yield _by(event(lot, now_ms), actor)

    def state(self) -> str:
        """Where it stands, in words."""
        return "under way" if self.done else "to come"


def _by(event: OperatorEvent, actor: str) -> OperatorEvent:
    if isinstance(event, ModeEnded):
        return msgspec.structs.replace(event, actor=actor, reason="the plan was cancelled")
    return event


def _actions(planned: EventPlanned) -> list[Action]:
    """Steps have the places 0, 1, …, holds those after them."""
    found: list[Action] = [
        (planned.to_ms, _LAST, 0, lambda lot, now: PlanEnded(lot.id, 0, now, planned.name))
    ]
    for place, step in enumerate(planned.steps):
        found += _of_step(planned, place, step)
    for place, hold in enumerate(planned.holds, len(planned.steps)):
        found += _of_hold(planned, place, hold)
    return sorted(found, key=lambda action: action[:3])


def _of_step(planned: EventPlanned, place: int, step: Step) -> list[Action]:
    from_ms, to_ms, at, mode = step
    name = planned.name

    def begin(lot: Lot, now_ms: int) -> OperatorEvent:
        return ModeSet(lot.id, 0, now_ms, at, mode, to_ms, planned.actor, "", name, place)

    def end(lot: Lot, now_ms: int) -> OperatorEvent:
        return ModeEnded(lot.id, 0, now_ms, at, mode, to_ms, "", "its time is over", name, place)

    return [(from_ms, _BEGIN, place, begin), (to_ms, _END, place, end)]


def _of_hold(planned: EventPlanned, place: int, hold: Hold) -> list[Action]:
    from_ms, to_ms, area, places = hold

    def begin(lot: Lot, now_ms: int) -> OperatorEvent:
        return PlacesHeld(lot.id, 0, now_ms, area, places, planned.name, place)

    def end(lot: Lot, now_ms: int) -> OperatorEvent:
        return PlacesHeld(lot.id, 0, now_ms, area, 0, planned.name, place)

    return [(from_ms, _BEGIN, place, begin), (to_ms, _END, place, end)]


class Plans:
    """The plans of one lot. by_area: places held in each; areas have it too, for the rule (`relink`)."""

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.plans: dict[str, Plan] = {}
        self.holds: dict[tuple[str, int], tuple[str, int]] = {}
        self.by_area: dict[str, int] = {}

    def add(self, planned: EventPlanned) -> None:
        self.plans[planned.name] = Plan(planned)

    def remove(self, name: str) -> None:
        self.plans.pop(name, None)

    def step_done(self, name: str) -> None:
        """One more action of a plan was carried out. A plan being cancelled has them out of order."""
        plan = self.plans.get(name)
        if plan is not None and plan.done < len(plan.actions) - 1:
            plan.done += 1

    def hold(self, event: PlacesHeld) -> None:
        """Hold places, or let them go."""
        self.holds.pop((event.plan, event.step), None)
        if event.places:
            self.holds[event.plan, event.step] = (event.area, event.places)
        self._sum()

    def _sum(self) -> None:
        self.by_area.clear()
        for area, places in self.holds.values():
            self.by_area[area] = self.by_area.get(area, 0) + places
        self.relink()

    def relink(self) -> None:
        """Point at the areas as they are now."""
        for area in self.lot.areas.values():
            area.planned = self.by_area.get(area.id, 0)

    def dump(self) -> Any:
        return {
            "plans": [[msgspec.to_builtins(plan.planned)[1:], plan.done] for plan in self.plans.values()],
            "holds": [[*key, *hold] for key, hold in self.holds.items()],
        }

    def load(self, data: Any) -> None:
        for planned, done in data["plans"]:
            plan = Plan(msgspec.convert([0x82, *planned], EventPlanned), done)
            self.plans[plan.name] = plan
        for name, step, area, places in data["holds"]:
            self.holds[name, step] = (area, places)
        self._sum()
