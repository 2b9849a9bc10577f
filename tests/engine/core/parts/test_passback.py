"""Anti-passback by mode and area, and stays that are unknown and heal."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.codecs.events.operators import FindingMade
from liftgate.codecs.events.passback import DoubtCast
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from tests.engine.core.lots import CARD, CONFIRMED, IN_AND_OUT, Yard, area, block, lane_spec, lot_spec

NESTED = (
    lane_spec(0, "entry"),
    lane_spec(1, "exit"),
    lane_spec(2, "entry", "vip"),
    lane_spec(3, "exit", "vip"),
)
OPEN, REFUSE = 1, 2
HOUR_MS = 3_600_000


def yard_with(lanes: Any = IN_AND_OUT, /, identity: dict[str, Any] | None = None, **rules: Any) -> Yard:
    """A lot of nine spots with an inner area of three, under these rules of anti-passback."""
    spec = lot_spec(area("north", None, block("P1", "A", 9)), area("vip", "north", block("P0", "V", 3)))
    spec["rules"] = {"passback": rules} | ({} if identity is None else {"identity": identity})
    return Yard(spec, r=lanes)


def answer(event: Any) -> tuple[int, int]:
    return event.verdict, event.reason


def occupancy(yard: Yard) -> dict[str, int]:
    return {area.id: area.inside + area.adrift for area in yard.lot.areas.values()}


def ask(yard: Yard) -> dict[str, Any]:
    part = yard.lot.parts["passback"]
    shape, query = part.QUERIES["doubtful"]
    body: dict[str, Any] = query(yard.lot, shape())[2]
    return body


def hold_open(yard: Yard, lane: int) -> tuple[Any, ...]:
    """Hold a lane open and end that; what the next Tick brings."""
    for mode in (2, 1):
        assert yard.order("set_lane", reader="r", lane=lane, mode=mode, actor="jo")[0]
    return yard.tick(250)


def test_an_empty_table_of_rules_is_hard_as_without() -> None:
    """A second entry and an exit without an entry are refused, with the rule's trace."""
    yard = yard_with()
    yard.scan(0)
    again, stranger = yard.scan(0), yard.scan(1, b"boris")
    assert (answer(again), answer(stranger)) == ((REFUSE, 210), (REFUSE, 211))
    assert again.trace[-2].startswith("anti-passback: inside north")
    assert again.trace[-2].endswith("hard here")
    yard.check()


def test_soft_lets_a_second_entry_in_and_flags_it() -> None:
    """The old stay gives way, so that one card counts once; the decision names the reason."""
    yard = yard_with(mode="soft")
    first, second = yard.scan(0), yard.scan(0)
    assert answer(second) == (OPEN, 210)
    assert second.marks == {"passback": "soft"}
    assert second.session != first.session
    assert occupancy(yard) == {"north": 1, "vip": 0}
    yard.check()


def test_soft_lets_a_car_out_that_nobody_saw_come_in() -> None:
    """It counts out without a name, as after a reset."""
    yard = yard_with(mode="soft")
    event = yard.scan(1)
    assert (answer(event), event.session) == ((OPEN, 211), None)
    assert occupancy(yard)["north"] == -1
    yard.check()


def test_an_area_has_a_mode_of_its_own() -> None:
    """Soft inside a hard lot: the inner entry opens and flags, the outer one refuses."""
    yard = yard_with(NESTED, areas={"vip": "soft"})
    assert answer(yard.scan(2)) == (OPEN, 211)
    assert answer(yard.scan(0)) == (REFUSE, 210)
    assert answer(yard.scan(0, b"boris")) == (OPEN, 0)
    assert answer(yard.scan(3, b"boris")) == (OPEN, 211)
    assert occupancy(yard) == {"north": 1, "vip": 1}
    yard.check()


def test_a_stay_goes_on_where_a_car_went_between_areas_unseen() -> None:
    """A second entry of an inner area does not begin the stay, and what it owes, anew."""
    yard = yard_with(NESTED, areas={"vip": "soft"})
    entered = yard.scan(0)
    assert [yard.scan(2).session, yard.scan(2).session] == [entered.session] * 2
    assert occupancy(yard) == {"north": 0, "vip": 1}
    yard.check()


