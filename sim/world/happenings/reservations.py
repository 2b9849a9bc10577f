"""Places are reserved, changed, given up and waited for; who reserved comes in time, on its edges, or not."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.cars import Step, credential, population
from liftgate.sim.world.happenings.cars import Visit
from liftgate.sim.world.happenings.services import ACTOR, Asked, Ordered, OrderedAgain
from liftgate.sim.world.plan import Happening
from liftgate.sim.world.shape import Shape

MINUTE_MS = 60_000

RESERVATIONS_MAX = 24
"""Of one lot: a block that is smaller is sold out."""


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """Reservations in every lot that has rules for them, a few refused ones where it has none."""
    happenings: list[Happening] = []
    for lot in shape.lots:
        rush = _Rush(rng, shape, lot, span_ms)
        if lot.rules.get("reservations") is None:
            if rng.random() < 0.2:
                happenings += _draw_one(rng, rush)
            continue
        rushes = [rush, *(_Rush(rng, shape, lot, span_ms) for _ in range(rng.randint(0, 2)))]
        for _ in range(rng.randint(3, RESERVATIONS_MAX // 2)):
            happenings += _draw_one(rng, rng.choice(rushes))
        if rush.block.count <= RESERVATIONS_MAX // 2:
            for _ in range(rush.block.count + rng.randint(0, 5)):
                happenings += _draw_one(rng, rush)
        happenings += [_draw_question(rng, shape, lot, span_ms) for _ in range(rng.randint(2, 6))]
        at_ms, service = rng.randrange(span_ms), rng.choice(shape.services).id
        happenings.append(OrderedAgain(at_ms=at_ms, service=service, count=rng.choice((1, 10))))
    return happenings


class _Rush:
    """A time at which many want a place in one block. from_ms, to_ms: since the world's start; cards: who."""

    def __init__(self, rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> None:
        self.shape, self.lot, self.span_ms = shape, lot, span_ms
        self.rules: dict[str, Any] = lot.rules.get("reservations") or {}
        blocks = [(block.count, area.id, n) for area in lot.areas for n, block in enumerate(area.spots)]
        _, self.area, place = min(blocks) if rng.random() < 0.7 else rng.choice(blocks)
        self.block = next(area for area in lot.areas if area.id == self.area).spots[place]
        self.from_ms = rng.randrange(span_ms // 8, span_ms)
        self.to_ms = self.from_ms + rng.choice((5, 15, 40)) * MINUTE_MS
        self.cards = rng.sample(range(population(lot)), rng.choice((4, 10)))


def _draw_one(rng: random.Random, rush: _Rush) -> list[Happening]:
    """A reservation, what becomes of it, and its car."""
    shape, lot, card = rush.shape, rush.lot, rng.choice(rush.cards)
    jitter_ms = rng.choice((0, 0, 0, 0, 0, rng.randrange(-10 * MINUTE_MS, 10 * MINUTE_MS)))
    from_ms, to_ms = max(1_000, rush.from_ms + jitter_ms), rush.to_ms + max(jitter_ms, 0)
    at_ms = max(0, from_ms - int(rng.expovariate(1 / (20 * MINUTE_MS))))
    args = {"from_ms": shape.start_ms + from_ms, "to_ms": shape.start_ms + to_ms, "actor": ACTOR}
    args |= _draw_args(rng, rush, card)
    seed, service = rng.getrandbits(64), rng.choice(shape.services).id
    made = Ordered(at_ms=at_ms, seed=seed, service=service, lot=lot.id, name="reserve", args=args)
    id = made.rng().randbytes(16)
    happenings: list[Happening] = [made]
    if rng.random() < 0.15:  # and another one of the same car, in the outermost area, at the same time
        more = {**args, "area": lot.areas[0].id, "spot_class": "standard"}
        more.pop("spot", None)
        again = rng.getrandbits(64)
        happenings.append(
            Ordered(at_ms=at_ms, seed=again, service=service, lot=lot.id, name="reserve", args=more)
        )
    for _ in range(rng.choice((0, 0, 1, 2))):
        happenings.append(_draw_order(rng, shape, lot, id, at_ms, from_ms, to_ms))
    if args.get("wait"):
        times = [rng.randrange(at_ms, to_ms) for _ in range(3)]
        happenings += [_order(rng, shape, lot, when_ms, "accept_offer", id, {}) for when_ms in times]
    if rng.random() < 0.7:
        happenings.append(_draw_visit(rng, rush, card, from_ms, to_ms))
    return [happening for happening in happenings if happening.at_ms < rush.span_ms]


def _draw_args(rng: random.Random, rush: _Rush, card: int) -> dict[str, Any]:
    """For whom, and what."""
    kind, token = credential(card)
    block = rush.block
    args: dict[str, Any] = {"code": token} if rng.random() < 0.2 else {"kind": kind, "token": token}
    if rng.random() < 0.6:
        args["wait"] = True
    if rng.random() < (0.4 if rush.lot.assign == "spot" else 0.05):
        number = rng.randint(1, block.count + (rng.random() < 0.1))
        args["spot"] = f"{block.level}-{block.prefix}-{number:03d}"
    elif rng.random() < 0.95:
        args |= {"area": rush.area, "spot_class": block.spot_class}
    return args


def _draw_order(
    rng: random.Random, shape: Shape, lot: LotConfig, id: bytes, at_ms: int, from_ms: int, to_ms: int
) -> Happening:
    when_ms = rng.randrange(at_ms, max(at_ms + 1, to_ms + 5 * MINUTE_MS))
    if rng.random() < 0.45:
        return _order(rng, shape, lot, when_ms, "cancel_reservation", id, {})
    args: dict[str, Any] = {}
    later_ms = rng.choice((-5, 5, 20)) * MINUTE_MS
    if rng.random() < 0.4:
        args["from_ms"] = shape.start_ms + max(0, from_ms + later_ms)
    if rng.random() < 0.7:
        args["to_ms"] = shape.start_ms + to_ms + later_ms
    if rng.random() < 0.2:
        kind, token = credential(rng.randrange(population(lot)))
        args |= {"kind": kind, "token": token}
    return _order(rng, shape, lot, when_ms, "change_reservation", id, args)


def _order(
    rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int, name: str, id: bytes, more: dict[str, Any]
) -> Happening:
    seed, service = rng.getrandbits(64), rng.choice(shape.services).id
    args = {"reservation": id, "actor": ACTOR, **more}
    return Ordered(at_ms=at_ms, seed=seed, service=service, lot=lot.id, name=name, args=args)


def _draw_visit(rng: random.Random, rush: _Rush, card: int, from_ms: int, to_ms: int) -> Happening:
    """In time, or within seconds of when it opens and when it is given up; some stay too long."""
    opens_ms = from_ms - 1_000 * rush.rules.get("early_s", 0)
    closes_ms = min(from_ms + 1_000 * rush.rules.get("late_s", 0), to_ms)
    edge_ms = rng.choice((opens_ms, closes_ms, from_ms)) + rng.randrange(-8_000, 8_000)
    at_ms = max(0, rng.choice((edge_ms, rng.randrange(opens_ms, max(opens_ms + 1, closes_ms)))))
    stay_ms = max(1_000, to_ms - at_ms + rng.randrange(-10 * MINUTE_MS, 10 * MINUTE_MS))
    steps = [_step(rng, rush, "out", False, 0)]
    if rush.area == "in":
        steps += [_step(rng, rush, "in", False, 30_000), _step(rng, rush, "in", True, stay_ms)]
        stay_ms = 20_000
    steps.append(_step(rng, rush, "out", True, stay_ms))
    return Visit(at_ms=at_ms, seed=rng.getrandbits(32), card=card, steps=tuple(steps))


def _step(rng: random.Random, rush: _Rush, area: str, out: bool, after_ms: int) -> Step:
    """One of the lanes that lead there."""
    wanted = ("exit" if out else "entry", "both")
    lanes = [
        (reader.id, lane.number)
        for reader in rush.shape.readers
        if reader.lot == rush.lot.id
        for lane in reader.lanes
        if lane.area == area and lane.direction in wanted
    ]
    reader, lane = rng.choice(lanes)
    return Step(reader, lane, after_ms, out)


def _draw_question(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Happening:
    at_ms, service = rng.randrange(span_ms), rng.choice(shape.services).id
    begin_ms = shape.start_ms + rng.randrange(span_ms)
    time = {"from_ms": begin_ms, "to_ms": begin_ms + rng.choice((1, 30 * MINUTE_MS))}
    kind, token = credential(rng.randrange(population(lot)))
    name, args = rng.choice(
        (
            ("reservations", {}),
            ("reservations", time),
            ("reservations", {"kind": kind, "token": token}),
            ("reservations", {"code": token}),
            ("availability", {**time, "area": rng.choice(lot.areas).id, "spot_class": "standard"}),
        )
    )
    return Asked(at_ms=at_ms, service=service, lot=lot.id, name=name, args=args)
