"""Passes, groups and single-use codes: who comes in, who does not and why, and what is remembered of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from liftgate.codecs import codes
from liftgate.engine.core import state
from liftgate.engine.core.model import Stay
from liftgate.engine.core.parts import pass_orders
from liftgate.engine.core.parts.entitlements import EntitlementsPart
from tests.engine.core.lots import (
    CARD,
    CONFIRMED,
    IN_AND_OUT,
    NOON,
    QR,
    Yard,
    area,
    block,
    lane_spec,
    lot_spec,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SUNDAY = NOON
"""2026-11-22 13:00 in Berlin."""

NESTED = lot_spec(
    area("north", None, block("P1", "A", 9)),
    area("vip", "north", block("P0", "V", 3)),
)
NESTED_LANES = (
    lane_spec(0, "entry"),
    lane_spec(1, "exit"),
    lane_spec(2, "entry", "vip"),
    lane_spec(3, "exit", "vip"),
    lane_spec(4, "entry", codes="known", cards="known"),
    lane_spec(5, "entry", "vip", cards="known"),
)


def yard(lanes: Any = IN_AND_OUT, spec: Any = None, **rules: Any) -> Yard:
    made = Yard(spec or lot_spec(area("north", None, block("P1", "A", 9))), r=lanes)
    assert made.order("set_rules", rules={"entitlements": rules}, actor="eve")[0]
    return made


def nested(**rules: Any) -> Yard:
    return yard(NESTED_LANES, NESTED, **rules)


def who(*tokens: bytes, kind: int = CARD) -> list[dict[str, Any]]:
    return [{"kind": kind, "token": token} for token in tokens]


def issue(made: Yard, name: str, *tokens: bytes, **args: Any) -> None:
    credentials = args.pop("credentials", who(*tokens))
    outcome = made.order("issue_pass", name=name, credentials=credentials, actor="eve", **args)
    assert outcome[:2] == (True, ""), outcome


def group(made: Yard, name: str, *tokens: bytes, **args: Any) -> None:
    outcome = made.order("set_group", name=name, add=who(*tokens), actor="eve", **args)
    assert outcome[:2] == (True, ""), outcome


def reason(made: Yard, lane: int, token: bytes = b"anna", **args: Any) -> int:
    return int(made.scan(lane, token, **args).reason)


def part(made: Yard) -> EntitlementsPart:
    found: EntitlementsPart = made.lot.parts["entitlements"]
    return found


def count(made: Yard, name: str) -> int:
    return part(made).groups[name].use(made.lot)


def stay_of(made: Yard, token: bytes = b"anna") -> Stay:
    return made.lot.stays[b"\2" + token]


def used(made: Yard, name: str) -> int:
    return part(made).passes[name].used


# Validity


def test_a_pass_lets_in_from_its_first_ms_until_before_its_last() -> None:
    """Outside of that it is 202, and the trace says what the pass is valid for."""
    made = yard()
    issue(made, "p", b"anna", valid_from=NOON + HOUR, valid_until=NOON + 2 * HOUR)
    made.now_ms = NOON + HOUR - 1
    refused = made.scan(0)
    assert refused.reason == 202
    assert "pass p: valid 2026-11-22 14:00 (Sun) to 2026-11-22 15:00 (Sun)" in " ".join(refused.trace)
    made.now_ms = NOON + HOUR
    assert reason(made, 0) == 0
    assert reason(made, 1) == 0
    made.now_ms = NOON + 2 * HOUR
    assert reason(made, 0) == 202
    made.check()


def test_dates_are_days_of_the_lot_of_which_the_last_belongs_to_the_pass() -> None:
    """23 to 24 November in Berlin, where midnight is 23:00 UTC."""
    made = yard()
    issue(made, "p", b"anna", valid_from="2026-11-23", valid_until="2026-11-24")
    midnight = NOON - NOON % DAY + 23 * HOUR
    assert part(made).passes["p"].spec.from_ms == midnight
    assert part(made).passes["p"].spec.until_ms == midnight + 2 * DAY


def test_a_car_whose_pass_ended_while_it_was_inside_may_leave() -> None:
    """Expired, and revoked: nobody is locked in."""
    made = yard()
    issue(made, "p", b"anna", valid_until=NOON + HOUR)
    issue(made, "q", b"bert")
    assert reason(made, 0) == reason(made, 0, b"bert") == 0
    made.now_ms += DAY
    assert made.order("revoke_pass", name="q", actor="eve")[2] == {"inside": 1}
    assert made.scan(1).verdict == made.scan(1, b"bert").verdict == codes.OPEN
    made.check()


def test_a_pass_makes_its_credential_known_where_that_is_needed() -> None:
    """QR codes are taken where they are registered; a visitor's pass is enough."""
    made = yard()
    assert reason(made, 0, b"visit", kind=QR) == 200
    issue(made, "v", credentials=who(b"visit", kind=QR), host="Ms Berg", uses=2)
    assert reason(made, 0, b"visit", kind=QR) == 0
    made.check()


