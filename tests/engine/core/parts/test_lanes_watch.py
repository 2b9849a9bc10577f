"""Tidal lanes, rates at lanes, vends with cause, and lanes that are down."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from liftgate.codecs import codes
from liftgate.codecs.events import lanes as ev
from liftgate.codecs.events.operators import FindingMade
from liftgate.configs.rules.lanes import Tide, Turn
from liftgate.engine.core import commands as c
from liftgate.engine.core.parts.base import NEVER
from liftgate.engine.core.parts.lanes.tides import Tides, turn_at
from liftgate.gateways import queries
from tests.engine.core.lots import CARD, NOON, Yard, lane_spec, lot_spec
from tests.engine.core.parts.test_lanes import MINUTE, code, do

LANES = (lane_spec(0, "both"), lane_spec(1, "entry", confirm=True), lane_spec(2, "exit"))
HOUR = 60 * MINUTE


def yard_with(**rules: Any) -> Yard:
    return Yard(lot_spec() | {"rules": {"lanes": rules}}, r=LANES)


def findings(events: tuple[Any, ...]) -> list[str]:
    return [event.kind for event in events if isinstance(event, FindingMade)]


# -- tides


def test_a_lane_for_both_ways_is_as_before_while_no_tide_is_set() -> None:
    """The theme alone changes nothing."""
    yard = yard_with()
    assert yard.scan(0).verdict == codes.OPEN
    assert yard.scan(0).verdict == codes.OPEN
    assert yard.counts() == (0, 0, 3)


def test_a_car_against_the_tide_is_refused_with_its_trace() -> None:
    """In: nobody out; out: nobody in; closed: nobody. In between the lane clears."""
    yard = yard_with(clearing_s=30)
    body = do(yard, "set_tide", reader="r", lane=0, run="in")
    assert body == {"before": "off", "after": "in", "clear_until_ms": NOON + 30_000, "until_ms": 0}
    early = yard.scan(0)
    assert early.reason == 100 and any("clearing until" in line for line in early.trace)
    yard.now_ms += 30_000
    assert yard.scan(0).verdict == codes.OPEN
    against = yard.scan(0)
    assert (against.verdict, against.reason) == (codes.REFUSE, 100)
    assert f"tide: the lane runs in since {NOON}; the car goes out" in against.trace
    do(yard, "set_tide", reader="r", lane=0, run="out")
    assert yard.scan(0).reason == 100
    yard.now_ms += 30_000
    assert yard.scan(0, b"bert").reason == 100
    assert yard.scan(0).verdict == codes.OPEN
    do(yard, "set_tide", reader="r", lane=0, run="closed")
    assert yard.scan(0).reason == 100
    do(yard, "set_tide", reader="r", lane=0, run="off")
    assert yard.scan(0).verdict == codes.OPEN
    yard.check()


def test_a_lane_that_was_closed_long_enough_needs_no_clearing() -> None:
    """The clearing counts from the closing."""
    yard = yard_with(clearing_s=30)
    do(yard, "set_tide", reader="r", lane=0, run="in")
    do(yard, "set_tide", reader="r", lane=0, run="closed")
    yard.now_ms += 30_000
    do(yard, "set_tide", reader="r", lane=0, run="in")
    assert yard.scan(0).verdict == codes.OPEN


def test_the_schedule_turns_the_tide_by_the_lots_own_clock() -> None:
    """13:00 in Berlin is 12:00 UTC in November: in until 13:30, then out, and off at night."""
    turns = [{"at": "06:00", "run": "in"}, {"at": "13:30", "run": "out"}, {"at": "22:00", "run": "off"}]
    yard = yard_with(tides=[{"reader": "r", "lane": 0, "schedule": turns, "clearing_s": 0}])
    (turned,) = yard.tick()
    assert isinstance(turned, ev.TideTurned) and (turned.run, turned.actor) == ("in", "")
    assert yard.tick(29 * MINUTE) == ()
    (turned,) = yard.tick(MINUTE)
    assert (turned.run, turned.at_ms) == ("out", NOON + 30 * MINUTE)
    assert yard.scan(0).reason == 100
    yard.tick(9 * HOUR)
    assert yard.scan(0).verdict == codes.OPEN
    yard.check()


def test_a_tide_set_by_hand_holds_until_the_schedule_turns_it_next() -> None:
    """Or until its own end, after which the schedule has its way again."""
    turns = [{"at": "06:00", "run": "in"}, {"at": "13:30", "run": "out"}, {"at": "14:30", "run": "in"}]
    yard = yard_with(tides=[{"reader": "r", "lane": 0, "schedule": turns}])
    yard.tick()
    body = do(yard, "set_tide", reader="r", lane=0, run="closed")
    assert body["until_ms"] == NOON + 30 * MINUTE
    assert yard.tick(29 * MINUTE) == ()
    assert yard.tick(MINUTE)[0].run == "out"
    do(yard, "set_tide", reader="r", lane=0, run="in", for_s=600)
    assert yard.tick(9 * MINUTE) == ()
    assert [event.run for event in yard.tick(MINUTE)] == ["out"]
    assert yard.tick(MINUTE) == ()
    yard.check()


def test_without_a_schedule_the_end_of_a_tide_is_both_ways() -> None:
    """As the lane is without a tide."""
    yard = yard_with()
    do(yard, "set_tide", reader="r", lane=0, run="closed", for_s=60)
    assert yard.tick(MINUTE)[0].run == "off"
    assert yard.scan(0).verdict == codes.OPEN
    yard.check()


def test_history_is_not_measured_by_a_tide_of_later() -> None:
    """A car that came in before the tide turned is no finding."""
    yard = yard_with()
    yard.tick(HOUR)
    do(yard, "set_tide", reader="r", lane=0, run="out")
    entry = yard.history(0, 0x10, CARD, b"anna", verdict=1, at_ms=NOON)
    assert entry.finding == 0 and yard.counts()[0] == 1
    yard.now_ms += 10 * MINUTE
    assert yard.history(0, 0x10, CARD, b"bert", verdict=1, at_ms=yard.now_ms).finding == 100


def test_a_tide_needs_a_lane_for_both_ways_and_the_theme() -> None:
    """Codes for each."""
    assert code(yard_with(), "set_tide", reader="r", lane=1, run="in") == "one_way"
    assert code(yard_with(), "set_tide", reader="r", lane=9, run="in") == "no_such_lane"
    assert code(Yard(r=LANES), "set_tide", reader="r", lane=0, run="in") == "no_rules"


def test_tides_of_a_lane_that_is_gone_are_forgotten() -> None:
    """And the same number as a lane of one way has none."""
    yard = yard_with()
    do(yard, "set_tide", reader="r", lane=0, run="closed")
    yard.do(c.ConfigureReader(yard.now_ms, "r", (lane_spec(0, "entry"),)))
    assert yard.scan(0).verdict == codes.OPEN
    yard.check()


BERLIN = ZoneInfo("Europe/Berlin")
WEEK = (Turn("02:30", "in", ("sun",)), Turn("08:00", "out", ("mon", "fri")))


@pytest.mark.parametrize(
    ("now", "run", "following"),
    [
        (datetime(2026, 11, 23, 7, 59), "in", datetime(2026, 11, 23, 8, 0)),
        (datetime(2026, 11, 23, 8, 0), "out", datetime(2026, 11, 27, 8, 0)),
        (datetime(2026, 11, 29, 2, 29), "out", datetime(2026, 11, 29, 2, 30)),
        (datetime(2026, 3, 29, 4, 0), "in", datetime(2026, 3, 30, 8, 0)),
        (datetime(2026, 10, 25, 4, 0), "in", datetime(2026, 10, 26, 8, 0)),
    ],
)
def test_a_weekly_schedule_over_the_change_of_the_clocks(
    now: datetime, run: str, following: datetime
) -> None:
    """The run in force, and the time of the next one, in the lot's own zone."""
    now_ms, next_ms = (int(time.replace(tzinfo=BERLIN).timestamp()) * 1000 for time in (now, following))
    assert turn_at(WEEK, "Europe/Berlin", now_ms) == (run, next_ms)


