"""Modes by lot, area and lane, event days, tides: ordered at desks, also what cannot be done."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.cars import Step, population
from liftgate.sim.world.happenings.cars import Visit
from liftgate.sim.world.happenings.services import ACTOR, MINUTE_MS, Asked, Order, Ordered
from liftgate.sim.world.plan import Happening
from liftgate.sim.world.rules.lanes import RUNS, both_ways
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

NORMAL = 1
QUESTIONS = ("lanes", "modes", "plans")


class OrderedTwice(Ordered, frozen=True, kw_only=True):
    """A command, and after a while once more under its id: the answer may be lost on its way."""

    after_ms: int

    def line(self) -> str:
        return f"{super().line()}; its last commands again after {self.after_ms} ms"

    def do(self, world: "World") -> None:
        super().do(world)
        service = world.services[self.service]
        world.loop.after(self.after_ms, lambda: service.order_again(3))


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """A few orders in most lots, event days where there are rules for them, questions, and cars that come
    twice before a tidal lane.
    """
    happenings: list[Happening] = []
    for lot in shape.lots:
        for _ in range(rng.choice((0, 2, 5, 10))):
            kind = rng.choice((_mode, _mode, _mode, _lane_for, _tide, _plan, _plan, _wrong))
            happenings += _draw_order(rng, shape, lot, span_ms, kind)
        for _ in range(rng.randint(1, 4) if "lanes" in lot.rules else 0):
            happenings += _draw_order(rng, shape, lot, span_ms, _match)
        for _ in range(rng.randrange(5)):
            happenings.append(_question(rng, shape, lot, rng.randrange(span_ms)))
        for lane in both_ways(shape, lot):
            happenings += _draw_visits(rng, lot, span_ms, *lane)
    return happenings


def _draw_order(
    rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int, kind: "Kind"
) -> list[Happening]:
    at_ms = rng.randrange(span_ms)
    orders = kind(rng, shape, lot, at_ms)
    found: list[Happening] = [_order(rng, shape, lot, min(at, span_ms), order) for at, order in orders]
    if rng.random() < 0.3:
        found.append(_question(rng, shape, lot, min(at_ms + rng.randrange(3_000), span_ms)))
    return found


def _order(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int, order: Order) -> Happening:
    name, args = order
    said: dict[str, Any] = {"service": rng.choice(shape.services).id, "lot": lot.id, "name": name}
    seed, args = rng.getrandbits(64), {**args, "actor": ACTOR}
    if rng.random() < 0.1:
        return OrderedTwice(at_ms=at_ms, seed=seed, args=args, after_ms=rng.randrange(1, 90_000), **said)
    return Ordered(at_ms=at_ms, seed=seed, args=args, **said)


def _question(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> Happening:
    service = rng.choice(shape.services).id
    return Asked(at_ms=at_ms, service=service, lot=lot.id, name=rng.choice(QUESTIONS), args={})


def _draw_visits(rng: random.Random, lot: LotConfig, span_ms: int, reader: str, lane: int) -> list[Happening]:
    """In and out by the same lane: cars that come by chance seldom do both at one that turns meanwhile."""
    found: list[Happening] = []
    for _ in range(rng.randint(4, 19)):
        card, stay_ms = rng.randrange(population(lot)), int(rng.expovariate(1 / (5 * MINUTE_MS)))
        steps = (Step(reader, lane, 0), Step(reader, lane, 1_000 + stay_ms, True))
        at_ms = rng.randrange(span_ms)
        found.append(Visit(at_ms=at_ms, seed=rng.getrandbits(32), card=card, steps=steps))
    return found


Timed = list[tuple[int, Order]]
"""Orders, each with its time since the world began."""

Kind = Callable[[random.Random, Shape, LotConfig, int], Timed]
"""Draws the orders of one kind that begin at a time."""


def _scope(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any]:
    kind = rng.choice(("lot", "area", "area", "lane", "lane"))
    if kind == "lot":
        return {"scope": "lot"}
    if kind == "area":
        return {"scope": "area", "area": rng.choice(lot.areas).id}
    return {"scope": "lane", **_lane(rng, shape, lot)}


def _lane(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any]:
    reader = rng.choice([reader for reader in shape.readers if reader.lot == lot.id])
    return {"reader": reader.id, "lane": rng.choice(reader.lanes).number}


def _end(rng: random.Random, shape: Shape, at_ms: int) -> dict[str, Any]:
    """An end soon: in seconds, or as Unix time, at the edge of a look at the time or long past it."""
    if rng.random() < 0.5:
        return {"for_s": rng.choice((1, 30, 300, 1200))}
    return {"until_ms": shape.start_ms + at_ms + rng.choice((-1, 1, 250, 90_000, 600_000))}


def _mode(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> Timed:
    """A mode, mostly with an end; without one it is taken away by and by."""
    scope, mode = _scope(rng, shape, lot), rng.choice((NORMAL, 2, 3, 4, 5))
    order = {**scope, "mode": mode}
    if rng.random() < 0.6:
        again = {"mode": rng.choice((0, 0, NORMAL, mode))}
        again |= {} if again["mode"] == 0 else {"for_s": 60}
        later_ms = at_ms + rng.randrange(20 * MINUTE_MS)
        return [
            (at_ms, ("set_mode", order | _end(rng, shape, at_ms))),
            *([(later_ms, ("set_mode", scope | again))] if rng.random() < 0.3 else []),
        ]
    later_ms = at_ms + rng.randrange(MINUTE_MS, 15 * MINUTE_MS)
    return [(at_ms, ("set_mode", order)), (later_ms, ("set_mode", {**scope, "mode": 0}))]


def _lane_for(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> Timed:
    """One lane's mode for a while."""
    mode = rng.choice((NORMAL, 2, 3, 4, 5))
    return [(at_ms, ("set_lane", {**_lane(rng, shape, lot), "mode": mode, **_end(rng, shape, at_ms)}))]


