"""What is drawn of lanes: cars both ways through tidal ones, and event days that keep places."""

from liftgate.sim.world.happenings import lanes
from liftgate.sim.world.happenings.cars import Visit
from liftgate.sim.world.happenings.services import Ordered
from liftgate.sim.world.plan import Plan, draw_plan
from liftgate.sim.world.rules.lanes import both_ways

PLANS = [draw_plan(seed, [("lanes", lanes.draw)]) for seed in range(40)]


def visits(plan: Plan, lane: tuple[str, int]) -> list[Visit]:
    found = [one for one in plan.happenings if isinstance(one, Visit)]
    return [one for one in found if (one.steps[0].reader, one.steps[0].lane) == lane]


def test_cars_come_in_and_go_out_by_every_lane_for_both_ways() -> None:
    """Some of them each, there and back by the same lane."""
    drawn = [
        visits(plan, lane) for plan in PLANS for lot in plan.shape.lots for lane in both_ways(plan.shape, lot)
    ]
    assert drawn
    assert all(4 <= len(each) <= 19 for each in drawn)
    assert all([step.out for step in one.steps] == [False, True] for each in drawn for one in each)


def test_every_lot_with_the_rules_has_a_day_that_keeps_places() -> None:
    """Many of an area's places, so that who just comes finds fewer than are there."""
    for plan in PLANS:
        for lot in plan.shape.lots:
            orders = [one for one in plan.happenings if isinstance(one, Ordered) and one.lot == lot.id]
            days = [one for one in orders if one.args.get("name", "").startswith("match")]
            assert bool(days) == ("lanes" in lot.rules)
            assert all(hold["places"] >= 1 for day in days for hold in day.args["holds"])