def test_what_is_remembered_of_a_schedule_is_what_it_says() -> None:
    """At the turns, before and after them, in another zone, and under other rules."""
    yard = yard_with()
    tides = Tides(yard.lot)
    tides.configure((Tide("r", 0, WEEK),), 0)
    monday_ms = int(datetime(2026, 11, 23, tzinfo=BERLIN).timestamp()) * 1000
    for timezone in ("Europe/Berlin", "America/New_York"):
        yard.lot.timezone = timezone
        for now_ms in (*range(monday_ms, monday_ms + 14 * 86_400_000, 1_799_999), monday_ms):
            assert tides.scheduled(("r", 0), now_ms) == turn_at(WEEK, timezone, now_ms)
    tides.configure((), 0)
    assert tides.scheduled(("r", 0), monday_ms) == ("off", NEVER)


def test_a_schedule_without_turns_is_off_for_ever() -> None:
    assert turn_at((), "UTC", NOON) == ("off", NEVER)


# -- rates


@pytest.mark.parametrize(
    ("what", "rule", "kind"),
    [
        (3, "tailgates_max", "tailgates"),
        (2, "backouts_max", "backouts"),
        (4, "forced_max", "forced_barriers"),
    ],
)
def test_more_than_so_many_within_an_hour_is_a_finding_once(what: int, rule: str, kind: str) -> None:
    """The third of at most two; then counting begins anew."""
    yard = yard_with(**{rule: 2})
    for _ in range(2):
        yard.passage(1, what)
        assert findings(yard.tick(MINUTE)) == []
    yard.passage(1, what)
    yard.check()
    exceeded, finding = yard.tick(MINUTE)
    assert (exceeded.what, exceeded.count) == (kind, 3) and finding.kind == kind
    assert finding.about == {"reader": "r", "lane": 1, "count": 3, "most": 2}
    for _ in range(2):
        yard.passage(1, what)
        assert yard.tick(MINUTE) == ()
    yard.check()