def test_an_ended_pass_is_refused_also_where_the_lane_takes_any_card() -> None:
    """Unless the rules say that it parks as anybody does; then payment can know why."""
    made = yard()
    issue(made, "p", b"anna", valid_until=NOON)
    assert reason(made, 0) == 202
    made = yard(outside="casual")
    issue(made, "p", b"anna", valid_until=NOON)
    opened = made.scan(0)
    assert (opened.verdict, opened.reason, opened.marks) == (codes.OPEN, 202, {"casual": 202})
    assert stay_of(made).notes == {"entitlements": {"casual": 202}}
    made.check()


def test_a_casual_parker_needs_a_lane_that_takes_anybody() -> None:
    """At a lane for known credentials an ended pass is 202 whatever the rules say."""
    made = nested(outside="casual")
    issue(made, "p", b"anna", valid_until=NOON)
    refused, opened = made.scan(4), made.scan(0)
    assert (refused.verdict, refused.reason) == (codes.REFUSE, 202)
    assert (opened.verdict, opened.reason) == (codes.OPEN, 202)


def test_of_several_passes_one_that_lets_in_is_enough() -> None:
    """And where none does, the one that came nearest says why."""
    made = yard()
    issue(made, "old", b"anna", valid_until=NOON)
    issue(made, "mondays", b"anna", weekly=[{"days": ["mon"], "from": "00:00", "to": "24:00"}])
    assert reason(made, 0) == 220
    issue(made, "new", b"anna", b"bert")
    assert made.scan(0).marks == {"pass": "new"}
    made.check()


# Times


def test_a_pass_outside_its_times_is_220_and_the_trace_says_when_it_was_asked() -> None:
    """Weekdays in the lot's zone: 13:00 on a Sunday is none."""
    made = yard()
    issue(made, "p", b"anna", weekly=[{"days": ["mon", "tue"], "from": "08:00", "to": "18:00"}])
    refused = made.scan(0)
    assert refused.reason == 220
    assert "outside its times at 2026-11-22 13:00 (Sun)" in " ".join(refused.trace)
    made.now_ms = SUNDAY + 19 * HOUR - 1
    assert reason(made, 0) == 220
    made.now_ms += 1
    assert reason(made, 0) == 0
    made.check()


def test_a_holiday_of_the_lot_switches_a_pass_s_times_off() -> None:
    """Monday off; new rules without the holiday hold at once, whatever was remembered of the day."""
    made = yard(holidays=[{"date": "2026-11-23"}])
    issue(made, "p", b"anna", weekly=[{"days": ["mon"], "from": "08:00", "to": "18:00"}])
    made.now_ms = SUNDAY + DAY
    assert reason(made, 0) == 220
    assert made.order("set_rules", rules={"entitlements": {}}, actor="eve")[0]
    assert reason(made, 0) == 0
    made.check()


# Areas


def test_a_pass_for_an_inner_area_is_good_on_the_way_there_and_nowhere_else() -> None:
    """vip lies in north; a pass for north alone does not open vip's lane for known credentials."""
    made = nested()
    issue(made, "v", b"anna", areas=["vip"])
    issue(made, "n", b"bert", areas=["north"])
    assert reason(made, 4) == reason(made, 5) == 0
    assert reason(made, 4, b"bert") == 0
    assert reason(made, 5, b"bert") == 200
    assert reason(made, 2, b"bert") == 0  # where any card is taken, it is any card
    made.check()


def test_an_area_for_holders_only_takes_nobody_else() -> None:
    """Whatever the lane takes; members of a group are holders."""
    made = nested(holders_only=["vip"])
    issue(made, "v", b"anna", areas=["vip"])
    issue(made, "n", b"bert", areas=["north"])
    group(made, "acme", b"dora")
    for token, expected in ((b"anna", 0), (b"bert", 200), (b"carl", 200), (b"dora", 0)):
        assert reason(made, 0, token) == 0
        assert reason(made, 2, token) == expected
    made.check()


# Uses