def _tide(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> Timed:
    """A lane turned by hand, and one without an end turned back."""
    lanes = both_ways(shape, lot)
    reader, lane = rng.choice(lanes) if lanes else (shape.readers[0].id, 0)
    order = {"reader": reader, "lane": lane, "run": rng.choice(RUNS)}
    if rng.random() < 0.6:
        return [(at_ms, ("set_tide", order | _end(rng, shape, at_ms)))]
    later_ms = at_ms + rng.randrange(15 * MINUTE_MS)
    return [(at_ms, ("set_tide", order)), (later_ms, ("set_tide", order | {"run": "off"}))]


def _plan(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> Timed:
    """An event day of some minutes; some are cancelled."""
    from_ms = shape.start_ms + at_ms + rng.choice((-60_000, 0, 500, 300_000))
    to_ms = from_ms + rng.choice((61_000, 600_000, 1_500_000))
    name = f"day{rng.randrange(4)}"
    steps = [_part(rng, from_ms, to_ms) | _scope(rng, shape, lot) for _ in range(rng.randrange(3))]
    holds = [_part(rng, from_ms, to_ms) | _hold(rng, lot) for _ in range(rng.randrange(3))]
    for step in steps:
        step["mode"] = rng.choice((NORMAL, 2, 3, 4, 5))
    order = {"name": name, "from_ms": from_ms, "to_ms": to_ms, "steps": steps, "holds": holds}
    orders: Timed = [(at_ms, ("plan_event", order))]
    if rng.random() < 0.4:
        orders.append((at_ms + rng.randrange(1_000_000), ("cancel_plan", {"name": name})))
    return orders


def _match(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> Timed:
    """So many places of an area are kept for some minutes that few are left for those who just come."""
    from_ms = shape.start_ms + at_ms + rng.choice((1_000, 60_000))
    span = {"from_ms": from_ms, "to_ms": from_ms + rng.choice((300_000, 900_000))}
    area = rng.choice(lot.areas)
    capacity = sum(spots.count for spots in area.spots)
    holds = [{"area": area.id, "places": rng.randint(-(-capacity // 3), capacity)}]
    return [(at_ms, ("plan_event", {"name": f"match{rng.randrange(3)}", **span, "holds": holds}))]


def _hold(rng: random.Random, lot: LotConfig) -> dict[str, Any]:
    """Some places of an area, or more than it has."""
    area = rng.choice(lot.areas)
    capacity = sum(spots.count for spots in area.spots)
    return {"area": area.id, "places": rng.randint(1, capacity + 2)}


def _part(rng: random.Random, from_ms: int, to_ms: int) -> dict[str, Any]:
    """A time within the plan's, or all of it; now and then one that is not."""
    if rng.random() < 0.5:
        return {}
    start, end = sorted(rng.sample(range(from_ms, to_ms, 500), 2))
    return {"from_ms": start, "to_ms": end} if rng.random() < 0.95 else {"from_ms": end, "to_ms": start}


def _wrong(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> Timed:
    """What cannot be done."""
    span = {"from_ms": shape.start_ms + at_ms, "to_ms": shape.start_ms + at_ms + 90_000}
    lane = _lane(rng, shape, lot)
    orders: tuple[Order, ...] = (
        ("set_mode", {"scope": "area", "area": "nowhere", "mode": 3}),
        ("set_mode", {"scope": "lane", **lane, "lane": 99, "mode": 3}),
        ("set_mode", {"scope": "lot", "mode": 6}),
        ("set_mode", {"scope": "lot", "mode": 3, "until_ms": shape.start_ms + at_ms + 9_000, "for_s": 5}),
        ("set_mode", {**_scope(rng, shape, lot), "mode": 0}),
        ("set_tide", {**lane, "run": "in", "for_s": 60}),
        ("set_tide", {**lane, "run": "up"}),
        ("cancel_plan", {"name": "none"}),
        ("plan_event", {"name": "bare", **span}),
        ("plan_event", {"name": "late", **span, "to_ms": 1, "holds": [{"area": "out", "places": 1}]}),
        ("plan_event", {"name": "far", **span, "holds": [{"area": "nowhere", "places": 1}]}),
        ("open_lane", {**lane, "cause": "ticket unreadable"}),
    )
    return [(at_ms, rng.choice(orders))]