def test_rates_are_of_one_lane_and_of_one_hour() -> None:
    """One here, one there, and one an hour later are no three."""
    yard = yard_with(tailgates_max=1)
    yard.passage(1, 3)
    yard.passage(2, 3)
    yard.now_ms += HOUR
    yard.passage(1, 3)
    assert yard.tick() == ()
    yard.now_ms += HOUR - 1
    yard.passage(1, 3)
    assert findings(yard.tick()) == ["tailgates"]
    yard.check()


def test_a_forced_barrier_at_once_where_none_is_taken_as_usual() -> None:
    """forced_max = 0."""
    yard = yard_with(forced_max=0)
    yard.passage(1, 4)
    assert findings(yard.tick()) == ["forced_barriers"]


def test_history_counts_in_its_own_time() -> None:
    """Tailgates of yesterday out of a backlog are none of today's."""
    yard = yard_with(tailgates_max=1)
    yard.passage(1, 3)
    yard.history(1, 0x12, 3, None, at_ms=NOON - 2 * HOUR)
    assert yard.tick() == ()
    yard.history(1, 0x12, 3, None, at_ms=NOON - MINUTE)
    assert findings(yard.tick()) == ["tailgates"]
    yard.check()


def test_of_endless_tailgates_only_what_is_needed_is_kept() -> None:
    """One more than is allowed, for each lane."""
    yard = yard_with(tailgates_max=3)
    yard.careful = False
    for _ in range(50):
        yard.passage(1, 3)
    assert [len(times) for times in yard.lot.parts["lanes"].watch.times.values()] == [4]
    assert findings(yard.tick()) == ["tailgates"]
    yard.check()


def test_a_clock_that_jumps_before_the_finding_is_made_counts_nothing_down() -> None:
    """What was too much within an hour is found with that number."""
    yard = yard_with(tailgates_max=1)
    for at_ms in (NOON, NOON, NOON + 2 * HOUR):
        yard.history(1, 0x12, 3, None, at_ms=at_ms)
    exceeded, _ = yard.tick()
    assert exceeded.count == 2
    yard.check()


def test_rates_that_are_not_asked_for_are_not_counted() -> None:
    """Also after they were: switching off forgets."""
    yard = yard_with(tailgates_max=3)
    yard.passage(1, 3)
    do(yard, "set_rules", rules={"lanes": {}})
    yard.passage(1, 3)
    assert yard.lot.parts["lanes"].watch.times == {}
    yard.check()


# -- vends

VEND = {"reader": "r", "lane": 1, "cause": "ambulance"}


def test_a_barrier_is_raised_for_listed_causes_only() -> None:
    """Where the rules list them; the refusal names them."""
    yard = yard_with(vend_causes=["ambulance", "ticket unreadable"])
    do(yard, "open_lane", **VEND)
    ok, why, body = yard.order("open_lane", **VEND | {"cause": "friend", "actor": "jo"})
    assert (ok, why) == (False, "cause_not_allowed") and "ticket unreadable" in body["text"]
    do(yard_with(), "open_lane", **VEND | {"cause": "friend"})


def test_too_many_vends_at_a_lane_are_a_finding() -> None:
    """Above the number of an hour."""
    yard = yard_with(vends_max=1)
    do(yard, "open_lane", **VEND)
    assert yard.tick() == ()
    do(yard, "open_lane", **VEND)
    assert findings(yard.tick()) == ["vends"]
    yard.check()


# -- down


def test_a_reader_that_is_silent_is_down_once_and_up_again() -> None:
    """One event and one finding, however often the gateway says so; `lanes` shows it."""
    yard = yard_with()
    away = c.ReaderAway(NOON, "r", NOON - 180_000)
    down, finding = yard.do(away)
    assert isinstance(down, ev.LaneDown) and (down.lanes, down.since_ms) == ((0, 1, 2), NOON - 180_000)
    assert finding.kind == "lane_down" and "180 s" in finding.text
    assert yard.do(away) == ()
    assert queries.answer(yard.lot, "lanes", {})[2]["r/1"]["down_since_ms"] == NOON - 180_000
    yard.check()
    (up,) = yard.do(c.ReaderSeen(NOON, "r"))
    assert isinstance(up, ev.LaneUp) and up.since_ms == NOON - 180_000
    assert yard.do(c.ReaderSeen(NOON, "r")) == ()
    yard.check()


def test_nobody_waits_for_a_reader_without_lanes_or_without_the_rule() -> None:
    """down_after_s = 0, no theme, a reader that is gone from the file."""
    for yard in (yard_with(down_after_s=0), Yard(r=LANES)):
        assert yard.do(c.ReaderAway(NOON, "r", 0)) == ()
    yard = yard_with()
    assert yard.do(c.ReaderAway(NOON, "other", 0)) == ()
    yard.do(c.ReaderAway(NOON, "r", 0))
    yard.do(c.ConfigureReader(NOON, "r", ()))
    assert yard.do(c.ReaderSeen(NOON, "r")) == ()
    yard.check()
