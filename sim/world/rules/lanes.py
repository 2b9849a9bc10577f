"""What is watched at a lot's lanes, causes of vends, and tides; the limits are near what a world does."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import Shape

RUNS = ("in", "out", "closed", "off")
FIRST_HOUR = 8
"""Worlds begin on a Friday at 8:00 UTC and end within three hours."""


def draw(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """The theme for half of the lots, the simplest of them without anything in it."""
    if rng.random() < 0.45:
        return None
    rules: dict[str, Any] = {}
    if rng.random() < 0.7:
        rules["down_after_s"] = rng.choice((0, 30, 60, 180, 300))
    for name, most in (("tailgates_max", 3), ("backouts_max", 2), ("forced_max", 2), ("vends_max", 4)):
        if rng.random() < 0.6:
            rules[name] = rng.randint(0, most)
    if rng.random() < 0.4:
        rules["vend_causes"] = ["help", "ambulance"] if rng.random() < 0.8 else ["ambulance"]
    if rng.random() < 0.7:
        rules["clearing_s"] = rng.choice((0, 20, 60, 300))
    if tides := [_draw_tide(rng, *lane) for lane in both_ways(shape, lot) if rng.random() < 0.6]:
        rules["tides"] = tides
    return rules


def both_ways(shape: Shape, lot: LotConfig) -> list[tuple[str, int]]:
    """The lot's lanes for both ways."""
    lanes = [(reader.id, lane) for reader in shape.readers if reader.lot == lot.id for lane in reader.lanes]
    return [(reader, lane.number) for reader, lane in lanes if lane.direction == "both"]


def _draw_tide(rng: random.Random, reader: str, lane: int) -> dict[str, Any]:
    """Turns within the world's hours; now and then only by order."""
    minutes = sorted(rng.sample(range(150), rng.choice((0, 1, 2, 4, 8))))
    schedule = [_draw_turn(rng, minute) for minute in minutes]
    tide: dict[str, Any] = {"reader": reader, "lane": lane, "schedule": schedule}
    return tide | ({"clearing_s": rng.choice((0, 30, 120))} if rng.random() < 0.3 else {})


def _draw_turn(rng: random.Random, minute: int) -> dict[str, Any]:
    at = f"{FIRST_HOUR + minute // 60:02d}:{minute % 60:02d}"
    turn: dict[str, Any] = {"at": at, "run": rng.choice(RUNS)}
    return turn if rng.random() < 0.7 else turn | {"days": rng.choice((["fri"], ["thu", "fri"], ["mon"]))}
