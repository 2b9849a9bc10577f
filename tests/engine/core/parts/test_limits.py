"""Longest stays, closing times, and the grace for turning round."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.codecs import codes
from liftgate.codecs.events.operators import FindingMade
from liftgate.engine.core import state
from tests.engine.core.lots import CARD, CONFIRMED, IN_AND_OUT, NOON, Yard, area, block, lane_spec, lot_spec
from tests.engine.core.parts.test_ledger import NESTED, NESTED_LANES

MINUTE, HOUR = 60_000, 3_600_000
MIDNIGHT = NOON + 11 * HOUR
"""In Berlin, the night after; it is Sunday before and Monday after."""


def a_yard(*areas: dict[str, Any], lanes: Any = IN_AND_OUT, **rules: Any) -> Yard:
    return Yard(lot_spec(*areas) | {"rules": {"limits": rules}}, r=lanes)


def findings(events: Any) -> list[FindingMade]:
    assert all(isinstance(event, FindingMade) for event in events)
    return list(events)


def test_a_stay_too_long_is_found_once() -> None:
    """At the second that its time is over, and not again, also after a restart."""
    yard = a_yard(longest_stay_s=7200)
    session = yard.scan(0).session
    assert yard.tick(2 * HOUR - 1) == ()
    [finding] = findings(yard.tick(1))
    assert (finding.kind, finding.text) == ("overstay", "in north on P1-A-001 for 120 min, 120 min allowed")
    assert finding.about["session"] == session.hex()
    assert yard.tick(HOUR) == ()
    yard.lot = state.load(state.dump(yard.lot))
    assert yard.tick(HOUR) == ()
    yard.check()


def test_who_comes_in_late_keeps_nobody_from_being_found_in_time() -> None:
    """A car by an older clock came in while another stood before its barrier: its time is over first."""
    yard = a_yard(lanes=(lane_spec(0, "entry", confirm=True), lane_spec(1, "entry")), longest_stay_s=7200)
    late = yard.scan(0, b"anna")
    early = yard.scan(1, b"boris", at_ms=yard.now_ms - 9_000)
    yard.passage(0, 1, late.session)
    for session, after_ms in ((early.session, 2 * HOUR - 9_000), (late.session, 9_000)):
        [finding] = findings(yard.tick(after_ms))
        assert finding.about["session"] == session.hex()
    yard.check()


def test_a_car_that_loses_its_spot_gets_the_limit_of_those_without_one() -> None:
    """Seen coming out of an inner area where it never was, it has no spot any more, and no class."""
    rules: dict[str, Any] = {"longest_stay_s": 7200, "longest_by_class": {"standard": 3600}}
    yard = a_yard(*NESTED, lanes=NESTED_LANES, **rules)
    yard.scan(0)
    yard.order("reset_passback", kind=CARD, token=b"anna", actor="jo")
    yard.scan(3)
    assert yard.tick(HOUR) == ()
    assert len(findings(yard.tick(HOUR))) == 1
    yard.check()


def test_a_car_that_left_is_no_overstay() -> None:
    """Nor one that left and came again, before its own time."""
    yard = a_yard(longest_stay_s=7200)
    yard.scan(0)
    yard.tick(HOUR)
    yard.scan(1)
    yard.scan(0)
    assert yard.tick(HOUR) == ()
    assert len(yard.tick(HOUR)) == 1


def test_a_restart_forgets_no_limit() -> None:
    """What is expected is made again from the stays."""
    yard = a_yard(longest_stay_s=7200)
    yard.scan(0)
    yard.lot = state.load(state.dump(yard.lot))
    assert len(yard.tick(2 * HOUR)) == 1


def test_the_class_of_the_spot_has_its_own_limit() -> None:
    """Before the lot's."""
    yard = a_yard(
        area("north", None, block("P1", "C", 2, "charging"), block("P1", "A", 2)),
        longest_stay_s=7200,
        longest_by_class={"charging": 3600},
    )
    yard.order("register_credential", kind=CARD, token=b"e", actor="x", classes=["charging"])
    yard.scan(0, b"e")
    yard.scan(0, b"a")
    assert [finding.about["spot"] for finding in findings(yard.tick(HOUR))] == ["P1-C-001"]
    assert [finding.about["spot"] for finding in findings(yard.tick(HOUR))] == ["P1-A-001"]


