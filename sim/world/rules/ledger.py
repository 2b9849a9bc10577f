"""Ledgers, limits and rows of lots, with numbers so small that an hour meets them."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import Shape
from liftgate.sim.world.zones import clock, weekday


def draw_ledger(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """A ledger, with a recount now and then in the hours that a world has."""
    if rng.random() < 0.5:
        return None
    rules: dict[str, Any] = {"drift_cars": rng.choice((0, 1, 3)), "drift_percent": rng.choice((0.0, 5.0))}
    if rng.random() < 0.4:
        rules["recount_at"] = [clock(shape, lot, rng.randrange(110))]
    if rng.random() < 0.3:
        rules["recount_every_s"] = 3600
    return rules


def draw_limits(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """Longest stays of minutes, short closing times, a grace."""
    if rng.random() < 0.5:
        return None
    rules: dict[str, Any] = {
        "longest_stay_s": rng.choice((0, 0, 300, 1_200, 3_600)),
        "turn_round_s": rng.choice((0, 60, 300, 600)),
    }
    if rng.random() < 0.3:
        rules["longest_by_class"] = {"standard": rng.choice((60, 900)), "permit": 120}
    if rng.random() < 0.3:
        rules["longest_by_area"] = {rng.choice(lot.areas).id: rng.choice((60, 600)), "nowhere": 60}
    if rng.random() < 0.4:
        rules["closed"] = [_draw_closed(rng, shape, lot) for _ in range(rng.choice((1, 1, 2)))]
    return rules


def draw_reconciliation(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """Rows, mostly with findings."""
    return None if rng.random() < 0.5 else {"findings": rng.random() < 0.8}


def _draw_closed(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any]:
    """Some minutes within a world's hours, on the day on which they are or on every day."""
    begin = rng.randrange(100)
    end = begin + rng.randint(2, 20)
    closed: dict[str, Any] = {"from": clock(shape, lot, begin), "to": clock(shape, lot, end)}
    return closed | ({"days": [weekday(shape, lot, begin, 0)]} if rng.random() < 0.5 else {})