def test_timed_refuses_a_second_entry_for_so_long_and_not_longer() -> None:
    """To the millisecond; then the old stay gives way, marked and without a reason."""
    yard = yard_with(mode="timed", within_s=900)
    first = yard.scan(0)
    yard.now_ms += 899_999
    assert answer(yard.scan(0)) == (REFUSE, 210)
    yard.now_ms += 1
    second = yard.scan(0)
    assert (answer(second), second.marks) == ((OPEN, 0), {"passback": "timed"})
    assert second.session != first.session
    assert answer(yard.scan(1, b"boris")) == (REFUSE, 211)
    yard.check()


def test_timed_counts_from_the_last_entry_of_an_inner_area() -> None:
    """Not from the lot's entry, long ago; through a snapshot too."""
    yard = yard_with(NESTED, areas={"vip": "timed"}, within_s=60)
    yard.scan(0)
    yard.now_ms += HOUR_MS
    yard.scan(2)
    yard.now_ms += 59_999
    yard.lot = state.load(state.dump(yard.lot))
    assert answer(yard.scan(2)) == (REFUSE, 210)
    yard.now_ms += 1
    assert answer(yard.scan(2)) == (OPEN, 0)
    yard.check()


def test_a_second_scan_at_the_same_barrier_is_no_second_entry() -> None:
    """In every mode: the car still stands there."""
    for mode in ("hard", "soft", "timed"):
        yard = yard_with(CONFIRMED, mode=mode)
        first, second = yard.scan(0), yard.scan(0)
        assert (answer(second), second.session) == ((OPEN, 0), first.session)
        yard.check()


def test_stays_are_unknown_after_an_exit_was_held_open() -> None:
    """They count as before, and the next sighting in either direction is taken and heals them."""
    yard = yard_with(doubt=["held_open"])
    for name in (b"a", b"b", b"c"):
        yard.scan(0, name)
    cast, finding = hold_open(yard, 1)
    assert isinstance(cast, DoubtCast) and isinstance(finding, FindingMade)
    assert (cast.stays, cast.cause, finding.kind) == (3, "held open", "doubtful")
    assert ask(yard)["doubtful"] == 3 and occupancy(yard)["north"] == 3
    yard.check()
    assert answer(yard.scan(0, b"a")) == answer(yard.scan(1, b"b")) == (OPEN, 0)
    assert ask(yard)["areas"] == {"north": 1} and occupancy(yard)["north"] == 2
    assert answer(yard.scan(0, b"a")) == (REFUSE, 210)
    assert yard.tick(250) == ()
    yard.check()


def test_nothing_is_doubted_unless_the_rules_say_so() -> None:
    """A lot without `doubt` believes its stays whatever was held open."""
    yard = yard_with()
    yard.scan(0)
    assert hold_open(yard, 1) == ()
    assert answer(yard.scan(0)) == (REFUSE, 210)


def test_after_an_entry_was_held_open_cars_may_leave_that_nobody_saw_come_in() -> None:
    """For `doubt_s` and not longer; each gets a stay of unknown entry for its way out."""
    yard = yard_with(doubt=["held_open"], doubt_s=3600)
    yard.order("set_lane", reader="r", lane=0, mode=2, actor="jo")
    assert answer(yard.scan(1, b"early")) == (REFUSE, 211)
    yard.order("set_lane", reader="r", lane=0, mode=1, actor="jo")
    at_once = yard.scan(1, b"a")
    assert (answer(at_once), at_once.marks["passback"]) == ((OPEN, 211), "doubt")
    assert at_once.session is not None
    yard.tick(250)
    yard.now_ms += HOUR_MS
    assert answer(yard.scan(1, b"b")) == (OPEN, 211)
    yard.now_ms += 1
    assert answer(yard.scan(1, b"c")) == (REFUSE, 211)
    yard.check()


def test_an_exit_held_open_lets_no_stranger_out() -> None:
    """Nobody can have come in there."""
    yard = yard_with(doubt=["held_open"])
    yard.scan(0)
    hold_open(yard, 1)
    assert answer(yard.scan(1, b"boris")) == (REFUSE, 211)
    assert ask(yard)["unseen_until_ms"] == {}


