"""Each hour a row for each lane: what was read, opened, seen and counted comes to the same, or not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from liftgate.codecs.events.ledger import LaneReconciled
from liftgate.codecs.events.operators import FindingMade, MoveLapsed
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.parts.reconciliation import ROWS_MAX, Reconciliation
from liftgate.engine.core.tally import LANE_COUNTS
from tests.engine.core.lots import CARD, CONFIRMED, IN_AND_OUT, NOON, Yard, area, block, lane_spec, lot_spec

HOUR = 3_600_000
NOON_HOUR = NOON // HOUR


def a_yard(lanes: Any = IN_AND_OUT, **rules: Any) -> Yard:
    spec = lot_spec(area("north", None, block("P1", "A", 20))) | {"rules": {"reconciliation": rules}}
    yard = Yard(spec, r=lanes)
    yard.tick(1000)
    return yard


def rows(events: Any) -> list[LaneReconciled]:
    return [event for event in events if isinstance(event, LaneReconciled)]


def counts(row: LaneReconciled) -> dict[str, int]:
    """What is not zero."""
    return {name: n for name, n in zip(LANE_COUNTS, row.counts, strict=True) if n}


def the_row(yard: Yard, after_ms: int = HOUR) -> LaneReconciled:
    [row] = rows(yard.tick(after_ms))
    yard.check()
    return row


def ask(yard: Yard, **args: Any) -> Any:
    shape, answer = Reconciliation.QUERIES["reconciliation"]
    return answer(yard.lot, msgspec.convert(args, shape))


def test_an_hour_in_which_nothing_happened_has_no_row() -> None:
    """However many there are."""
    yard = a_yard()
    assert yard.tick(HOUR) == ()
    assert yard.tick(48 * HOUR) == ()


def test_a_row_comes_with_the_full_hour_and_once() -> None:
    """A second before there is none, and none after."""
    yard = a_yard()
    yard.scan(0)
    assert yard.tick(HOUR - 1001) == ()
    row = the_row(yard, 1)
    assert (row.reader, row.lane, row.hour, row.difference) == ("r", 0, NOON_HOUR, "")
    assert counts(row) == {"numbers": 1, "opened": 1, "moved": 1}
    assert yard.tick(1) == ()
    assert yard.tick(HOUR) == ()


def test_lanes_that_count_by_the_scan_agree_with_the_ledger() -> None:
    """Refusals open nothing and count nobody."""
    yard = a_yard()
    yard.scan(0, b"a")
    yard.scan(0, b"a")
    yard.scan(0, b"b")
    yard.scan(1, b"a")
    into, out = rows(yard.tick(HOUR))
    assert counts(into) == {"numbers": 3, "opened": 2, "refused": 1, "moved": 2}
    assert counts(out) == {"numbers": 1, "opened": 1, "moved": 1}
    assert (into.difference, out.difference) == ("", "")
    yard.check()


def test_lanes_that_confirm_agree_when_all_passed() -> None:
    """A second scan at the same barrier is the same car; one that backs out did not pass."""
    yard = a_yard(CONFIRMED)
    yard.scan(0, b"a")
    yard.passage(0, 1, yard.scan(0, b"a").session)
    yard.passage(0, 2, yard.scan(0, b"b").session)
    row = the_row(yard)
    assert row.difference == ""
    assert counts(row) == {"numbers": 5, "opened": 3, "again": 1, "passed": 1, "backed_out": 1, "moved": 1}


def test_a_car_before_the_barrier_at_the_full_hour_belongs_to_both() -> None:
    """Opened in one, passed in the next, and neither is a difference."""
    yard = a_yard(CONFIRMED)
    yard.tick(HOUR - 2000)
    session = yard.scan(0).session
    first = the_row(yard, 1000)
    assert (first.waiting, first.difference) == (1, "")
    yard.passage(0, 1, session)
    second = the_row(yard)
    assert (second.waiting, second.difference) == (0, "")


def test_an_opening_that_nobody_used_is_found() -> None:
    """With the finding before the row, which is journalled too."""
    yard = a_yard(CONFIRMED)
    yard.scan(0)
    yard.tick(60_000)
    finding, row = yard.tick(HOUR)
    assert isinstance(finding, FindingMade)
    assert row.difference == "opened for 1 cars, 0 passed, 0 backed out, 1 lapsed: 1 did not pass"
    assert (finding.kind, finding.text) == ("reconciliation", f"lane 0 of r: {row.difference}")
    yard.check()


def test_a_promise_that_lapses_after_the_full_hour_is_found_in_the_next() -> None:
    """Nothing else happened in it."""
    yard = a_yard(CONFIRMED)
    yard.tick(HOUR - 2000)
    yard.scan(0)
    assert the_row(yard, 1000).difference == ""
    yard.tick(60_000)
    words = "opened for 0 cars, 0 passed, 0 backed out, 0 waiting now after 1, 1 lapsed: 1 did not pass"
    assert the_row(yard).difference == words


def test_a_promise_that_lapses_with_the_first_look_after_the_full_hour_is_in_its_row() -> None:
    """An engine that was off finds both due at once: what is journalled before the row is in it."""
    yard = a_yard(CONFIRMED)
    yard.scan(0)
    [lapsed] = yard.tick(HOUR)
    assert isinstance(lapsed, MoveLapsed)
    row = rows(yard.tick(250))[0]
    assert (counts(row)["lapsed"], row.waiting) == (1, 0)
    yard.check()


@pytest.mark.parametrize(
    ("what", "difference"),
    [
        (
            1,
            "opened for 0 cars, 1 passed, 0 backed out: 1 more than were let through; "
            "1 cars passed without a stay",
        ),
        (3, "1 followed without a credential"),
        (4, "barrier forced 1 times"),
    ],
)
def test_what_the_loop_saw_without_a_decision_is_found(what: int, difference: str) -> None:
    """The ledger counted it, but for a forced barrier, and nobody was let through."""
    yard = a_yard(CONFIRMED)
    yard.passage(0, what)
    assert the_row(yard).difference == difference


def test_a_loop_that_tells_of_fewer_cars_than_were_let_through_is_found() -> None:
    """On a lane that need not confirm only where it told of any."""
    yard = a_yard()
    yard.scan(0, b"a")
    yard.scan(0, b"b")
    yard.passage(0, 1)
    assert the_row(yard).difference == "opened for 2 cars, 1 passed, 0 backed out: 1 did not pass"


def test_numbers_that_are_missing_are_found_until_they_come() -> None:
    """Each change once."""
    yard = a_yard()
    yard.scan(0, b"a", no=1)
    yard.scan(0, b"b", no=5)
    row = the_row(yard)
    assert (row.missing, row.difference) == (3, "3 numbers missing of the reader")
    yard.scan(0, b"c", no=6)
    assert the_row(yard).difference == ""
    for no in (2, 3, 4):
        yard.history(0, 0x13, 0, False, (), no=no)
    yard.scan(0, b"d", no=7)
    row = the_row(yard)
    assert (row.missing, row.difference) == (0, "0 numbers missing of the reader")
    assert counts(row) == {"numbers": 4, "opened": 1, "moved": 1, "late": 3}


def test_history_counts_in_the_hour_in_which_it_arrives() -> None:
    """Apart, and in the equation: a car let in and seen while the reader was alone is no difference."""
    yard = a_yard(CONFIRMED)
    yard.history(0, 0x10, CARD, b"a", verdict=1, at_ms=NOON - 5 * HOUR)
    yard.history(0, 0x12, 1, None, at_ms=NOON - 5 * HOUR + 1)
    assert yard.tick(1) == yard.tick(2000) == ()
    row = the_row(yard)
    assert (row.hour, row.difference) == (NOON_HOUR, "")
    assert counts(row) == {"numbers": 2, "moved": 1, "late": 2, "late_opened": 1, "late_passed": 1}


def test_a_passage_that_comes_late_makes_its_opening_good() -> None:
    """Opened live, seen by REPLAY."""
    yard = a_yard(CONFIRMED)
    session = yard.scan(0).session
    yard.history(0, 0x12, 1, session)
    assert the_row(yard).difference == ""


def test_what_stopped_with_the_engine_is_reconciled_when_it_is_back() -> None:
    """Under the hour in which it happened."""
    yard = a_yard()
    yard.scan(0)
    yard.lot = state.load(state.dump(yard.lot))
    row = the_row(yard, 5 * HOUR)
    assert (row.hour, counts(row)) == (NOON_HOUR, {"numbers": 1, "opened": 1, "moved": 1})


def test_no_hour_has_two_rows_of_a_lane() -> None:
    """A reader whose clock is behind tells of the hour before after its row: that counts in this one."""
    yard = a_yard()
    yard.scan(0, b"a")
    assert the_row(yard).hour == NOON_HOUR
    yard.scan(0, b"b", at_ms=NOON + HOUR - 5)
    assert yard.tick(1) == ()
    assert the_row(yard).hour == NOON_HOUR + 1


def test_an_hour_that_is_over_when_it_is_told_of_gets_its_row_at_once() -> None:
    """A lane's first word since the full hour, by a clock that is behind: this hour's events are no part of
    the row.
    """
    yard = a_yard()
    yard.tick(HOUR)
    yard.scan(0, b"a", at_ms=NOON + HOUR - 5)
    row = the_row(yard, 1000)
    assert (row.hour, counts(row)) == (NOON_HOUR, {"numbers": 1, "opened": 1, "moved": 1})
    yard.scan(0, b"b")
    assert the_row(yard).hour == NOON_HOUR + 1


def test_a_lane_that_the_file_drops_gets_its_last_row() -> None:
    """And then it is forgotten."""
    yard = a_yard()
    yard.scan(0)
    yard.scan(1)
    yard.do(c.ConfigureReader(yard.now_ms, "r", (lane_spec(0, "entry"),)))
    assert [row.lane for row in rows(yard.tick(HOUR))] == [0, 1]
    assert list(yard.lot.readers["r"].tallies) == [0]
    yard.check()


def test_the_order_in_which_lanes_came_is_no_part_of_the_state() -> None:
    """A lane that was gone for a while stands behind the others in memory, and in its place once loaded."""
    yard = a_yard()
    yard.scan(0)
    yard.do(c.ConfigureReader(yard.now_ms, "r", (lane_spec(1, "exit"),)))
    yard.tick(HOUR)
    yard.do(c.ConfigureReader(yard.now_ms, "r", IN_AND_OUT))
    assert list(yard.lot.readers["r"].tallies) == [1, 0]
    assert state.dump(state.load(state.dump(yard.lot))) == state.dump(yard.lot)


def test_many_lanes_come_in_portions() -> None:
    """One look's events share a record with others; the rest come with the next looks."""
    yard = a_yard(tuple(lane_spec(number, "entry") for number in range(200)))
    yard.careful = False
    for lane in range(200):
        yard.passage(lane, 4)
    yard.now_ms += HOUR
    told = [yard.tick() for _ in range(8)]
    assert max(len(events) for events in told) <= 62
    assert sorted(row.lane for events in told for row in rows(events)) == list(range(200))
    yard.check()