def test_a_single_use_code_opens_once() -> None:
    """Inside and after it left, its second use is 204, and the trace says how often it was used."""
    made = yard()
    issue(made, "code", b"anna", uses=1)
    assert reason(made, 0) == 0
    assert used(made, "code") == 1
    assert reason(made, 0) == 204
    assert reason(made, 1) == 0
    refused = made.scan(0)
    assert refused.reason == 204
    assert "pass code: used 1 of 1" in " ".join(refused.trace)
    made.check()


def test_a_visitor_comes_in_n_times() -> None:
    """Two uses, and not a third."""
    made = yard()
    issue(made, "visit", b"anna", uses=2, host="Ms Berg")
    for expected in (0, 0, 204):
        assert reason(made, 0) == expected
        made.scan(1)
    made.check()


def test_a_code_is_used_up_by_the_passage_and_not_by_the_barrier() -> None:
    """Backed out: not used. Lapsed: not used. Scanned again at the barrier: the same stay. Passed: used."""
    made = yard(CONFIRMED)
    issue(made, "code", b"anna", uses=1)
    assert reason(made, 0) == 0
    made.passage(0, 2)
    assert used(made, "code") == 0
    assert reason(made, 0) == 0
    made.tick(2 * MINUTE)
    assert used(made, "code") == 0 and not made.lot.stays
    first, again = made.scan(0), made.scan(0)
    assert (again.reason, again.session) == (0, first.session)
    made.passage(0, 1)
    assert used(made, "code") == 1
    made.check()


def test_a_code_that_was_promised_to_one_is_not_free_for_another() -> None:
    """Two cards share one use: while the first waits at its barrier the second is 204."""
    made = yard(CONFIRMED)
    issue(made, "code", b"anna", b"bert", uses=1)
    assert reason(made, 0) == 0
    assert reason(made, 0, b"bert") == 204
    made.check()
    made.passage(0, 2)
    assert reason(made, 0, b"bert") == 0
    made.check()


def test_a_late_passage_uses_the_code() -> None:
    """The entry had lapsed, the car had passed: the news was late, the use is a use."""
    made = yard(CONFIRMED)
    issue(made, "code", b"anna", uses=1)
    session = made.scan(0).session
    made.tick(2 * MINUTE)
    made.passage(0, 1, session)
    assert used(made, "code") == 1
    made.check()


def test_a_single_use_code_goes_on_into_inner_areas() -> None:
    """Uses are counted at the outermost barrier."""
    made = nested()
    issue(made, "code", b"anna", uses=1)
    assert [reason(made, lane) for lane in (0, 2, 3, 2)] == [0, 0, 0, 0]
    assert used(made, "code") == 1
    made.check()


def test_history_uses_a_code_and_counts_for_a_group_whatever_the_limits() -> None:
    """What a reader did while it was alone happened; the finding says what the rules would have said."""
    made = yard()
    issue(made, "code", b"anna", uses=1)
    group(made, "acme", b"anna", limit=0)
    first = made.history(0, 0x10, CARD, b"anna", verdict=1)
    assert (first.finding, used(made, "code"), count(made, "acme")) == (302, 1, 1)
    made.history(1, 0x10, CARD, b"anna", verdict=1)
    second = made.history(0, 0x10, CARD, b"anna", verdict=1)
    assert (second.finding, used(made, "code"), count(made, "acme")) == (204, 2, 1)
    made.check()


def test_history_gives_a_spot_by_the_pass_that_the_stay_is_counted_for() -> None:
    """Not by the one that would have let the car in by now."""
    spots = lot_spec(area("north", None, block("P1", "A", 2), block("P1", "C", 2, "charging")))
    made = yard(spec=spots)
    monday = [{"days": ["mon"], "from": "08:00", "to": "18:00"}]
    issue(made, "weekdays", b"anna", weekly=monday, classes=["charging"])
    issue(made, "always", b"anna", classes=["standard"])
    assert made.scan(0).spot == "P1-A-001"
    made.scan(1)
    assert made.history(0, 0x10, CARD, b"anna", verdict=1).spot == "P1-C-001"
    made.check()


# Groups


def test_a_group_has_so_many_in_at_once() -> None:
    """Three cards, two bays: the third is 302 until one has left; others are not concerned."""
    made = yard()
    group(made, "acme", b"a", b"b", b"c", limit=2)
    assert reason(made, 0, b"a") == reason(made, 0, b"b") == 0
    refused = made.scan(0, b"c")
    assert refused.reason == 302
    assert "group acme: 2 others of 2" in " ".join(refused.trace)
    assert reason(made, 0, b"else") == 0
    assert reason(made, 1, b"a") == 0
    assert reason(made, 0, b"c") == 0
    made.check()


