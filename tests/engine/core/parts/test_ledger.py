"""The ledger: what an area's count is made of, recounts, drift, and states that cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from liftgate.codecs.events.operators import FindingMade
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.events import HistoryRecorded
from liftgate.engine.core.parts.base import LOOK_EVERY_MS
from liftgate.engine.core.parts.ledger import Ledger
from tests.engine.core.lots import CARD, CONFIRMED, IN_AND_OUT, NOON, Yard, area, block, lane_spec, lot_spec

HOUR = 3_600_000
NESTED = (area("north", None, block("P1", "A", 3)), area("vip", "north", block("P0", "V", 2)))
NESTED_LANES = (*IN_AND_OUT, lane_spec(2, "entry", "vip"), lane_spec(3, "exit", "vip"))


def a_yard(*areas: dict[str, Any], lanes: Any = IN_AND_OUT, **rules: Any) -> Yard:
    return Yard(lot_spec(*areas) | {"rules": {"ledger": rules}}, r=lanes)


def totals(yard: Yard, id: str = "north") -> dict[str, int]:
    """The totals of an area that are not zero."""
    found = yard.lot.areas[id].tally
    occupancy = yard.lot.areas[id].inside + yard.lot.areas[id].adrift
    assert found.sum() == occupancy
    return {name: number for name, number in found.totals().items() if number}


def ask(yard: Yard, **args: Any) -> Any:
    shape, answer = Ledger.QUERIES["ledger"]
    return answer(yard.lot, msgspec.convert(args, shape))


def findings(events: Any) -> list[tuple[str, str]]:
    return [(event.kind, event.text) for event in events if isinstance(event, FindingMade)]


def test_an_area_without_cars_has_an_empty_ledger() -> None:
    """Nothing is due, and nothing is made of it."""
    yard = a_yard()
    assert totals(yard) == {}
    assert yard.tick(HOUR) == ()
    yard.check()


def test_a_quiet_lot_is_not_looked_at_and_a_busy_one_once_a_second() -> None:
    """A count that cannot be is found a second after the lot changed; a night brings no look at all."""
    yard = a_yard()
    ledger = yard.lot.parts["ledger"]
    assert yard.tick(0) == ()
    looked_ms = yard.now_ms
    assert ledger.due_ms() == ledger.recount_due_ms()
    yard.now_ms += HOUR
    yard.scan(0, b"a")
    assert ledger.due_ms() == looked_ms + LOOK_EVERY_MS
    assert yard.tick(0) == ()
    assert ledger.due_ms() == ledger.recount_due_ms()
    yard.scan(0, b"b")
    assert ledger.due_ms() == yard.now_ms + LOOK_EVERY_MS


def test_every_entry_and_exit_is_in_the_totals() -> None:
    """And their sum is the occupancy."""
    yard = a_yard()
    for token in (b"a", b"b", b"c"):
        yard.scan(0, token)
    yard.scan(1, b"b")
    assert totals(yard) == {"entered": 3, "left": 1}
    yard.check()


def test_a_car_between_areas_leaves_one_and_enters_the_other() -> None:
    """Each area keeps a ledger of its own cars."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES)
    yard.scan(0)
    yard.scan(2)
    assert totals(yard) == {"entered": 1, "left": 1}
    assert totals(yard, "vip") == {"entered": 1}
    yard.check()


def test_cars_without_a_stay_stand_apart() -> None:
    """Those that followed another, those that passed without a decision, and those corrected by hand."""
    yard = a_yard(lanes=CONFIRMED)
    yard.passage(0, 3)
    yard.passage(0, 3)
    yard.passage(1, 3)
    yard.passage(0, 1)
    yard.passage(1, 1)
    yard.order("correct_count", area="north", to=2, actor="eve", reason="saw them")
    assert totals(yard) == {
        "followed_in": 2,
        "followed_out": 1,
        "unnamed_in": 1,
        "unnamed_out": 1,
        "corrected": 1,
    }
    yard.check()


