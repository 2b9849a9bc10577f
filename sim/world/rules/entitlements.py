"""Whether a lot has passes and groups, and what becomes of those who come at the wrong time."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import Shape
from liftgate.sim.world.zones import clock, today


def draw(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """The theme's table, or none."""
    if rng.random() < 0.5:
        return None
    rules: dict[str, Any] = {}
    if rng.random() < 0.25:
        rules["holders_only"] = [rng.choice([area.id for area in lot.areas])]
    if rng.random() < 0.4:
        rules["outside"] = "casual"
    if rng.random() < 0.5:
        rules["keep_s"] = 3600
    if rng.random() < 0.3:
        day: dict[str, Any] = rng.choice(
            ({}, {"like": "sun"}, {"times": [{"from": clock(shape, lot, 10), "to": clock(shape, lot, 40)}]}),
        )
        rules["holidays"] = [{"date": today(shape, lot).isoformat(), **day}]
    return rules