def test_a_promise_counts_and_a_lapse_gives_it_back() -> None:
    """Before the barrier counts as in; back-out and lapse free the place; a late passage takes it again."""
    made = yard(CONFIRMED)
    group(made, "acme", b"a", b"b", limit=1)
    session = made.scan(0, b"a").session
    assert reason(made, 0, b"a") == 0
    assert (reason(made, 0, b"b"), count(made, "acme")) == (302, 1)
    made.passage(0, 2)
    assert count(made, "acme") == 0
    session = made.scan(0, b"a").session
    made.tick(2 * MINUTE)
    assert count(made, "acme") == 0
    assert reason(made, 0, b"b") == 0
    made.passage(0, 1)
    made.passage(0, 1, session)
    assert count(made, "acme") == 2
    made.check()


def test_over_its_limit_a_group_s_card_may_park_as_anybody() -> None:
    """It opens with reason 302, the stay is marked and does not count for the group."""
    made = yard()
    group(made, "acme", b"a", b"b", limit=1, over="casual")
    assert made.scan(0, b"a").marks == {"group": "acme"}
    opened = made.scan(0, b"b")
    assert (opened.verdict, opened.reason, opened.marks) == (codes.OPEN, 302, {"casual": 302})
    assert stay_of(made, b"b").notes == {"entitlements": {"casual": 302}}
    assert count(made, "acme") == 1
    made.scan(1, b"a")
    assert reason(made, 0, b"a") == 0
    made.check()


def test_an_allotment_by_area_counts_who_is_in_or_heads_for_it() -> None:
    """Two of three may go in to vip; the third stays in north until one of them comes out."""
    made = nested()
    group(made, "acme", b"a", b"b", b"c", limit=3, areas={"vip": 2})
    for token in (b"a", b"b", b"c"):
        assert reason(made, 0, token) == 0
    assert [reason(made, 2, token) for token in (b"a", b"b", b"c")] == [0, 0, 302]
    made.check()
    assert made.scan(1, b"a").verdict == codes.OPEN  # leaving north leaves vip
    assert reason(made, 2, b"c") == 0
    made.check()


def test_over_an_inner_area_s_allotment_the_stay_turns_casual() -> None:
    """From there on it counts for the group no more, in either area."""
    made = nested()
    group(made, "acme", b"a", b"b", limit=2, areas={"vip": 1}, over="casual")
    for lane in (0, 2):
        for token in (b"a", b"b"):
            assert made.scan(lane, token).verdict == codes.OPEN
    assert count(made, "acme") == 1
    assert stay_of(made, b"b").notes == {"entitlements": {"casual": 302}}
    made.check()


def test_a_group_removed_and_made_again_counts_those_who_came_in_for_it() -> None:
    """As a snapshot would; a credential is in one group only."""
    made = yard()
    group(made, "acme", b"a", limit=2)
    made.scan(0, b"a")
    refused = made.order("set_group", name="other", add=who(b"a"), actor="eve")
    assert refused[:2] == (False, "in_other_group")
    assert made.order("remove_group", name="acme", actor="eve")[2] == {"members": 1, "inside": 1}
    assert part(made).holders == {}
    group(made, "acme", b"b", limit=1)
    assert reason(made, 0, b"b") == 302
    made.check()


def test_members_leave_a_group_and_limits_change_while_cars_are_in() -> None:
    """Who came in for the group counts until it leaves; a lowered limit refuses the next."""
    made = yard()
    group(made, "acme", b"a", b"b", b"c", limit=3)
    made.scan(0, b"a")
    made.scan(0, b"b")
    assert made.order("set_group", name="acme", limit=1, remove=who(b"b"), actor="eve")[2] == {"members": 2}
    assert count(made, "acme") == 2
    assert reason(made, 0, b"c") == 302
    made.check()
    assert made.order("set_group", name="acme", limit=None, actor="eve")[0]
    assert reason(made, 0, b"c") == 0
    assert part(made).members("acme") == [b"\2a", b"\2c"]
    made.check()


def test_a_stay_whose_credential_was_swapped_counts_once_under_the_new_one() -> None:
    """And its old card, coming in anew, is one more."""
    made = yard()
    group(made, "acme", b"a", limit=1)
    made.scan(0, b"a")
    stay = made.lot.stays.pop(b"\2a")
    stay.credential = b"\2x"
    made.lot.stays[b"\2x"] = stay
    assert reason(made, 0, b"a") == 302
    made.scan(1, b"x")
    assert count(made, "acme") == 0
    assert reason(made, 0, b"a") == 0


