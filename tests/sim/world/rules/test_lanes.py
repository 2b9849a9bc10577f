"""What worlds begin with at their lanes: enough tides that cars meet them."""

from liftgate.sim.world.plan import draw_plan
from liftgate.sim.world.rules.lanes import TURNS_MIN, both_ways
from liftgate.sim.world.zones import clock

SHAPES = [draw_plan(seed, ()).shape for seed in range(200)]


def test_most_lanes_for_both_ways_have_a_tide() -> None:
    """Of lots with such a lane most have the theme, of its lanes nearly all are tidal; many lots have one."""
    tidal = [(shape, lot) for shape in SHAPES for lot in shape.lots if both_ways(shape, lot)]
    themes = [(shape, lot) for shape, lot in tidal if "lanes" in lot.rules]
    lanes = sum(len(both_ways(shape, lot)) for shape, lot in themes)
    tides = sum(len(lot.rules["lanes"].get("tides", ())) for _, lot in themes)
    assert len(tidal) > 0.4 * sum(len(shape.lots) for shape in SHAPES)
    assert len(themes) > 0.7 * len(tidal)
    assert tides > 0.8 * lanes


def test_tides_turn_while_cars_come() -> None:
    """Every turn is within the world's first minutes, in the lot's time of day."""
    turns = [
        (shape, lot, turn["at"])
        for shape in SHAPES
        for lot in shape.lots
        for tide in lot.rules.get("lanes", {}).get("tides", ())
        for turn in tide["schedule"]
    ]
    assert len(turns) > 100
    assert all(at in {clock(shape, lot, minute) for minute in range(TURNS_MIN)} for shape, lot, at in turns)
