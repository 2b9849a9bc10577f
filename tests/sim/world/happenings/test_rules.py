"""What is drawn of rules that change while a lot runs."""

from liftgate.configs.rules import mistakes
from liftgate.sim.world.happenings import rules
from liftgate.sim.world.happenings.services import Ordered
from liftgate.sim.world.plan import draw_plan

PLANS = [draw_plan(seed, [("rules", rules.draw)]) for seed in range(60)]
ORDERS = [(plan, one) for plan in PLANS for one in plan.happenings if isinstance(one, Ordered)]


def test_each_theme_is_added_changed_and_taken_away() -> None:
    """Each of them somewhere."""
    seen = set()
    for plan, order in ORDERS:
        lot = next(lot for lot in plan.shape.lots if lot.id == order.lot)
        for theme, said in order.args["rules"].items():
            seen.add((theme, said is None, theme in lot.rules))
    assert {(theme, none, True) for theme in rules.THEMES for none in (True, False)} <= seen
    assert {(theme, False, False) for theme in rules.THEMES} <= seen


def test_rules_that_went_come_back_as_they_were() -> None:
    """Often, so that what was kept meanwhile is asked for again."""
    backs = [
        order
        for plan, order in ORDERS
        for lot in plan.shape.lots
        for theme, said in order.args["rules"].items()
        if lot.id == order.lot and said is not None and said == lot.rules.get(theme)
    ]
    assert len(backs) > 10


def test_all_of_them_are_rules_that_a_lot_may_have() -> None:
    """The engine takes each."""
    said = [order.args["rules"] for _, order in ORDERS]
    assert [mistakes(each) for each in said if None not in each.values() and mistakes(each)] == []
