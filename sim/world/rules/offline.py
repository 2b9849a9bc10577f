"""What a lot's readers may decide alone, with limits so small that an hour meets them."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import Shape


def draw(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """The theme for half of the lots, the simplest of them without anything in it."""
    if rng.random() < 0.5:
        return None
    rules: dict[str, Any] = {}
    if rng.random() < 0.7:
        rules["entries"] = rng.choice((0, 1, 2, 5, 50))
    if rng.random() < 0.5:
        rules["hours"] = rng.choice((0, 1, 1, 24))
    if rng.random() < 0.8:
        rules["cards"] = rng.choice(("lane", "lane", "known", "off"))
    return rules
