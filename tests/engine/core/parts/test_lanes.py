"""Modes of lanes in layers, and event days."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from liftgate.codecs import codes
from liftgate.codecs.events import lanes as ev
from liftgate.codecs.events.operators import LaneModeSet
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.parts.lanes.orders import NAMED_MAX
from liftgate.engine.core.parts.lanes.plans import PLANS_MAX, STEPS_MAX
from liftgate.gateways import queries
from tests.engine.core.lots import IN_AND_OUT, NOON, Yard, area, block, lane_spec, lot_spec, packed, replayed

AREAS = (
    area("north", None, block("P1", "A", 9)),
    area("deck", "north", block("P2", "D", 5)),
    area("vip", "deck", block("P3", "V", 3)),
)
LANES = (
    lane_spec(0, "entry"),
    lane_spec(1, "exit"),
    lane_spec(2, "entry", "deck"),
    lane_spec(3, "entry", "vip"),
)
MINUTE = 60_000


def yard_with(**rules: Any) -> Yard:
    """Three areas inside each other, each with an entry, and the theme switched on."""
    yard = Yard(lot_spec(*AREAS) | {"rules": {"lanes": rules}}, r=LANES)
    yard.lot.untold.clear()
    return yard


def modes(yard: Yard) -> list[int]:
    return [lane.mode for lane in yard.lot.readers["r"].lanes.values()]


def told(yard: Yard) -> list[int]:
    """The lanes whose reader is to be told, which it is then."""
    numbers = sorted(number for _, number in yard.lot.untold)
    yard.lot.untold.clear()
    return numbers


def do(yard: Yard, name: str, /, **args: Any) -> dict[str, Any]:
    ok, code, body = yard.order(name, **{"actor": "jo"} | args)
    assert ok, (code, body)
    return dict(body)


def code(yard: Yard, name: str, /, **args: Any) -> str:
    return str(yard.order(name, **{"actor": "jo"} | args)[1])


# -- modes


def test_the_most_specific_scope_wins() -> None:
    """The lane before its area, an area before the one around it, all before the lot."""
    yard = yard_with()
    do(yard, "set_mode", scope="lot", mode=5)
    assert modes(yard) == [5, 5, 5, 5]
    do(yard, "set_mode", scope="area", area="deck", mode=3)
    assert modes(yard) == [5, 5, 3, 3]
    do(yard, "set_mode", scope="area", area="vip", mode=2)
    do(yard, "set_mode", scope="lane", reader="r", lane=0, mode=4)
    assert modes(yard) == [4, 5, 3, 2]
    yard.check()


def test_a_wider_mode_says_which_lanes_it_changes_and_which_keep_theirs() -> None:
    """Nobody closes a lot and overlooks the lane that somebody holds open."""
    yard = yard_with()
    do(yard, "set_lane", reader="r", lane=3, mode=2)
    body = do(yard, "set_mode", scope="lot", mode=3)
    assert (body["changed"], body["kept"]) == (["r/0", "r/1", "r/2"], ["r/3"])
    assert (body["changed_count"], body["kept_count"]) == (3, 1)


def test_an_outcome_names_no_more_lanes_than_fit() -> None:
    """A thousand lanes change all the same."""
    many = tuple(lane_spec(number, "entry") for number in range(200))
    yard = Yard(lot_spec() | {"rules": {"lanes": {}}}, r=many)
    body = do(yard, "set_mode", scope="lot", mode=3)
    assert (len(body["changed"]), body["changed_count"]) == (NAMED_MAX, 200)
    assert modes(yard) == [3] * 200


def test_the_end_of_a_mode_brings_back_what_lies_beneath() -> None:
    """Held open for ten minutes in a closed area: then closed again, not normal."""
    yard = yard_with()
    do(yard, "set_mode", scope="area", area="deck", mode=3)
    do(yard, "set_mode", scope="lane", reader="r", lane=2, mode=2, for_s=600, reason="delivery")
    assert modes(yard) == [1, 1, 2, 3]
    yard.check()
    yard.tick(10 * MINUTE - 1)
    assert modes(yard)[2] == 2
    (ended,) = yard.tick(1)
    assert isinstance(ended, ev.ModeEnded) and (ended.at, ended.actor) == ("lane/r/2", "")
    assert modes(yard) == [1, 1, 3, 3]
    assert yard.tick(MINUTE) == ()
    yard.check()


def test_a_mode_with_an_end_lies_on_top_of_one_without() -> None:
    """By hand at one lane: closed until further notice, open for a while, closed again."""
    yard = yard_with()
    do(yard, "set_lane", reader="r", lane=0, mode=3)
    do(yard, "set_lane", reader="r", lane=0, mode=2, until_ms=NOON + MINUTE)
    do(yard, "set_lane", reader="r", lane=0, mode=5, for_s=120)
    assert modes(yard)[0] == 5
    yard.tick(MINUTE)
    assert modes(yard)[0] == 5, "the second end replaced the first"
    yard.tick(MINUTE)
    assert modes(yard)[0] == 3
    do(yard, "set_lane", reader="r", lane=0, mode=2, for_s=60)
    do(yard, "set_lane", reader="r", lane=0, mode=4)
    assert yard.tick(2 * MINUTE) == () and modes(yard)[0] == 4, "a word without an end replaces both"
    yard.check()


def test_normal_over_normal_is_no_setting_but_normal_in_a_closed_area_is() -> None:
    """A lane closed and opened again closes with its area; one opened in a closed area stays open."""
    yard = yard_with()
    do(yard, "set_lane", reader="r", lane=2, mode=3)
    do(yard, "set_lane", reader="r", lane=2, mode=1)
    do(yard, "set_mode", scope="area", area="deck", mode=3)
    assert modes(yard) == [1, 1, 3, 3]
    do(yard, "set_lane", reader="r", lane=2, mode=1)
    assert modes(yard) == [1, 1, 1, 3]
    do(yard, "set_mode", scope="lane", reader="r", lane=2, mode=0)
    assert modes(yard) == [1, 1, 3, 3]
    yard.check()


def test_mode_0_takes_away_what_was_set_by_hand() -> None:
    """Both layers at once; nothing there is said."""
    yard = yard_with()
    do(yard, "set_mode", scope="lot", mode=3)
    do(yard, "set_mode", scope="lot", mode=5, for_s=60)
    body = do(yard, "set_mode", scope="lot", mode=0)
    assert body["changed"] == ["r/0", "r/1", "r/2", "r/3"] and modes(yard) == [1, 1, 1, 1]
    assert code(yard, "set_mode", scope="lot", mode=0) == "not_set"
    yard.check()


def test_every_lane_that_works_otherwise_is_told() -> None:
    """By order, by time, and the one that an order names even where nothing changes."""
    yard = yard_with()
    do(yard, "set_mode", scope="area", area="deck", mode=3, for_s=60)
    assert told(yard) == [2, 3]
    yard.tick(MINUTE)
    assert told(yard) == [2, 3]
    do(yard, "set_lane", reader="r", lane=0, mode=1)
    assert told(yard) == [0]
    assert [lane.mode_set for lane in yard.lot.readers["r"].lanes.values()] == [True, False, True, True]


def test_a_mode_says_who_set_it_and_when_it_ends() -> None:
    """In `lanes` what each obeys, in `modes` all that is set."""
    yard = yard_with()
    do(yard, "set_lane", reader="r", lane=0, mode=3, reason="works")
    do(yard, "set_mode", scope="lot", mode=5, for_s=60, actor="eve")
    lanes = queries.answer(yard.lot, "lanes", {})[2]
    assert lanes["r/0"]["mode_set"] == {
        "at": "lane/r/0",
        "mode": 3,
        "until_ms": 0,
        "actor": "jo",
        "reason": "works",
        "since_ms": NOON,
        "plan": "",
    }
    assert (lanes["r/1"]["mode_set"]["at"], lanes["r/1"]["mode_set"]["actor"]) == ("lot", "eve")
    assert lanes["r/1"]["mode_set"]["until_ms"] == NOON + MINUTE
    assert sorted(queries.answer(yard.lot, "modes", {})[2]) == ["lane/r/0", "lot"]


def test_modes_work_in_a_lot_without_the_theme() -> None:
    """And a lot in which none is set has the snapshot that it always had."""
    yard = Yard(lot_spec(*AREAS), r=LANES)
    assert b"parts" not in state.dump(yard.lot)
    do(yard, "set_mode", scope="area", area="vip", mode=3, for_s=60)
    assert modes(yard) == [1, 1, 1, 3]
    yard.tick(MINUTE)
    assert b"parts" not in state.dump(yard.lot)
    yard.check()


def test_scopes_that_are_not_there_are_refused() -> None:
    """With a code for the program and no change."""
    yard = yard_with()
    assert code(yard, "set_mode", scope="area", area="attic", mode=3) == "no_such_area"
    assert code(yard, "set_mode", scope="lane", reader="r", lane=9, mode=3) == "no_such_lane"
    assert code(yard, "set_mode", scope="area", mode=3) == "bad_args"
    assert code(yard, "set_mode", scope="lot", area="north", mode=3) == "bad_args"
    assert code(yard, "set_mode", scope="lot", mode=3, for_s=5, until_ms=NOON + 1) == "bad_args"
    assert code(yard, "set_mode", scope="lot", mode=3, until_ms=NOON) == "over_already"
    assert modes(yard) == [1, 1, 1, 1]


def test_a_lane_of_a_new_configuration_takes_the_mode_of_its_scopes() -> None:
    """A lane added to a closed area is closed; what was set at one that is gone is forgotten."""
    yard = yard_with()
    do(yard, "set_mode", scope="area", area="deck", mode=3)
    do(yard, "set_lane", reader="r", lane=3, mode=2)
    yard.do(c.ConfigureReader(yard.now_ms, "r", (*LANES[:3], lane_spec(7, "entry", "deck"))))
    assert modes(yard) == [1, 1, 3, 3]
    yard.do(c.ConfigureReader(yard.now_ms, "r", LANES))
    assert modes(yard) == [1, 1, 3, 3]
    yard.do(c.ConfigureLot(yard.now_ms, lot_spec(AREAS[0])))
    assert modes(yard) == [1, 1, 1, 1]
    yard.check()


def test_modes_of_an_old_snapshot_hold_until_further_notice() -> None:
    """A lane closed before there were layers is closed, and opens by a word."""
    yard = Yard()
    yard.order("set_lane", reader="r", lane=0, mode=3, actor="jo")
    old = yard.lot.parts.pop("lanes")
    dump = state.dump(yard.lot)
    yard.lot.parts["lanes"] = old
    lot = state.load(dump)
    assert lot.readers["r"].lanes[0].mode == 3
    assert [s.mode for s in lot.parts["lanes"].modes.stacks["lane/r/0"]] == [3]


def test_an_old_journal_replays_to_its_modes() -> None:
    """LaneModeSet as it always was."""
    yard = Yard()
    yard.order("set_lane", reader="r", lane=0, mode=3, actor="jo")
    assert LaneModeSet in [type(event) for event in yard.do(order("set_lane", reader="r", lane=1, mode=4))]
    assert [lane.mode for lane in replayed("north", bytes(yard.log)).readers["r"].lanes.values()] == [3, 4]


def order(name: str, **args: Any) -> c.Order:
    return c.Order(NOON, b"x" * 16, "api", name, {"actor": "jo"} | args)


# -- event days


def plan(yard: Yard, **args: Any) -> dict[str, Any]:
    body = {"name": "derby", "from_ms": NOON + 10 * MINUTE, "to_ms": NOON + 60 * MINUTE}
    return do(yard, "plan_event", **body | args)


def test_a_plan_sets_modes_in_their_time_and_restores_what_was() -> None:
    """Each step in its time, whatever else was set beneath."""
    yard = yard_with()
    do(yard, "set_lane", reader="r", lane=2, mode=4)
    lane2 = {"scope": "lane", "reader": "r", "lane": 2, "mode": 2, "from_ms": NOON + 20 * MINUTE}
    plan(yard, steps=[{"scope": "area", "area": "deck", "mode": 5}, lane2 | {"to_ms": NOON + 30 * MINUTE}])
    assert modes(yard) == [1, 1, 4, 1]
    seen = []
    for _ in range(6):
        yard.tick(10 * MINUTE)
        seen.append(modes(yard))
        yard.check()
    assert seen == [[1, 1, 4, 5], [1, 1, 2, 5], [1, 1, 4, 5], [1, 1, 4, 5], [1, 1, 4, 5], [1, 1, 4, 1]]
    assert yard.lot.parts["lanes"].plans.plans == {}
    assert yard.tick(60 * MINUTE) == ()


def test_a_word_by_hand_during_a_plan_holds_at_once_and_after_it() -> None:
    """Within one scope the last word counts."""
    yard = yard_with()
    plan(yard, steps=[{"scope": "lot", "mode": 2}])
    yard.tick(10 * MINUTE)
    do(yard, "set_mode", scope="lot", mode=3)
    assert modes(yard) == [3, 3, 3, 3]
    yard.tick(50 * MINUTE)
    assert modes(yard) == [3, 3, 3, 3]


def test_places_held_by_a_plan_refuse_with_310_and_come_back() -> None:
    """Two places in nine: the eighth car is refused while the plan runs, with the rule in its trace."""
    yard = yard_with()
    plan(yard, holds=[{"area": "north", "places": 2}])
    yard.tick(10 * MINUTE)
    for car in range(7):
        assert yard.scan(0, b"car-%d" % car).verdict == codes.OPEN
    refused = yard.scan(0, b"late")
    assert (refused.verdict, refused.reason) == (codes.REFUSE, 310)
    assert "event plan: area north: 2 available, of which 2 are kept by a plan" in refused.trace
    assert yard.scan(1, b"car-0").verdict == codes.OPEN
    assert yard.scan(0, b"late").verdict == codes.OPEN
    assert queries.answer(yard.lot, "plans", {})[2]["held"] == {"north": 2}
    yard.check()
    yard.tick(50 * MINUTE)
    assert yard.scan(0, b"later").verdict == codes.OPEN
    yard.check()


def test_a_promise_out_of_an_inner_area_is_no_promise_of_a_held_place() -> None:
    """A car on its way out of an inner area is not counted outside: a place there would be one more taken."""
    inner_exit = lane_spec(4, "exit", "deck", confirm=True)
    yard = Yard(lot_spec(*AREAS) | {"rules": {"lanes": {}}}, r=(*LANES, inner_exit))
    for lane in (0, 2, 4):
        assert yard.scan(lane, b"guest").verdict == codes.OPEN
    plan(yard, holds=[{"area": "north", "places": 9}])
    yard.tick(10 * MINUTE)
    yard.scan(4, b"guest")
    do(yard, "reset_passback", kind=2, token=b"guest")
    assert yard.scan(0, b"guest").reason == 310


def test_a_full_area_is_full_also_where_a_plan_holds_places() -> None:
    """300 says more than 310: not even those for whom the places are kept would find one."""
    yard = yard_with()
    for car in range(9):
        yard.scan(0, b"car-%d" % car)
    plan(yard, from_ms=NOON, holds=[{"area": "north", "places": 2}])
    yard.tick()
    assert yard.scan(0, b"late").reason == 300


def test_a_cancelled_plan_ends_at_once() -> None:
    """What it has in force is over with its name as the cause; what was to come does not come."""
    yard = yard_with()
    steps = [{"scope": "lot", "mode": 5}, {"scope": "lot", "mode": 3, "from_ms": NOON + 30 * MINUTE}]
    plan(yard, steps=steps, holds=[{"area": "vip", "places": 1}])
    yard.tick(10 * MINUTE)
    assert modes(yard) == [5, 5, 5, 5]
    assert do(yard, "cancel_plan", name="derby") == {"ended": 2}
    assert modes(yard) == [1, 1, 1, 1] and yard.lot.parts["lanes"].plans.by_area == {}
    assert yard.tick(60 * MINUTE) == ()
    assert code(yard, "cancel_plan", name="derby") == "no_such_plan"
    yard.check()


def test_a_plan_missed_while_the_engine_was_away_is_carried_out_in_order() -> None:
    """All its events stand in the journal, and nothing of it is left."""
    yard = yard_with()
    plan(yard, steps=[{"scope": "lot", "mode": 3}])
    events = yard.tick(120 * MINUTE)
    assert [type(event) for event in events] == [ev.ModeSet, ev.ModeEnded, ev.PlanEnded]
    assert modes(yard) == [1, 1, 1, 1]
    yard.check()


def test_plans_that_cannot_be_are_refused() -> None:
    """Each with its code."""
    yard = yard_with()
    step = {"scope": "lot", "mode": 3}
    plan(yard, steps=[step])
    span = {"from_ms": NOON, "to_ms": NOON + MINUTE, "steps": [step]}
    assert code(yard, "plan_event", **span | {"name": "derby"}) == "plan_exists"
    assert code(yard, "plan_event", **span | {"name": "x", "to_ms": NOON}) == "over_already"
    assert code(yard, "plan_event", **span | {"name": "x", "steps": []}) == "bad_args"
    late = step | {"to_ms": NOON + 2 * MINUTE}
    assert code(yard, "plan_event", **span | {"name": "x", "steps": [late]}) == "bad_args"
    hold = {"area": "attic", "places": 1}
    assert code(yard, "plan_event", **span | {"name": "x", "holds": [hold]}) == "no_such_area"
    for number in range(PLANS_MAX - 1):
        do(yard, "plan_event", **span | {"name": f"p{number}"})
    assert code(yard, "plan_event", **span | {"name": "x"}) == "too_many"
    plain = Yard(r=IN_AND_OUT)
    assert code(plain, "plan_event", **span | {"name": "x"}) == "no_rules"


LANE0 = {"reader": "r", "lane": 0, "mode": 2}


def test_the_largest_plan_begins_and_is_cancelled_within_a_record() -> None:
    """Steps and holds at their bounds, with the longest names that there are."""
    yard = yard_with()
    yard.careful = False
    name, actor = "\U0001f697" * 64, "\U0001f698" * 64
    steps = [LANE0 | {"scope": "lane", "mode": 1 + n % 5} for n in range(STEPS_MAX)]
    holds = [{"area": "north", "places": 1}] * STEPS_MAX
    plan(yard, name=name, actor=actor, reason="\U0001f697" * 512, from_ms=NOON, steps=steps, holds=holds)
    sizes = []
    while events := yard.tick():
        sizes.append(len(packed(events)))
    assert sum(yard.lot.parts["lanes"].plans.by_area.values()) == STEPS_MAX
    start = len(yard.log)
    do(yard, "cancel_plan", name=name, actor=actor)
    assert max(*sizes, len(yard.log) - start) < 48 * 1024
    assert modes(yard) == [1, 1, 1, 1]
    yard.check()


# -- any words, in any order


def in_force(yard: Yard, number: int) -> int:
    """The mode of a lane as the docs say it, from what the query `modes` tells."""
    found = queries.answer(yard.lot, "modes", {})[2]
    around = {0: ["north"], 1: ["north"], 2: ["deck", "north"], 3: ["vip", "deck", "north"]}[number]
    for at in [f"lane/r/{number}", *(f"area/{id}" for id in around), "lot"]:
        if found.get(at):
            return int(found[at][-1]["mode"])
    return 1


SCOPES = st.one_of(
    st.just({"scope": "lot"}),
    st.builds(lambda id: {"scope": "area", "area": id}, st.sampled_from(["north", "deck", "vip"])),
    st.builds(lambda lane: {"scope": "lane", "reader": "r", "lane": lane}, st.integers(0, 3)),
)
WORDS = st.one_of(
    st.builds(
        lambda scope, mode, for_s: ("set_mode", scope | {"mode": mode} | ({"for_s": for_s} if for_s else {})),
        SCOPES,
        st.integers(0, 5),
        st.sampled_from([0, 0, 30, 90]),
    ),
    st.builds(
        lambda lane, mode: ("set_lane", LANE0 | {"lane": lane, "mode": mode}), *[st.integers(0, 3)] * 2
    ),
    st.builds(
        lambda name, scope, mode: ("plan_event", {"name": name, "steps": [scope | {"mode": mode}]}),
        st.sampled_from("ab"),
        SCOPES,
        st.integers(1, 5),
    ),
    st.builds(lambda name: ("cancel_plan", {"name": name}), st.sampled_from("ab")),
    st.builds(lambda seconds: ("wait", {"seconds": seconds}), st.sampled_from([10, 45, 120])),
)


@settings(max_examples=60)
@given(st.lists(WORDS, max_size=12))
def test_whatever_is_said_a_lane_works_in_the_mode_of_its_most_specific_scope(
    said: list[tuple[str, dict[str, Any]]],
) -> None:
    """And log and snapshot agree; when all ends are over and all words taken back, all is normal."""
    yard = yard_with()
    for name, args in said:
        if name == "wait":
            yard.tick(args["seconds"] * 1000)
        else:
            span = {"from_ms": yard.now_ms + 20_000, "to_ms": yard.now_ms + 80_000}
            yard.order(name, **{"actor": "jo"} | args | (span if name == "plan_event" else {}))
        assert modes(yard) == [in_force(yard, number) for number in range(4)]
    yard.check()
    yard.tick(200_000)
    for at in list(yard.lot.parts["lanes"].modes.stacks):
        kind, _, where = at.partition("/")
        names: dict[str, Any] = {"area": where} if kind == "area" else {}
        if kind == "lane":
            names = {"reader": "r", "lane": int(where[-1])}
        do(yard, "set_mode", scope=kind, mode=0, **names)
    assert modes(yard) == [1, 1, 1, 1]
    yard.check()
