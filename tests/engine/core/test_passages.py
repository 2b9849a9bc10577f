"""Passages: a car counts when it passed, not when its barrier opened."""

from __future__ import annotations

import pytest

from tests.engine.core.lots import CONFIRMED, Yard, area, block, lane_spec, lot_spec

PASSED, BACKED_OUT, FOLLOWED, FORCED = 1, 2, 3, 4
BOTH_WAYS = lane_spec(0, "both", confirm=True)


def test_an_entry_counts_once_the_car_passed() -> None:
    """Held while it stands at the barrier, occupied after."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    assert yard.counts() == (0, 1, 2)
    event = yard.passage(0, PASSED, entered.session)
    assert (event.effect, event.session, event.way) == ("moved", entered.session, 1)
    assert yard.counts() == (1, 0, 2)
    yard.check()


def test_an_exit_counts_once_the_car_passed() -> None:
    """The car is in, and keeps its spot, until it is out."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    yard.passage(0, PASSED, entered.session)
    yard.scan(1)
    assert yard.counts() == (1, 0, 2)
    yard.passage(1, PASSED, entered.session)
    assert yard.counts() == (0, 0, 3)
    assert yard.scan(0, b"boris").spot == entered.spot


def test_a_car_that_backed_out_was_never_in() -> None:
    """Its spot is free, its stay is gone, and it may come again."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    assert yard.passage(0, BACKED_OUT, entered.session).effect == "withdrawn"
    assert (yard.counts(), yard.lot.stays) == ((0, 0, 3), {})
    again = yard.scan(0)
    assert (again.verdict, again.spot) == (1, entered.spot)
    assert again.session != entered.session


def test_a_car_that_backed_out_of_the_exit_is_still_in() -> None:
    """With its spot and its session."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    yard.passage(0, PASSED, entered.session)
    yard.scan(1)
    yard.passage(1, BACKED_OUT, entered.session)
    assert yard.counts() == (1, 0, 2)
    assert yard.scan(1).session == entered.session


def test_a_passage_without_a_session_is_of_whom_waits_longest_there() -> None:
    """At that lane, not at another."""
    yard = Yard(r=(*CONFIRMED, lane_spec(2, "entry", confirm=True)))
    elsewhere, first, second = yard.scan(2, b"a"), yard.scan(0, b"b"), yard.scan(0, b"c")
    sessions = [yard.passage(lane, PASSED).session for lane in (0, 0, 2)]
    assert sessions == [first.session, second.session, elsewhere.session]


def test_an_unconfirmed_entry_lapses() -> None:
    """After confirm_ms, not a millisecond before, its spot is another's."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    assert yard.tick(59_999) == ()
    (event,) = yard.tick(1)
    assert event.session == entered.session
    assert yard.counts() == (0, 0, 3)
    assert yard.tick(60_000) == ()
    yard.check()


def test_a_thousand_lapse_in_one_tick_and_the_rest_in_the_next() -> None:
    """A Tick's events are one atomic batch, so they are bounded."""
    yard = Yard(lot_spec(area("north", None, block("P1", "A", 1_200))), r=CONFIRMED)
    yard.careful = False
    for car in range(1_001):
        yard.scan(0, b"car %d" % car)
    assert [len(yard.tick(60_000)), len(yard.tick())] == [1_000, 1]
    assert yard.counts() == (0, 0, 1_200)


def test_a_passage_that_comes_late_finds_its_entry() -> None:
    """The car is in under its session, without the spot that may be another's by now."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    yard.tick(60_000)
    other = yard.scan(0, b"boris")
    assert other.spot == entered.spot
    assert yard.passage(0, PASSED, entered.session).effect == "moved"
    assert yard.counts() == (1, 1, 1)
    assert yard.scan(1).session == entered.session
    yard.check()


def test_a_passage_that_comes_late_finds_its_exit() -> None:
    """A car let out whose hold lapsed is in, until the news that it left: then its spot is free."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    yard.passage(0, PASSED, entered.session)
    yard.scan(1)
    yard.tick(60_000)
    assert yard.counts() == (1, 0, 2)
    yard.check()
    assert yard.passage(1, PASSED, entered.session).effect == "moved"
    assert (yard.counts(), yard.lot.stays, yard.lot.lapsed) == ((0, 0, 3), {}, {})
    yard.check()


def test_a_late_passage_replaces_a_newer_stay_of_the_same_car() -> None:
    """One credential has one stay: the car that passed is the one that is in."""
    yard = Yard(r=CONFIRMED)
    first = yard.scan(0)
    yard.tick(60_000)
    second = yard.scan(0)
    assert second.session != first.session
    yard.passage(0, PASSED, first.session)
    assert yard.counts() == (1, 0, 2)
    assert yard.passage(0, PASSED, second.session).effect == "adrift"
    yard.check()


