"""Rules for reservations: short times, so that a world sees them begin and end."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import Shape


def draw(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """Of the lots half have them."""
    if rng.random() < 0.5:
        return None
    return {
        "early_s": rng.choice((0, 60, 300, 900)),
        "late_s": rng.choice((0, 60, 300, 900)),
        "leave_s": rng.choice((0, 60, 300)),
        "hold": rng.choice(
            (
                [],
                [{"before_s": 1800, "percent": 100}],
                [{"before_s": 1800, "percent": 25}, {"before_s": 600, "percent": 50}],
                [{"before_s": 3600, "percent": 40}, {"before_s": 1200, "percent": 100}],
            )
        ),
        "overbooking_percent": rng.choice((100, 100, 110, 150)),
        "accept_s": rng.choice((60, 300, 900)),
        "waiting_max": rng.choice((0, 2, 100)),
    }