def test_rows_are_kept_for_two_days_and_not_without_bound() -> None:
    """The oldest go first."""
    yard = a_yard()
    for _ in range(50):
        yard.status(0, 0, False)
        yard.tick(HOUR)
    kept = yard.lot.parts["reconciliation"].rows
    assert [row[0] for row in kept] == list(range(NOON_HOUR + 2, NOON_HOUR + 50))
    row = LaneReconciled("north", 0, 0, "r", 0, NOON_HOUR + 50, (0,) * len(LANE_COUNTS), 0, 0, "")
    for _ in range(ROWS_MAX):
        Reconciliation.APPLIERS[LaneReconciled](yard.lot, row, 0)
    assert len(kept) == ROWS_MAX


def test_the_query_tells_the_latest_rows_first() -> None:
    """Of a reader, of a lane, of some hours, or only those that differ."""
    yard = a_yard(CONFIRMED)
    yard.passage(0, 3)
    yard.tick(HOUR)
    yard.status(0, 0, False)
    yard.status(1, 0, False)
    yard.tick(HOUR)
    ok, _, body = ask(yard)
    assert ok
    assert [(row["hour_ms"], row["lane"]) for row in body["rows"]] == [
        (NOON + HOUR, 1),
        (NOON + HOUR, 0),
        (NOON, 0),
    ]
    assert [row["followed"] for row in ask(yard, differing=True)[2]["rows"]] == [1]
    assert len(ask(yard, hours=1)[2]["rows"]) == 2
    assert len(ask(yard, reader="r", lane=1)[2]["rows"]) == 1
    assert ask(yard, reader="s")[2] == {"rows": [], "left_out": 0}
    assert ask(Yard())[:2] == (False, "not_configured")


def test_differences_can_stay_rows_without_findings() -> None:
    """For who reads the rows anyway."""
    yard = a_yard(CONFIRMED, findings=False)
    yard.passage(0, 3)
    [row] = yard.tick(HOUR)
    assert row.difference == "1 followed without a credential"


def test_switching_it_on_counts_from_then_on() -> None:
    """And off, forgets."""
    yard = Yard()
    yard.scan(0, b"a")
    yard.order("set_rules", rules={"reconciliation": {}}, actor="eve")
    yard.scan(0, b"b")
    assert counts(the_row(yard))["numbers"] == 1
    yard.order("set_rules", rules={"reconciliation": None}, actor="eve")
    assert yard.tick(HOUR) == ()
    assert yard.lot.parts["reconciliation"].dump() is None
    yard.check()


def test_switching_it_on_begins_without_the_lanes_that_are_gone() -> None:
    """What they saw before is of no row."""
    yard = Yard()
    yard.scan(1, b"a")
    yard.do(c.ConfigureReader(yard.now_ms, "r", (lane_spec(0, "entry"),)))
    yard.order("set_rules", rules={"reconciliation": {}}, actor="eve")
    assert rows(yard.tick(HOUR)) == []
    yard.check()
