"""People count cars and ask what a count is made of; rules come and go; cars turn round and stay too long."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.cars import Step, capacity, population
from liftgate.sim.world.happenings.cars import Visit
from liftgate.sim.world.happenings.services import ACTOR, Asked, Order, Ordered
from liftgate.sim.world.plan import Happening
from liftgate.sim.world.rules.ledger import draw_ledger, draw_limits, draw_reconciliation
from liftgate.sim.world.shape import Shape

MINUTE_MS = 60_000
THEMES = (("ledger", draw_ledger), ("limits", draw_limits), ("reconciliation", draw_reconciliation))


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """A few of each in lots that have such rules, hardly any in others."""
    happenings: list[Happening] = []
    for lot in shape.lots:
        ruled = any(theme in lot.rules for theme, _ in THEMES)
        for _ in range(rng.randrange(8) if ruled else rng.choice((0, 0, 1))):
            happenings.append(_order(rng, shape, lot, span_ms, rng.choice(_ORDERS)(rng, shape, lot)))
        for _ in range(rng.randint(2, 8) if ruled else 1):
            happenings.append(_draw_question(rng, shape, lot, span_ms))
        if "limits" in lot.rules:
            happenings += [_draw_guest(rng, shape, lot, span_ms) for _ in range(rng.randrange(10))]
    return happenings


def _recount(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    counted = {area.id: rng.randrange(_spots(lot, area.id) + 3) for area in lot.areas if rng.random() < 0.8}
    if rng.random() < 0.05:
        counted["nowhere"] = 1
    return "recount", {"counted": counted, "actor": ACTOR, "reason": "walked round"}


def _report_count(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    area = rng.choice(lot.areas).id if rng.random() < 0.95 else "nowhere"
    counted = rng.randrange(capacity(lot) + 1) if rng.random() < 0.97 else -1
    return "report_count", {"area": area, "counted": counted, "source": "loops", "actor": ACTOR}


def _correct_count(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    area = rng.choice(lot.areas).id
    to = rng.choice((0, _spots(lot, area), _spots(lot, area) + 1, _spots(lot, area) + 3))
    return "correct_count", {"area": area, "to": to, "actor": ACTOR, "reason": "on the edge"}


def _set_rules(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    theme, draw_rules = rng.choice(THEMES)
    rules = draw_rules(rng, shape, lot)
    if rng.random() < 0.1:
        theme, rules = "ledger", {"recount_every_s": 5}
    return "set_rules", {"rules": {theme: rules}, "actor": ACTOR, "reason": "tried"}


_ORDERS = (_recount, _recount, _report_count, _report_count, _correct_count, _set_rules)


def _spots(lot: LotConfig, area: str) -> int:
    return sum(spots.count for each in lot.areas if each.id == area for spots in each.spots)


def _order(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int, order: Order) -> Happening:
    at_ms, service = rng.randrange(span_ms), rng.choice(shape.services).id
    name, args = order
    return Ordered(at_ms=at_ms, seed=rng.getrandbits(64), service=service, lot=lot.id, name=name, args=args)


def _draw_question(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Happening:
    questions: tuple[tuple[str, dict[str, Any]], ...] = (
        ("ledger", {}),
        ("ledger", {}),
        ("ledger", {"area": rng.choice(lot.areas).id}),
        ("reconciliation", {}),
        ("reconciliation", {"differing": True}),
    )
    name, args = rng.choice(questions)
    at_ms, service = rng.randrange(span_ms), rng.choice(shape.services).id
    return Asked(at_ms=at_ms, service=service, lot=lot.id, name=name, args=args)


def _draw_guest(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Happening:
    """Somebody whose stay ends about when the grace or the limit of the lot does."""
    rules = lot.rules["limits"]
    edge_s = rng.choice((rules["turn_round_s"], rules["longest_stay_s"], 60))
    after_ms = max(1_000, 1_000 * edge_s + rng.choice((-30_000, -2_000, 0, 2_000, 30_000)))
    lanes = [(reader.id, lane) for reader in shape.readers if reader.lot == lot.id for lane in reader.lanes]
    ways = [
        [(id, lane.number) for id, lane in lanes if lane.area == "out" and lane.direction in (way, "both")]
        for way in ("entry", "exit")
    ]
    steps = (Step(*rng.choice(ways[0]), 0, False), Step(*rng.choice(ways[1]), after_ms, True))
    card, seed = rng.randrange(population(lot)), rng.getrandbits(32)
    return Visit(at_ms=rng.randrange(span_ms), seed=seed, card=card, steps=steps)