def test_an_areas_own_limit_counts_from_when_the_car_came_there() -> None:
    """The lot's from when it came in."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES, longest_stay_s=86_400, longest_by_area={"vip": 3600})
    yard.scan(0)
    yard.tick(5 * HOUR)
    yard.scan(2)
    assert yard.tick(HOUR - 1) == ()
    yard.check()
    assert [finding.about["area"] for finding in findings(yard.tick(1))] == ["vip"]


def test_limits_that_come_later_hold_for_those_who_are_in() -> None:
    """And go when they are taken away."""
    yard = Yard()
    yard.scan(0)
    yard.tick(HOUR)
    yard.order("set_rules", rules={"limits": {"longest_stay_s": 60}}, actor="eve")
    yard.order("set_rules", rules={"limits": None}, actor="eve")
    assert yard.tick() == ()
    yard.order("set_rules", rules={"limits": {"longest_stay_s": 60}}, actor="eve")
    assert len(yard.tick()) == 1


def test_many_overstays_come_in_portions() -> None:
    """None is lost, none is told twice."""
    yard = a_yard(area("north", None, block("P1", "A", 50)), longest_stay_s=3600)
    yard.careful = False
    for number in range(50):
        yard.scan(0, bytes([number + 1]))
    yard.now_ms += HOUR
    told = [finding.about["session"] for _ in range(4) for finding in findings(yard.tick())]
    assert len(told) == len(set(told)) == 50


def test_cars_that_left_do_not_fill_the_queue() -> None:
    """It is made anew when most of it is stale, whether all have the same limit or not."""
    for limits in ({"longest_stay_s": 86_400}, {"longest_by_class": {"standard": 86_400}}):
        yard = a_yard(**limits)
        yard.careful = False
        for _ in range(700):
            yard.scan(0)
            yard.scan(1)
        found = yard.lot.parts["limits"]
        assert len(found.queue) <= 257


def test_a_stay_under_another_credential_is_found_in_time() -> None:
    """Though cars that came in later stand before it in the lot then."""
    rules = {"limits": {"longest_stay_s": 7200}, "identity": {}}
    yard = Yard(lot_spec() | {"rules": rules}, r=IN_AND_OUT)
    session = yard.scan(0, b"a").session
    yard.tick(HOUR)
    yard.scan(0, b"b")
    names = {"credential": {"kind": CARD, "token": b"a"}, "replacement": {"kind": CARD, "token": b"new"}}
    assert yard.order("lost_ticket", **names, cause="lost", actor="jo")[0]
    [finding] = findings(yard.tick(HOUR))
    assert finding.about["session"] == session.hex()
    assert len(findings(yard.tick(HOUR))) == 1


def test_a_car_that_is_told_of_late_is_found_in_time() -> None:
    """Among those that came in meanwhile, in the order in which their time was over."""
    yard = a_yard(longest_stay_s=7200)
    yard.careful = False
    yard.tick(HOUR)
    yard.scan(0, b"b")
    yard.history(0, 0x10, CARD, b"a", verdict=1, at_ms=NOON)
    assert [about(finding) for finding in findings(yard.tick(HOUR))] == [b"a"]
    yard.history(0, 0x10, CARD, b"c", verdict=1, at_ms=NOON + 1)
    assert [about(finding) for finding in findings(yard.tick(2 * HOUR))] == [b"c", b"b"]


def about(finding: FindingMade) -> bytes:
    return bytes.fromhex(finding.about["credential"])[1:]


def test_nobody_comes_in_while_it_is_closed() -> None:
    """With the reason and what the rule saw; at the edges it is open until, and from, the very second."""
    yard = a_yard(closed=[{"from": "23:00", "to": "05:00"}])
    yard.scan(0, b"in")
    yard.now_ms = MIDNIGHT - HOUR - 1
    assert yard.scan(0, b"a").reason == 0
    yard.now_ms += 1
    refused = yard.scan(0, b"b")
    assert (refused.verdict, refused.reason) == (codes.REFUSE, 220)
    assert refused.trace[2].startswith("opening times: closed until ")
    yard.now_ms = MIDNIGHT + 5 * HOUR - 1
    assert yard.scan(0, b"b").reason == 220
    yard.now_ms += 1
    assert yard.scan(0, b"b").reason == 0
    yard.check()


def test_who_is_in_may_leave_and_go_on_inside_while_it_is_closed() -> None:
    """Closing keeps cars out, it locks nobody in."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES, closed=[{"from": "23:00", "to": "05:00"}])
    yard.scan(0)
    yard.now_ms = MIDNIGHT
    assert [yard.scan(lane).reason for lane in (2, 3, 1)] == [0, 0, 0]


def test_days_are_those_of_the_beginning() -> None:
    """Sunday's night goes on into Monday morning; Monday's own does not come."""
    yard = a_yard(closed=[{"from": "23:00", "to": "05:00", "days": ["sun"]}])
    yard.now_ms = MIDNIGHT + HOUR
    assert yard.scan(0, b"a").reason == 220
    yard.now_ms += 24 * HOUR
    assert yard.scan(0, b"a").reason == 0


