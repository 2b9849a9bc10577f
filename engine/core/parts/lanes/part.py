"""The part that holds all of a lot's lanes together."""

from typing import Any, ClassVar, cast

from liftgate.codecs.events import lanes as ev
from liftgate.codecs.events.operators import LaneModeSet, LaneVended, OperatorEvent
from liftgate.configs.rules.lanes import Lanes
from liftgate.engine.core.events import HistoryRecorded, PassageRecorded
from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.parts.base import Applier, CarryOut, Part
from liftgate.engine.core.parts.lanes import orders, queries
from liftgate.engine.core.parts.lanes.modes import Modes, Setting, at_lane
from liftgate.engine.core.parts.lanes.plans import Plans
from liftgate.engine.core.parts.lanes.tides import Tides
from liftgate.engine.core.parts.lanes.watch import VENDS, WHAT, Watch

EVENTS_MAX = 40
"""Of one Tick, some 700 bytes each at the most, as they share a record; the rest follow with the next. Fewer
than a part may bring, so an event and its finding are never torn apart."""


class LanesPart(Part):
    """Modes, plans, tides and watch of one lot. Modes work in every lot, the others where the theme is on.

    next_ms is 0 after every change, and set by the first `due` that finds nothing to do.
    """

    THEME = "lanes"
    ORDERS: ClassVar[dict[str, tuple[type[Any], CarryOut]]] = orders.ORDERS
    QUERIES = queries.QUERIES

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.modes = Modes(lot)
        self.plans = Plans(lot)
        self.tides = Tides(lot)
        self.watch = Watch(lot)
        self.rules: Lanes | None = None

    def configure(self, rules: Any) -> None:
        self.rules = rules
        found = rules or Lanes()
        self.tides.configure(found.tides, found.clearing_s)
        self.watch.configure(rules)
        self.plans.relink()
        self.relinked()

    def relinked(self) -> None:
        self.modes.prune()
        self.tides.relink()
        self.watch.relink()
        self.next_ms = 0

    def dump(self) -> Any:
        state = {
            "modes": self.modes.dump(),
            "plans": self.plans.dump() if self.plans.plans else None,
            "tides": self.tides.dump(),
            "watch": self.watch.dump() if self.watch.times or self.watch.down else None,
        }
        return state if any(state.values()) else None

    def load(self, data: Any) -> None:
        self.modes.load(data["modes"])
        if data["plans"]:
            self.plans.load(data["plans"])
        self.tides.load(data["tides"])
        if data["watch"]:
            self.watch.load(data["watch"])
        self.next_ms = 0

    def adopt(self) -> None:
        self.modes.adopt()

    # -- time

    def due(self, now_ms: int) -> list[OperatorEvent]:
        found: list[OperatorEvent] = [
            ev.ModeEnded(self.lot.id, 0, now_ms, at, s.mode, s.until_ms, "", "its time is over")
            for at, s in self.modes.ended(now_ms)
        ]
        for plan in self.plans.plans.values():
            found += plan.due(self.lot, now_ms)
        found += self.tides.due(now_ms)
        found = found[:EVENTS_MAX]
        for pair in self.watch.due(now_ms):
            if len(found) < EVENTS_MAX:
                found += pair
        if not found:
            self.next_ms = self._next_ms(now_ms)
        return found

    def _next_ms(self, now_ms: int) -> int:
        plans = (plan.next_ms() for plan in self.plans.plans.values())
        return min([*self.modes.ends(), *plans, self.tides.next_ms(now_ms)])

    # -- what happened

    def passed(self, event: PassageRecorded | HistoryRecorded, what: int, lane: Lane) -> None:
        if what in WHAT and self.watch.count(lane.reader.id, lane.number, WHAT[what], event.at_ms):
            self.next_ms = 0

    def lane_mode_set(self, event: LaneModeSet) -> None:
        """`set_lane` without an end: the lane's own mode until further notice, told again if it was so."""
        setting = Setting(event.mode, 0, event.actor, event.reason, event.at_ms)
        self.modes.set(at_lane(event.reader, event.lane), setting)
        lane = self.lot.readers[event.reader].lanes[event.lane]
        lane.mode_set = True
        self.modes.tell(lane)

    def mode_set(self, event: ev.ModeSet) -> None:
        setting = Setting(
            event.mode, event.until_ms, event.actor, event.reason, event.at_ms, event.plan, event.step
        )
        self.modes.set(event.at, setting)
        self._acted(event.plan)

    def mode_ended(self, event: ev.ModeEnded) -> None:
        self.modes.end(event.at, event.plan, event.step, event.until_ms)
        self._acted(event.plan)

    def places_held(self, event: ev.PlacesHeld) -> None:
        self.plans.hold(event)
        self._acted(event.plan)

    def _acted(self, plan: str) -> None:
        self.plans.step_done(plan)
        self.next_ms = 0

    def planned(self, event: ev.EventPlanned) -> None:
        self.plans.add(event)
        self.next_ms = 0

    def plan_over(self, event: ev.PlanEnded | ev.PlanCancelled) -> None:
        self.plans.remove(event.name)
        self.next_ms = 0

    def vended(self, event: LaneVended) -> None:
        if self.watch.count(event.reader, event.lane, VENDS, event.at_ms):
            self.next_ms = 0

    def rate_exceeded(self, event: ev.RateExceeded) -> None:
        self.watch.told(event)
        self.next_ms = 0

    def lane_down(self, event: ev.LaneDown) -> None:
        self.watch.down[event.reader] = event.since_ms

    def lane_up(self, event: ev.LaneUp) -> None:
        self.watch.down.pop(event.reader, None)

    def tide_turned(self, event: ev.TideTurned) -> None:
        self.tides.turned(event)
        self.next_ms = 0


def lanes_of(lot: Lot) -> LanesPart:
    """The part of a lot that is configured; every such lot has one."""
    return cast(LanesPart, lot.parts[LanesPart.THEME])


_FOLDS: dict[type, Any] = {
    LaneModeSet: LanesPart.lane_mode_set,
    LaneVended: LanesPart.vended,
    ev.ModeSet: LanesPart.mode_set,
    ev.ModeEnded: LanesPart.mode_ended,
    ev.EventPlanned: LanesPart.planned,
    ev.PlanCancelled: LanesPart.plan_over,
    ev.PlanEnded: LanesPart.plan_over,
    ev.PlacesHeld: LanesPart.places_held,
    ev.RateExceeded: LanesPart.rate_exceeded,
    ev.LaneDown: LanesPart.lane_down,
    ev.LaneUp: LanesPart.lane_up,
    ev.TideTurned: LanesPart.tide_turned,
}


def _applier(fold: Any) -> Applier:
    return lambda lot, event, position: fold(lanes_of(lot), event)


LanesPart.APPLIERS = {kind: _applier(fold) for kind, fold in _FOLDS.items()}
