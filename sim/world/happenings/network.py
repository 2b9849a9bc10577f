"""The network between devices and engine fails."""

import random

from liftgate.sim.world.plan import Happening
from liftgate.sim.world.shape import Shape


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """Some faults of each kind, spread over the span."""
    return []