def test_history_is_judged_by_the_hours_of_its_time() -> None:
    """Taken in, with the reason as finding."""
    yard = a_yard(closed=[{"from": "23:00", "to": "05:00"}])
    yard.now_ms = MIDNIGHT + 12 * HOUR
    assert yard.history(0, 0x10, CARD, b"a", verdict=1, at_ms=MIDNIGHT).finding == 220
    assert yard.history(0, 0x10, CARD, b"b", verdict=1, at_ms=MIDNIGHT + 6 * HOUR).finding == 0
    assert yard.counts()[0] == 2
    yard.check()


def test_closing_names_those_who_are_still_in() -> None:
    """Once a night."""
    yard = a_yard(closed=[{"from": "23:00", "to": "05:00"}])
    session = yard.scan(0).session
    assert yard.tick(10 * HOUR - 1) == ()
    [finding] = findings(yard.tick(1))
    assert (finding.kind, finding.about["sessions"]) == ("closing", [session.hex()])
    assert finding.text == "closed for entry; 1 stays are still in, 1 cars by count"
    assert yard.tick(HOUR) == ()
    yard.lot = state.load(state.dump(yard.lot))
    assert yard.tick(HOUR) == ()
    yard.check()
    assert len(yard.tick(22 * HOUR)) == 1


@pytest.mark.parametrize(("after_ms", "marks"), [(5 * MINUTE, {"turned_round": True}), (5 * MINUTE + 1, {})])
def test_who_leaves_within_the_grace_only_turned_round(after_ms: int, marks: dict[str, Any]) -> None:
    """Marked on the exit's event, and counted apart."""
    yard = a_yard(turn_round_s=300)
    yard.scan(0)
    yard.now_ms += after_ms
    event = yard.scan(1)
    assert (event.verdict, event.reason, event.marks) == (codes.OPEN, 0, marks)
    assert yard.lot.areas["north"].tally.turned_round == len(marks)
    yard.check()


def test_a_tariff_asks_nothing_of_who_turned_round() -> None:
    """One second later it does."""

    class Flat:
        def price_minor(self, entered_at_ms: int, left_at_ms: int) -> int:
            return 300

    yard = a_yard(turn_round_s=300)
    yard.lot.tariff = Flat()
    yard.scan(0)
    yard.now_ms += 301_000
    assert yard.scan(1).reason == 402
    yard.now_ms -= 1_000
    assert yard.scan(1).reason == 0


def test_turning_round_counts_when_the_car_is_out() -> None:
    """One that backs out and stays has not turned round."""
    yard = a_yard(lanes=CONFIRMED, turn_round_s=300)
    tally = yard.lot.areas["north"].tally
    yard.passage(0, 1, yard.scan(0).session)
    yard.scan(1)
    yard.passage(1, 2)
    yard.now_ms += HOUR
    yard.scan(1)
    yard.passage(1, 1)
    assert (tally.left, tally.turned_round) == (1, 0)
    yard.passage(0, 1, yard.scan(0).session)
    yard.scan(1)
    assert tally.turned_round == 0
    yard.check()
    yard.passage(1, 1)
    assert (tally.left, tally.turned_round) == (2, 1)


def test_turning_round_in_an_inner_area_is_nothing_special() -> None:
    """Only the street counts."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES, turn_round_s=300)
    yard.scan(0)
    yard.scan(2)
    assert yard.scan(3).marks == {}
    assert yard.scan(1).marks == {"turned_round": True}


def test_who_backed_out_and_goes_elsewhere_later_has_not_turned_round() -> None:
    """By another exit that moves at once, or by what a reader did alone."""
    for by_history in (False, True):
        yard = a_yard(lanes=(*CONFIRMED, lane_spec(2, "exit")), turn_round_s=300)
        tally = yard.lot.areas["north"].tally
        yard.passage(0, 1, yard.scan(0).session)
        assert yard.scan(1).marks == {"turned_round": True}
        yard.passage(1, 2)
        yard.now_ms += HOUR
        if by_history:
            yard.history(2, 0x10, CARD, b"anna", verdict=1)
        else:
            yard.scan(2)
        assert (tally.left, tally.turned_round) == (1, 0)
        yard.check()


def test_who_turns_round_counts_in_the_area_that_he_left() -> None:
    """Also where nobody saw him come out of an inner one."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES, turn_round_s=300)
    yard.scan(0)
    yard.scan(2)
    assert yard.scan(1).marks == {"turned_round": True}
    counted = {area.parent is None: area.tally.turned_round for area in yard.lot.areas.values()}
    assert counted == {True: 0, False: 1}
    yard.check()


def test_a_lot_without_limits_hears_nothing() -> None:
    """Its events cost no call."""
    lot = Yard().lot
    assert "limits" not in [part.THEME for part in (*lot.watchers, *lot.listeners)]