def test_an_inner_entry_held_open_puts_those_outside_it_in_doubt() -> None:
    """They may be inside: the inner exit lets them out, and the outer entry does not begin them anew."""
    yard = yard_with(NESTED, doubt=["held_open"])
    entered = yard.scan(0)
    yard.scan(0, b"boris")
    yard.scan(2, b"boris")
    assert hold_open(yard, 2)[0].stays == 1
    out = yard.scan(3)
    assert (answer(out), out.session) == ((OPEN, 0), entered.session)
    assert occupancy(yard) == {"north": 1, "vip": 1}
    yard.check()


def test_a_forced_barrier_puts_stays_in_doubt() -> None:
    """As a lane held open for a moment; live and out of history alike."""
    for history in (False, True):
        yard = yard_with(doubt=["forced"])
        yard.scan(0)
        if history:
            yard.history(1, 0x12, 4, None)
        else:
            yard.passage(1, 4)
        assert ask(yard)["doubtful"] == 1
        assert yard.tick(250)[0].cause == "forced"
        assert answer(yard.scan(0)) == (OPEN, 0)
        yard.check()


def test_a_follower_in_leaves_once_and_counts_once() -> None:
    """One car followed in: one exit without an entry is opened, the next is refused; the sum is right."""
    yard = yard_with(CONFIRMED, doubt=["followed"])
    yard.passage(0, 1, yard.scan(0, b"anna").session)
    yard.passage(0, 3)
    assert occupancy(yard)["north"] == 2
    out = yard.scan(1, b"boris")
    assert (answer(out), out.marks["passback"]) == ((OPEN, 211), "followed")
    assert yard.scan(1, b"boris").session == out.session
    assert occupancy(yard)["north"] == 2
    yard.passage(1, 1, out.session)
    assert occupancy(yard)["north"] == 1
    assert answer(yard.scan(1, b"chloe")) == (REFUSE, 211)
    yard.check()


def test_a_follower_does_not_bring_back_one_whose_time_is_over() -> None:
    """Who followed in long ago is not let out on the follower of now, who went out."""
    yard = yard_with(CONFIRMED, doubt=["followed"], doubt_s=60)
    yard.passage(0, 3)
    yard.now_ms += 61_000
    yard.passage(1, 3)
    assert answer(yard.scan(1, b"boris")) == (REFUSE, 211)
    yard.check()


def test_a_follower_out_comes_back_once_and_counts_once() -> None:
    """Its card still says inside: the next entry is taken, and its car is not subtracted twice."""
    yard = yard_with(CONFIRMED, doubt=["followed"])
    for name in (b"anna", b"boris"):
        yard.passage(0, 1, yard.scan(0, name).session)
    yard.passage(1, 3)
    assert occupancy(yard)["north"] == 1
    again = yard.scan(0, b"boris")
    assert (answer(again), again.marks["passback"]) == ((OPEN, 210), "followed")
    yard.passage(0, 1, again.session)
    assert occupancy(yard)["north"] == 2
    assert answer(yard.scan(0, b"anna")) == (REFUSE, 210)
    yard.check()


def test_a_follower_through_an_inner_lane_keeps_both_areas_right() -> None:
    """Into the inner area unseen, and out of it by its own card."""
    lanes = tuple(lane_spec(n, way, place, confirm=n > 1) for n, way, place, *_ in NESTED)
    yard = yard_with(lanes, doubt=["followed"])
    yard.scan(0)
    yard.passage(2, 3)
    assert occupancy(yard) == {"north": 0, "vip": 1}
    out = yard.scan(3)
    assert (answer(out), out.marks["passback"]) == ((OPEN, 211), "followed")
    yard.passage(3, 1, out.session)
    assert occupancy(yard) == {"north": 1, "vip": 0}
    yard.check()


def test_followers_are_forgotten_after_a_while_and_by_a_count() -> None:
    """`doubt_s` after the last one, or when somebody has counted the area."""
    yard = yard_with(doubt=["followed"], doubt_s=60)
    yard.passage(0, 3)
    yard.now_ms += 60_001
    assert answer(yard.scan(1)) == (REFUSE, 211)
    yard.passage(0, 3)
    yard.order("correct_count", area="north", to=0, actor="jo", reason="counted")
    assert answer(yard.scan(1)) == (REFUSE, 211)
    assert ask(yard)["unnamed"] == {}
    yard.check()