def test_a_car_without_a_stay_into_an_inner_area_leaves_the_outer_one() -> None:
    """In both ledgers."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES)
    yard.passage(2, 3)
    assert (totals(yard), totals(yard, "vip")) == ({"followed_out": 1}, {"followed_in": 1})


def test_a_stay_that_gives_way_is_closed_by_rule() -> None:
    """Its car left unseen: that is no exit."""
    yard = a_yard()
    yard.scan(0)
    yard.order("reset_passback", kind=CARD, token=b"anna", actor="eve")
    yard.scan(0)
    assert totals(yard) == {"entered": 2, "closed": 1}
    yard.check()


def test_a_promise_that_lapses_is_counted_beside_the_sum() -> None:
    """Nobody came in."""
    yard = a_yard(lanes=CONFIRMED)
    yard.scan(0)
    yard.tick(60_000)
    assert totals(yard) == {"lapsed": 1}


def test_late_entries_are_told_apart() -> None:
    """They are in the sum as all entries are, and it says how many came by REPLAY."""
    yard = a_yard()
    yard.history(0, 0x10, CARD, b"a", verdict=1, at_ms=NOON - HOUR)
    yard.history(1, 0x10, CARD, b"a", verdict=1, at_ms=NOON - HOUR + 1)
    yard.scan(0, b"b")
    assert totals(yard) == {"entered": 2, "left": 1, "late_in": 1, "late_out": 1}
    yard.check()


def test_a_late_passage_is_late_too() -> None:
    """Its stay was promised live."""
    yard = a_yard(lanes=CONFIRMED)
    session = yard.scan(0).session
    yard.history(0, 0x12, 1, session)
    assert totals(yard) == {"entered": 1, "late_in": 1}
    assert isinstance(yard.history(0, 0x12, 3, None), HistoryRecorded)
    assert totals(yard) == {"entered": 1, "late_in": 1, "followed_in": 1}


def test_a_recount_begins_the_ledger_anew() -> None:
    """The event says how it was before and after; the answer says the drift."""
    yard = a_yard()
    yard.scan(0, b"a")
    yard.scan(0, b"b")
    ok, _, body = yard.order("recount", counted={"north": 1}, actor="eve")
    assert (ok, body) == (True, {"areas": {"north": {"before": 2, "after": 1, "drift": 1}}})
    assert totals(yard) == {"base": 1}
    yard.scan(1, b"a")
    assert totals(yard) == {"base": 1, "left": 1}
    assert yard.counts() == (0, 0, 3)
    yard.check()


@pytest.mark.parametrize(
    ("rules", "args", "code"),
    [
        ({}, {"counted": {"south": 1}, "actor": "eve"}, "no_such_area"),
        ({}, {"counted": {}, "actor": "eve"}, "bad_args"),
        ({}, {"counted": {"north": -1}, "actor": "eve"}, "bad_args"),
        ({}, {"counted": {f"a{n}": 1 for n in range(65)}, "actor": "eve"}, "bad_args"),
        (None, {"counted": {"north": 1}, "actor": "eve"}, "not_configured"),
    ],
)
def test_a_recount_that_cannot_be_is_refused(rules: Any, args: dict[str, Any], code: str) -> None:
    """And nothing changes."""
    yard = Yard() if rules is None else a_yard()
    assert yard.order("recount", **args)[:2] == (False, code)
    assert yard.counts() == (0, 0, 3)


def test_a_count_below_zero_is_found_once_with_what_led_there() -> None:
    """It is never clipped, and it is said when it is normal again."""
    yard = a_yard(lanes=CONFIRMED)
    yard.passage(1, 3)
    [(kind, text)] = findings(yard.tick(1000))
    assert kind == "below_zero"
    assert text.startswith("area north, capacity 3: -1 = 0 counted - 1 followed out; ")
    assert text.endswith("followed -1 (r/1)")
    assert yard.counts() == (-1, 0, 4)
    assert yard.tick(1000) == ()
    yard.passage(1, 3)
    assert yard.tick(1000) == ()
    yard.passage(0, 3)
    yard.passage(0, 3)
    assert [kind for kind, _ in findings(yard.tick(1000))] == ["count_normal"]
    assert yard.tick(1000) == ()
    yard.check()


def test_a_count_above_the_capacity_is_found_once() -> None:
    """From one state that cannot be to the other is news too."""
    yard = a_yard()
    yard.order("correct_count", area="north", to=3, actor="eve", reason="")
    assert yard.tick(1000) == ()
    yard.order("correct_count", area="north", to=4, actor="eve", reason="")
    [(kind, text)] = findings(yard.tick(1000))
    assert kind == "above_capacity"
    assert "corrected +1 (eve)" in text
    yard.lot = state.load(state.dump(yard.lot))
    assert yard.tick(1000) == ()
    for _ in range(5):
        yard.passage(1, 3)
    assert [kind for kind, _ in findings(yard.tick(1000))] == ["below_zero"]
    yard.check()


def test_an_explanation_fits_an_event_however_much_happened() -> None:
    """The last entries that fit are told, the totals always; no more entries than sixteen are kept."""
    yard = a_yard()
    for to in range(20):
        yard.order("correct_count", area="north", to=to, actor="e" * 64, reason="")
    [(_, text)] = findings(yard.tick(1000))
    assert 400 < len(text) <= 512
    assert len(yard.lot.areas["north"].tally.entries) == 16
    yard.check()


def test_a_recount_falls_due_at_its_time_of_day_once() -> None:
    """In the lot's zone: 06:00 in Berlin is 05:00 UTC in winter."""
    yard = a_yard(recount_at=["06:00"])
    assert [kind for kind, _ in findings(yard.tick(1000))] == ["recount_due"]
    yard.order("recount", counted={"north": 0}, actor="eve")
    six = NOON - NOON % (24 * HOUR) + 29 * HOUR
    assert yard.tick(six - yard.now_ms - 1) == ()
    yard.tick()
    assert [kind for kind, _ in findings(yard.tick(1000))] == ["recount_due"]
    assert yard.tick(1000) == ()
    yard.lot = state.load(state.dump(yard.lot))
    assert yard.tick(23 * HOUR) == ()
    assert len(findings(yard.tick(HOUR))) == 1
    yard.check()