def test_entries_that_lapse_for_ever_leave_nothing_behind() -> None:
    """What a group and a pass look through stays small, however often a car backs out of sight."""
    made = yard(CONFIRMED)
    made.careful = False
    group(made, "acme", b"a", limit=1, areas={"north": 1})
    issue(made, "code", b"a", uses=1)
    for _ in range(200):
        assert reason(made, 0, b"a") == 0
        made.tick(2 * MINUTE)
    found = part(made).groups["acme"]
    assert len(found.counted) < 70 and len(found.by_area["north"]) < 70
    assert len(part(made).passes["code"].pending) < 70
    made.check()


# Orders and queries


def test_without_rules_there_are_no_passes_and_with_them_gone_nobody_is_asked() -> None:
    """The state stays for the day that they come back."""
    made = Yard()
    assert made.order("issue_pass", name="p", credentials=who(b"a"), actor="eve")[1] == "no_rules"
    made = yard()
    issue(made, "p", b"anna", valid_until=NOON)
    assert made.order("set_rules", rules={"entitlements": None}, actor="eve")[0]
    assert reason(made, 0) == 0
    made.scan(1)
    assert made.order("set_rules", rules={"entitlements": {}}, actor="eve")[0]
    assert reason(made, 0) == 202
    made.check()


def test_a_pass_is_changed_in_what_is_named_and_keeps_what_was_used() -> None:
    """null opens an end; more uses let in again."""
    made = yard()
    issue(made, "p", b"anna", valid_until=NOON + DAY, uses=1, areas=["north"])
    assert [reason(made, lane) for lane in (0, 1, 0)] == [0, 0, 204]
    assert made.order("change_pass", name="p", uses=2, valid_until=None, actor="eve")[0]
    assert part(made).passes["p"].spec.areas == ("north",)
    made.now_ms += 2 * DAY
    assert [reason(made, lane) for lane in (0, 1, 0)] == [0, 0, 204]
    assert made.order("change_pass", name="p", credentials=who(b"bert"), uses=None, actor="eve")[0]
    assert reason(made, 0) == reason(made, 0, b"bert") == 0
    assert b"\2anna" not in part(made).holders
    made.check()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"name": "p"}, "exists"),
        ({"areas": ["moon"]}, "no_such_area"),
        ({"valid_from": 5, "valid_until": 5}, "bad_args"),
        ({"valid_from": "tomorrow"}, "bad_args"),
        ({"valid_until": "2026-02-30"}, "bad_args"),
        ({"classes": ["royal"]}, "bad_args"),
        ({"weekly": [{"from": "8:00", "to": "18:00"}]}, "bad_args"),
        ({"credentials": []}, "bad_args"),
        ({"uses": 0}, "bad_args"),
        ({"credentials": who(*(bytes([n]) * 512 for n in range(100)))}, "too_large"),
    ],
)
def test_a_pass_that_cannot_be_is_refused(args: dict[str, Any], code: str) -> None:
    """With a code that says why, and nothing changes."""
    made = yard()
    issue(made, "p", b"anna")
    wanted = {"name": "q", "credentials": who(b"bert"), "actor": "eve"} | args
    assert made.order("issue_pass", **wanted)[:2] == (False, code)
    assert list(part(made).passes) == ["p"]


def test_orders_about_what_is_not_there_are_refused() -> None:
    """Each with its code."""
    made = yard()
    for name, code in (
        ("change_pass", "no_such_pass"),
        ("revoke_pass", "no_such_pass"),
        ("remove_group", "no_such_group"),
    ):
        assert made.order(name, name="x", actor="eve")[1] == code
    args = {"name": "g", "remove": who(b"a"), "actor": "eve"}
    assert made.order("set_group", **args)[1] == "not_a_member"
    assert made.order("set_group", name="g", areas={"moon": 1}, actor="eve")[1] == "no_such_area"


