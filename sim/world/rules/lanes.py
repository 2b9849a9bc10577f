"""What is watched at a lot's lanes, causes of vends, and tides; the limits are near what a world does."""

import random
from typing import Any

import msgspec

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import ReaderShape, Shape
from liftgate.sim.world.zones import clock, draw_days

RUNS = ("in", "out", "closed", "off")

TURNS_MIN = 100
"""Most cars of most worlds come within so many minutes: a lane that turns later turns for nobody."""


def draw(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """The theme for half of the lots, the simplest of them without anything in it, and for most of those with
    a lane for both ways: only they can have tides.
    """
    tidal = both_ways(shape, lot)
    if rng.random() < (0.2 if tidal else 0.45):
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
    if tides := [_draw_tide(rng, shape, lot, *lane) for lane in tidal if rng.random() < 0.9]:
        rules["tides"] = tides
    return rules


def with_ramps(shape: Shape, rng: random.Random) -> Shape:
    """The shape with a lane that leads both ways, now and then the only one, in some lots that had none: too
    few would have tides.
    """
    for lot in shape.lots:
        if not both_ways(shape, lot) and rng.random() < 0.3:
            chosen = rng.choice([each for each in shape.readers if each.lot == lot.id and _outer(each)])
            number = rng.choice(_outer(chosen))
            lanes = tuple(
                msgspec.structs.replace(lane, direction="both") if lane.number == number else lane
                for lane in chosen.lanes
            )
            shape = shape.with_reader(chosen.id, lanes=lanes)
    return shape


def _outer(reader: ReaderShape) -> list[int]:
    """Its lanes to the street."""
    return [lane.number for lane in reader.lanes if lane.area == "out"]


def both_ways(shape: Shape, lot: LotConfig) -> list[tuple[str, int]]:
    """The lot's lanes for both ways."""
    lanes = [(reader.id, lane) for reader in shape.readers if reader.lot == lot.id for lane in reader.lanes]
    return [(reader, lane.number) for reader, lane in lanes if lane.direction == "both"]


def _draw_tide(rng: random.Random, shape: Shape, lot: LotConfig, reader: str, lane: int) -> dict[str, Any]:
    """Turns while cars come, also in short worlds; now and then only by order."""
    minutes = sorted(rng.sample(range(TURNS_MIN), rng.choice((0, 2, 4, 8, 12))))
    schedule = [_draw_turn(rng, shape, lot, minute) for minute in minutes]
    tide: dict[str, Any] = {"reader": reader, "lane": lane, "schedule": schedule}
    return tide | ({"clearing_s": rng.choice((0, 30, 120))} if rng.random() < 0.3 else {})


def _draw_turn(rng: random.Random, shape: Shape, lot: LotConfig, minute: int) -> dict[str, Any]:
    turn: dict[str, Any] = {"at": clock(shape, lot, minute), "run": rng.choice(RUNS)}
    return turn if rng.random() < 0.7 else turn | {"days": draw_days(rng, shape, lot, minute)}