def test_a_recount_falls_due_so_long_after_the_last_one() -> None:
    """Of all areas: one that was left out stays due from its own last one."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES, recount_every_s=7200)
    assert len(findings(yard.tick(1000))) == 1
    yard.tick(HOUR)
    yard.order("recount", counted={"north": 0, "vip": 0}, actor="eve")
    assert yard.tick(2 * HOUR - 1) == ()
    assert len(findings(yard.tick(1000))) == 1
    yard.check()


def test_drift_beyond_the_threshold_is_found_until_it_changes() -> None:
    """By a number from elsewhere: the count stays."""
    yard = a_yard(drift_cars=1)
    for token in (b"a", b"b", b"c"):
        yard.scan(0, token)

    def report(counted: int) -> list[tuple[str, str]]:
        args = {"area": "north", "counted": counted, "source": "loop", "actor": "plc"}
        id = yard.lot.seq.to_bytes(16, "big")
        events = yard.do(c.Order(yard.now_ms, id, "api", "report_count", args))
        return findings(events)

    assert report(2) == []
    assert report(1) == [("drift", "drift, ledger against counted: north: +2")]
    assert report(1) == []
    assert report(0) == [("drift", "drift, ledger against counted: north: +3")]
    assert report(3) == [("drift", "drift, ledger against counted: north: gone")]
    assert report(3) == []
    assert yard.counts() == (3, 0, 0)
    yard.check()


@pytest.mark.parametrize(("counted", "found"), [(2, 0), (1, 1)])
def test_drift_by_percent_is_of_the_capacity(counted: int, found: int) -> None:
    """One of three spots is 33.3 per cent, which is not beyond 33.4."""
    yard = a_yard(drift_percent=33.4)
    for token in (b"a", b"b", b"c"):
        yard.scan(0, token)
    seq = yard.lot.seq
    yard.order("recount", counted={"north": counted}, actor="eve")
    assert yard.lot.seq - seq == 2 + found


def test_the_query_tells_the_totals_and_the_last_entries() -> None:
    """Of all areas, or of one in words."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES, recount_every_s=7200)
    yard.scan(0)
    yard.passage(2, 3)
    ok, _, body = ask(yard)
    assert ok
    assert body["areas"]["north"]["entered"] == 1
    assert (body["areas"]["vip"]["occupancy"], body["left_out"]) == (1, 0)
    assert list(ask(yard, after="north")[2]["areas"]) == ["vip"]
    one = ask(yard, area="vip")[2]
    assert one["entries"] == ["2026-11-22 12:00:00Z followed +1 (r/2)"]
    assert one["words"].startswith("area vip, capacity 2: 1 = 0 counted + 1 followed in")
    assert ask(yard, area="x")[:2] == (False, "no_such_area")
    assert ask(Yard())[:2] == (False, "not_configured")


def test_an_area_that_the_file_drops_is_accounted_for() -> None:
    """Its cars count in what is left, as a change of the configuration."""
    yard = a_yard(*NESTED, lanes=NESTED_LANES)
    yard.scan(0)
    yard.scan(2)
    yard.passage(2, 3)
    yard.do(c.ConfigureLot(NOON, lot_spec(NESTED[0]) | {"rules": {"ledger": {}}}))
    assert totals(yard) == {"entered": 1, "left": 1, "followed_out": 1, "configured": 2}
    yard.check()


def test_a_ledger_switched_on_later_begins_with_the_cars_that_are_there() -> None:
    """And is forgotten when it is switched off; the count stays."""
    yard = Yard()
    yard.scan(0)
    yard.order("set_rules", rules={"ledger": {}}, actor="eve")
    assert totals(yard) == {"base": 1}
    yard.scan(1)
    assert totals(yard) == {"base": 1, "left": 1}
    yard.check()
    yard.order("set_rules", rules={"ledger": None}, actor="eve")
    assert yard.lot.parts[Ledger.THEME].dump() is None
    yard.check()