def test_bounds_are_kept_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passes of a credential, passes and groups of a lot, members of a group."""
    made = yard()
    for number in range(pass_orders.PASSES_HELD_MAX):
        issue(made, f"p{number}", b"anna")
    one_more = {"name": "more", "credentials": who(b"anna"), "actor": "eve"}
    assert made.order("issue_pass", **one_more)[1] == "too_many"
    group(made, "g", b"a", b"b")
    monkeypatch.setattr(pass_orders, "PASSES_MAX", 8)
    monkeypatch.setattr(pass_orders, "GROUPS_MAX", 1)
    monkeypatch.setattr(pass_orders, "MEMBERS_MAX", 2)
    assert made.order("issue_pass", **one_more | {"credentials": who(b"b")})[1] == "too_many"
    assert made.order("set_group", name="h", actor="eve")[1] == "too_many"
    assert made.order("set_group", name="g", add=who(b"c"), actor="eve")[1] == "too_many"


def test_passes_that_ended_long_ago_are_forgotten() -> None:
    """After keep_s, by their end or their last use, and not those that were given more time since."""
    made = yard(keep_s=3600)
    issue(made, "ends", b"a", valid_until=NOON + HOUR)
    issue(made, "longer", b"b", valid_until=NOON + HOUR)
    issue(made, "code", b"c", uses=1)
    issue(made, "open", b"d")
    made.scan(0, b"c")
    assert made.order("change_pass", name="longer", valid_until=NOON + DAY, actor="eve")[0]
    assert made.tick(HOUR - 1) == ()
    made.check()
    made.tick(1)
    assert list(part(made).passes) == ["ends", "longer", "open"]
    made.tick(HOUR)
    assert list(part(made).passes) == ["longer", "open"]
    assert made.tick(HOUR) == ()
    made.check()


def test_forgetting_many_takes_several_ticks() -> None:
    """A Tick's events are bounded, and none is lost by that."""
    made = yard(keep_s=3600)
    made.careful = False
    for number in range(150):
        issue(made, f"p{number}", b"%d" % number, valid_until=NOON + number)
    made.now_ms += DAY
    assert len(made.tick()) == 100
    assert len(made.tick()) == 50
    assert made.tick() == () and not part(made).passes
    made.check()


def ask(made: Yard, query: str, /, **args: Any) -> Any:
    shape, answer = part(made).QUERIES[query]
    return answer(made.lot, msgspec.convert(args, shape))


def test_queries_tell_passes_and_the_use_of_groups() -> None:
    """Of a credential, by name, and all groups at once."""
    made = nested()
    issue(made, "p", b"a", uses=3, host="Ms Berg")
    group(made, "acme", b"a", b"b", limit=40, areas={"vip": 2})
    made.scan(0, b"a")
    made.scan(2, b"a")
    held = ask(made, "passes", kind=CARD, token=b"a")[2]
    assert held["group"] == "acme"
    assert [(each["name"], each["used"], each["host"]) for each in held["passes"]] == [("p", 1, "Ms Berg")]
    assert ask(made, "passes", kind=CARD, token=b"x")[2] == {"passes": [], "group": None}
    assert ask(made, "pass", name="p")[2]["credentials"] == (b"\2a",)
    assert ask(made, "pass", name="q")[1] == "no_such_pass"
    assert ask(made, "group", name="acme")[2] == {
        "limit": 40,
        "count": 1,
        "areas": {"vip": {"limit": 2, "count": 1}},
        "over": "refuse",
        "members": 2,
        "shown": [b"\2a", b"\2b"],
    }
    assert ask(made, "group", name="none")[1] == "no_such_group"
    assert ask(made, "groups")[2] == {"acme": [1, 40, 2]}


def test_a_group_s_use_is_told_also_while_the_rules_are_off() -> None:
    """A car whose promise lapsed passes late: it counts, though no rule asked for it then."""
    made = yard(CONFIRMED)
    group(made, "acme", b"anna")
    entered = made.scan(0)
    made.tick(2 * MINUTE)
    assert ask(made, "groups")[2] == {"acme": [0, None, 1]}
    assert made.order("set_rules", rules={"entitlements": None}, actor="eve")[0]
    made.passage(0, 1, entered.session)
    assert ask(made, "groups")[2] == {"acme": [1, None, 1]}
    assert made.order("set_rules", rules={"entitlements": {}}, actor="eve")[0]
    assert ask(made, "groups")[2] == {"acme": [1, None, 1]}
    made.check()


def test_what_a_stay_keeps_is_small() -> None:
    """The longest names of a pass and a group, in the snapshot's bytes."""
    made = yard()
    issue(made, "p" * 64, b"anna")
    group(made, "g" * 64, b"anna")
    made.scan(0)
    with_notes = len(state.dump(made.lot))
    stay_of(made).notes = None
    assert with_notes - len(state.dump(made.lot)) < 200