def of(*names: bytes) -> list[dict[str, Any]]:
    return [{"kind": CARD, "token": name} for name in names]


def test_a_reset_is_for_a_list_or_for_the_whole_lot() -> None:
    """Who is named is taken at the next sighting; the whole lot's reset lets strangers out for a while."""
    yard = yard_with(doubt_s=60)
    for name in (b"a", b"b"):
        yard.scan(0, name)
    ok, _, body = yard.order("reset_passbacks", credentials=of(b"a", b"x"), actor="jo")
    assert ok and body == {"credentials": 2, "inside": 1}
    assert answer(yard.scan(0, b"b")) == (REFUSE, 210)
    assert answer(yard.scan(0, b"a")) == answer(yard.scan(1, b"x")) == (OPEN, 0)
    assert yard.order("reset_passbacks", whole=True, actor="jo")[2] == {"credentials": 0, "inside": 2}
    assert answer(yard.scan(0, b"b")) == (OPEN, 0)
    assert answer(yard.scan(1, b"y")) == (OPEN, 211)
    yard.now_ms += 60_001
    assert answer(yard.scan(1, b"z")) == (REFUSE, 211)
    yard.check()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({}, "bad_args"),
        ({"whole": True, "group": "staff"}, "bad_args"),
        ({"group": "nobody"}, "no_such_group"),
        ({"credentials": [{"kind": 2, "token": bytes(500)}] * 41}, "too_large"),
    ],
)
def test_a_reset_that_names_nobody_or_too_many_is_refused(args: dict[str, Any], code: str) -> None:
    """By its code, and nothing is reset."""
    yard = yard_with()
    yard.scan(0)
    assert yard.order("reset_passbacks", actor="jo", **args)[:2] == (False, code)
    assert ask(yard)["doubtful"] == 0


def test_history_is_taken_as_it_happened_with_a_finding() -> None:
    """Soft areas find fault with a second entry out of history as live ones do."""
    yard = yard_with(mode="soft")
    yard.scan(0)
    event = yard.history(0, 0x10, CARD, b"anna", verdict=1)
    assert (event.finding, event.effect) == (210, "moved")
    stranger = yard.history(1, 0x10, CARD, b"boris", verdict=1)
    assert (stranger.finding, stranger.effect) == (211, "adrift")
    yard.check()


def test_doubt_waits_in_a_snapshot_for_its_finding() -> None:
    """Told after the restart, once."""
    yard = yard_with(doubt=["held_open", "followed"])
    yard.scan(0)
    yard.passage(0, 3)
    yard.order("set_lane", reader="r", lane=1, mode=2, actor="jo")
    yard.order("set_lane", reader="r", lane=1, mode=1, actor="jo")
    yard.lot = state.load(state.dump(yard.lot))
    assert [type(event) for event in yard.tick(250)] == [DoubtCast, FindingMade]
    assert yard.tick(250) == ()
    yard.check()


def test_many_doubts_are_told_in_several_ticks() -> None:
    """A Tick's events must fit a record; every lane is told of in the end."""
    lanes = tuple(lane_spec(number, "exit") for number in range(45))
    yard = yard_with(lanes, doubt=["forced"])
    for number in range(45):
        yard.passage(number, 4)
    assert [len(yard.tick(250)) for _ in range(3)] == [80, 10, 0]
    yard.check()


def test_a_credential_may_do_what_the_rules_of_its_time_said() -> None:
    """A journal replays the same after the rules were made stricter."""
    yard = yard_with(mode="soft")
    yard.scan(0)
    yard.scan(0)
    yard.order("set_rules", rules={"passback": {"mode": "hard"}}, actor="jo")
    assert answer(yard.scan(0)) == (REFUSE, 210)
    yard.order("set_rules", rules={"passback": None}, actor="jo")
    assert answer(yard.scan(0)) == (REFUSE, 210)
    yard.do(c.Tick(yard.now_ms))
    yard.check()
