"""What a full class of spots falls back to, how long a full car may stay at its charger, and the spots of
other classes that such rules are about.
"""

import random
from typing import Any

import msgspec

from liftgate.configs.schema import AreaConfig, LotConfig, SpotClass, SpotsConfig
from liftgate.sim.world.shape import Shape

CLASSES: tuple[SpotClass, ...] = ("accessible", "charging", "family", "motorcycle", "permit")


def draw(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """The theme's table, or none."""
    if rng.random() < 0.5:
        return None
    fallback = {}
    for wanted in ("standard", *CLASSES):
        others = [each for each in ("standard", *CLASSES) if each not in (wanted, "accessible")]
        if rng.random() < 0.4:
            fallback[wanted] = rng.sample(others, rng.randint(1, 2))
    rules: dict[str, Any] = {"fallback": fallback}
    if rng.random() < 0.6:
        rules["full_grace_s"] = rng.choice((1, 60, 900))
    return rules


def with_classes(shape: Shape, rng: random.Random) -> Shape:
    """The shape with a few spots of other classes in about half of its lots' areas."""
    lots = tuple(
        msgspec.structs.replace(lot, areas=tuple(_with_classes(rng, area) for area in lot.areas))
        for lot in shape.lots
    )
    return msgspec.structs.replace(shape, lots=lots)


def _with_classes(rng: random.Random, area: AreaConfig) -> AreaConfig:
    more = [
        SpotsConfig(level=area.spots[0].level, prefix=prefix, spot_class=spot_class, count=rng.randint(1, 3))
        for prefix, spot_class in zip("XY", rng.sample(CLASSES, rng.choice((0, 0, 1, 2))), strict=False)
    ]
    return msgspec.structs.replace(area, spots=(*area.spots, *more))
