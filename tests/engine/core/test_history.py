"""REPLAY: what happened is taken as it happened; it opens nothing and refuses nothing."""

from __future__ import annotations

import pytest

from tests.engine.core.lots import CARD, CONFIRMED, NOON, Yard, area, block, lane_spec, lot_spec

SCAN, PASSAGE, STATUS = 0x10, 0x12, 0x13
OPEN, REFUSE = 1, 2
ONE_SPOT = lot_spec(area("north", None, block("P1", "A", 1)))


def test_a_car_that_is_in_is_in_even_above_capacity() -> None:
    """Counted without a spot; the finding says what the rules would have said."""
    yard = Yard(ONE_SPOT)
    assert yard.history(0, SCAN, CARD, b"anna", verdict=OPEN).spot == "P1-A-001"
    event = yard.history(0, SCAN, CARD, b"boris", verdict=OPEN)
    assert (event.finding, event.spot, event.effect) == (300, None, "moved")
    assert yard.counts() == (2, 0, -1)
    assert yard.scan(0, b"chloe").reason == 300
    assert yard.scan(1, b"boris").verdict == OPEN
    yard.check()


def test_what_the_reader_refused_stays_refused() -> None:
    """Nothing is counted; where the rules would have opened, a human should look (500)."""
    yard = Yard()
    assert yard.history(0, SCAN, CARD, b"anna", verdict=REFUSE).finding == 500
    assert yard.history(1, SCAN, CARD, b"anna", verdict=REFUSE).finding == 0
    assert yard.counts() == (0, 0, 3)


def test_history_tells_the_past_not_the_future() -> None:
    """A clock ahead is cut to now; one behind is believed."""
    yard = Yard()
    assert yard.history(0, SCAN, CARD, b"a", verdict=OPEN, at_ms=NOON + 5_000).at_ms == NOON
    assert yard.history(0, SCAN, CARD, b"b", verdict=OPEN, at_ms=NOON - 86_400_000).at_ms == NOON - 86_400_000


def test_an_entry_of_somebody_inside_ends_the_old_stay() -> None:
    """It left unseen in between: one car, a new session, the finding 210."""
    yard = Yard()
    first = yard.scan(0)
    event = yard.history(0, SCAN, CARD, b"anna", verdict=OPEN)
    assert event.finding == 210
    assert event.session != first.session
    assert yard.counts() == (1, 0, 2)
    yard.check()


@pytest.mark.parametrize("confirm", [False, True])
def test_an_exit_of_somebody_unknown_is_one_car_less_once(confirm: bool) -> None:
    """By its scan, or by its passage where the lane confirms."""
    yard = Yard(r=CONFIRMED) if confirm else Yard()
    event = yard.history(1, SCAN, CARD, b"anna", verdict=OPEN)
    assert (event.finding, event.session) == (211, None)
    if confirm:
        assert yard.counts() == (0, 0, 3)
        yard.history(1, PASSAGE, 1, None)
    assert yard.counts() == (-1, 0, 4)
    yard.check()


def test_scan_and_passage_belong_together_though_ticks_come_between() -> None:
    """The reader knows no session: the passage is of whose hold covered its time, though that has lapsed."""
    yard = Yard(r=CONFIRMED)
    hour_ago = NOON - 3_600_000
    entered = yard.history(0, SCAN, CARD, b"anna", verdict=OPEN, at_ms=hour_ago)
    assert len(yard.tick(1_000)) == 1
    event = yard.history(0, PASSAGE, 1, None, at_ms=hour_ago + 9_000)
    assert (event.effect, event.session) == ("moved", entered.session)
    assert yard.counts() == (1, 0, 2)
    assert yard.scan(1).session == entered.session
    yard.check()


def test_a_past_passage_is_not_of_a_car_that_waits_now() -> None:
    """Live events come first, the backlog after: the live car keeps its hold."""
    yard = Yard(r=CONFIRMED)
    live = yard.scan(0, b"live")
    hour_ago = NOON - 3_600_000
    entered = yard.history(0, SCAN, CARD, b"anna", verdict=OPEN, at_ms=hour_ago)
    assert yard.history(0, PASSAGE, 1, None, at_ms=hour_ago + 9_000).session == entered.session
    assert yard.counts() == (1, 1, 1)
    assert yard.passage(0, 1, live.session).effect == "moved"


def test_a_passage_with_a_session_is_of_that_stay() -> None:
    """The scan was live, and the reader was cut off before the car passed."""
    yard = Yard(r=CONFIRMED)
    first, second = yard.scan(0, b"a"), yard.scan(0, b"b")
    yard.tick(60_000)
    assert yard.history(0, PASSAGE, 1, second.session).session == second.session
    assert yard.history(0, PASSAGE, 2, first.session).effect == "withdrawn"
    assert yard.counts() == (1, 0, 2)


def test_a_past_tailgate_counts_a_car_without_a_name() -> None:
    """Though somebody was let in there at that time."""
    yard = Yard(r=CONFIRMED)
    yard.scan(0)
    event = yard.history(0, PASSAGE, 3, None)
    assert (event.effect, event.session) == ("adrift", None)
    assert yard.counts() == (1, 1, 1)


def test_a_past_status_is_recorded() -> None:
    """Barrier, loop and faults of the lane."""
    yard = Yard()
    event = yard.history(1, STATUS, 3, True, ("arm broken",))
    assert (event.what, event.detail) == (STATUS, (3, True, ["arm broken"]))
    lane = yard.lane("r", 1)
    assert (lane.barrier, lane.loop, lane.faults) == (3, True, ("arm broken",))
    yard.check()


def test_an_entry_told_twice_counts_once() -> None:
    """Whether it came live or as history the first time."""
    yard = Yard()
    live = yard.scan(0, no=1)
    told = yard.history(0, SCAN, CARD, b"boris", verdict=OPEN, no=3)
    assert yard.history(0, SCAN, CARD, b"anna", verdict=OPEN, no=1) is live
    assert yard.history(0, SCAN, CARD, b"boris", verdict=OPEN, no=3) is told
    assert yard.scan(0, b"chloe", no=3) is told
    assert yard.counts() == (2, 0, 1)


def test_a_pardoned_exit_is_used_up_by_history_too() -> None:
    """An anti-passback reset lets one sighting pass."""
    yard = Yard()
    yard.order("reset_passback", kind=CARD, token=b"anna", actor="jo")
    assert yard.history(1, SCAN, CARD, b"anna", verdict=OPEN).finding == 0
    assert yard.scan(1).reason == 211


def test_history_enters_an_inner_area_from_the_street() -> None:
    """The outer reader was away too: the car is where it was seen, and nowhere else."""
    spec = lot_spec(area("north", None, block("P1", "A", 2)), area("vip", "north", block("P0", "V", 1)))
    yard = Yard(spec, v=(lane_spec(0, "entry", "vip"), lane_spec(1, "exit", "vip")))
    assert yard.history(0, SCAN, CARD, b"anna", verdict=OPEN, reader="v").finding == 211
    assert [a.inside for a in yard.lot.areas.values()] == [0, 1]
    assert yard.history(1, SCAN, CARD, b"anna", verdict=OPEN, reader="v").finding == 0
    assert [a.inside for a in yard.lot.areas.values()] == [1, 0]
    yard.check()