def test_a_car_seen_again_is_not_late_any_more() -> None:
    """Its lapsed exit is forgotten once it moves: an old passage then counts a car without a name."""
    yard = Yard(r=(*CONFIRMED, lane_spec(2, "exit"), lane_spec(3, "entry")))
    entered = yard.scan(3)
    yard.scan(1)
    yard.tick(60_000)
    yard.scan(2)
    assert yard.lot.lapsed == {}
    assert yard.passage(1, PASSED, entered.session).effect == "adrift"


def test_a_late_back_out_changes_nothing() -> None:
    """The entry had lapsed already."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    yard.tick(60_000)
    yard.passage(0, BACKED_OUT, entered.session)
    assert (yard.counts(), yard.lot.lapsed) == ((0, 0, 3), {})
    yard.check()


@pytest.mark.parametrize(("lane", "occupancy"), [(0, 1), (1, -1)])
def test_who_follows_without_a_credential_is_counted_without_a_name(lane: int, occupancy: int) -> None:
    """In at an entry, out at an exit."""
    yard = Yard()
    event = yard.passage(lane, FOLLOWED)
    assert (event.effect, event.session) == ("adrift", None)
    assert yard.counts() == (occupancy, 0, 3 - occupancy)
    yard.check()


def test_who_follows_into_an_inner_area_leaves_the_outer_one() -> None:
    """The lot has as many cars as before."""
    spec = lot_spec(area("north", None, block("P1", "A", 2)), area("vip", "north", block("P0", "V", 1)))
    yard = Yard(spec, v=(lane_spec(0, "entry", "vip"),))
    yard.passage(0, FOLLOWED, reader="v")
    assert [a.adrift for a in yard.lot.areas.values()] == [-1, 1]
    assert yard.counts() == (0, 0, 3)


def test_a_forced_barrier_counts_nobody() -> None:
    """Whether a car went through is for a person to say."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    assert yard.passage(0, FORCED, entered.session).effect == ""
    assert yard.counts() == (0, 1, 2)


def test_an_unknown_passage_counts_only_where_lanes_confirm() -> None:
    """Elsewhere the scan has counted the car already."""
    assert Yard().passage(0, PASSED).effect == ""
    assert Yard(r=CONFIRMED).passage(0, PASSED).effect == "adrift"


def test_a_passage_at_a_lane_for_both_ways_goes_the_cars_way() -> None:
    """In, then out; one that nobody was let through is taken to come in."""
    yard = Yard(r=(BOTH_WAYS,))
    ways = []
    for _ in range(2):
        event = yard.scan(0)
        ways.append(yard.passage(0, PASSED, event.session).way)
    assert ways == [1, 2]
    assert yard.passage(0, PASSED).way == 1
    assert yard.counts() == (1, 0, 2)


def test_a_car_let_out_without_an_entry_is_counted_once() -> None:
    """By its passage where the lane confirms, by its scan where it does not."""
    for lanes, passes in ((CONFIRMED, True), (None, False)):
        yard = Yard(r=lanes) if lanes else Yard()
        yard.order("reset_passback", kind=2, token=b"anna", actor="jo")
        event = yard.scan(1)
        assert (event.verdict, event.session) == (1, None)
        if passes:
            assert yard.counts() == (0, 0, 3)
            yard.passage(1, PASSED)
        assert yard.counts() == (-1, 0, 4)
        assert yard.scan(1).reason == 211
        yard.check()


def test_a_way_out_of_an_inner_area_holds_no_second_place() -> None:
    """In a full lot a car before the inner exit does not make `available` negative."""
    spec = lot_spec(area("north", None, block("P1", "A", 1)), area("vip", "north", block("P0", "V", 1)))
    vip = (lane_spec(0, "entry", "vip"), lane_spec(1, "exit", "vip", confirm=True))
    yard = Yard(spec, r=(lane_spec(0, "entry"),), v=vip)
    anna = yard.scan(0)
    yard.scan(0, reader="v")
    yard.scan(0, b"boris")
    yard.scan(1, reader="v")
    assert yard.counts() == (2, 0, 0)
    yard.passage(1, PASSED, anna.session, reader="v")
    assert yard.counts() == (2, 0, 0)
    yard.check()


def test_lapsed_moves_are_remembered_up_to_a_bound() -> None:
    """The 4,097th forgets the oldest, whose passage then counts a car without a name."""
    yard = Yard(r=CONFIRMED)
    yard.careful = False
    sessions = []
    for car in range(4_097):
        sessions.append(yard.scan(0, b"car %d" % car).session)
        assert len(yard.tick(60_000)) == 1
    assert len(yard.lot.lapsed) == 4_096
    assert yard.passage(0, PASSED, sessions[0]).effect == "adrift"
    assert yard.passage(0, PASSED, sessions[1]).effect == "moved"
    yard.check()
