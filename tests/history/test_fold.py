"""What the fold makes of events, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.codecs.events import events_of
from liftgate.codecs.events.operators import CountCorrected
from liftgate.codecs.events.readers import PASSAGE_RECORDED, SCAN_DECIDED, PassageRecorded, ScanDecided
from liftgate.engine.core import model
from liftgate.engine.core.commands import ConfigureLot
from liftgate.history.fold import LAPSED_MAX, Fold, Gap, load
from liftgate.history.port import (
    CLOSED,
    DAY_MS,
    LEFT,
    LOST,
    NEWER_ENTRY,
    PRESUMED_GONE,
    WHOLE,
    StayRow,
)
from liftgate.history.privacy import Hasher
from tests.engine.core.lots import CARD, CONFIRMED, NOON, Yard, area, block, lane_spec, lot_spec
from tests.history.beside import HASHER

ANNA = HASHER.of(b"\x02anna")
MINUTE_MS = 60_000


class Watched:
    """A yard, and the fold of its events. changes: as (area, entered, left, corrected) since the last
    look.
    """

    def __init__(self, *args: Any, keep_tokens: bool = False, **readers: Any) -> None:
        self.yard = Yard(*args, **readers)
        self.fold = Fold("north", HASHER, keep_tokens)
        self.told = self.seq = 0
        self.look()

    def look(self) -> tuple[list[tuple[str, int, int, int]], list[StayRow]]:
        log = bytes(self.yard.log[self.told :])
        self.told += len(log)
        for event in events_of(log, self.yard.position - self.seq):
            self.fold.apply(event)
        self.seq = self.yard.position
        changes, rows = self.fold.take()
        self.at_ms = [change.at_ms for change in changes]
        return [(change.area, *change[3:]) for change in changes], list(rows.values())


@pytest.fixture
def lot() -> Watched:
    return Watched()


@pytest.fixture
def confirmed() -> Watched:
    return Watched(r=CONFIRMED)


def test_a_car_that_comes_and_goes_is_one_stay(lot: Watched) -> None:
    """Its row at the entry, then with its end; both times the same session, day and credential."""
    entry = lot.yard.scan(0)
    changes, (row,) = lot.look()
    assert changes == [("north", 1, 0, 0), (WHOLE, 1, 0, 0)]
    assert row == StayRow(
        "north", NOON // DAY_MS, entry.session, 3, ANNA, b"", "north", "P1-A-001", NOON, None, ""
    )
    lot.yard.now_ms += 90_000
    lot.yard.scan(1)
    changes, (left,) = lot.look()
    assert changes == [("north", 0, 1, 0), (WHOLE, 0, 1, 0)]
    assert left == row._replace(seq=4, left_ms=NOON + 90_000, how=LEFT)


def test_an_opened_barrier_counts_nobody(confirmed: Watched) -> None:
    """A car counts, and has a row, from its PASSAGE on; one that backs out leaves no trace."""
    confirmed.yard.scan(0)
    assert confirmed.look() == ([], [])
    confirmed.yard.passage(0, 2)
    assert confirmed.look() == ([], [])
    assert confirmed.fold.stays == {}
    confirmed.yard.scan(0)
    confirmed.yard.passage(0, 1)
    changes, (row,) = confirmed.look()
    assert changes == [("north", 1, 0, 0), (WHOLE, 1, 0, 0)]
    assert row.spot == "P1-A-001"


def test_a_passage_after_the_hold_counts_without_the_spot(confirmed: Watched) -> None:
    """That may be another's by now."""
    confirmed.yard.scan(0)
    confirmed.yard.tick(60_000)
    assert len(confirmed.fold.stays) == 0
    confirmed.yard.passage(0, 1, confirmed.yard.lot.lapsed and next(iter(confirmed.yard.lot.lapsed)))
    _, (row,) = confirmed.look()
    assert (row.area, row.spot, row.entered_ms) == ("north", "", NOON)


def test_a_replay_counts_when_it_happened(lot: Watched) -> None:
    """Its changes, its stay's day and times are those of the reader's log, not of the REPLAY."""
    yesterday = NOON - DAY_MS
    lot.yard.history(0, SCAN_DECIDED, CARD, b"anna", verdict=1, at_ms=yesterday)
    _, (row,) = lot.look()
    assert (row.day, row.entered_ms, lot.at_ms) == (NOON // DAY_MS - 1, yesterday, [yesterday] * 2)
    lot.yard.history(1, SCAN_DECIDED, CARD, b"anna", verdict=1, at_ms=yesterday + 5000)
    _, (row,) = lot.look()
    assert (row.left_ms, lot.at_ms) == (yesterday + 5000, [yesterday + 5000] * 2)


def test_a_tailgater_is_seen_and_has_no_name(confirmed: Watched) -> None:
    """It counts among those that entered, in live passages and told ones, and no stay begins."""
    confirmed.yard.passage(0, 3)
    assert confirmed.look() == ([("north", 1, 0, 0), (WHOLE, 1, 0, 0)], [])
    confirmed.yard.history(1, PASSAGE_RECORDED, 3, None)
    assert confirmed.look() == ([("north", 0, 1, 0), (WHOLE, 0, 1, 0)], [])


def test_a_car_between_areas_stays_in_the_lot() -> None:
    """It left one and entered the other; the lot as a whole saw nothing."""
    spec = lot_spec(area("north", None, block("P1", "A", 3)), area("vip", "north", block("P0", "V", 3)))
    lot = Watched(spec, r=(lane_spec(0, "entry"), lane_spec(1, "entry", "vip"), lane_spec(2, "exit", "vip")))
    lot.yard.scan(0)
    lot.look()
    lot.yard.scan(1)
    changes, (row,) = lot.look()
    assert sorted(changes) == [("north", 0, 1, 0), ("vip", 1, 0, 0)]
    assert (row.area, row.how) == ("vip", "")
    lot.yard.scan(2)
    changes, (row,) = lot.look()
    assert sorted(changes) == [("north", 1, 0, 0), ("vip", 0, 1, 0)]
    assert (row.area, row.spot, row.left_ms) == ("north", "", None)


def test_an_area_that_leaves_the_file_is_empty_from_then_on() -> None:
    """Its cars count in the outermost area, by correction: no lane saw them go."""
    inner = area("vip", "north", block("P0", "V", 3))
    outer = area("north", None, block("P1", "A", 3))
    lot = Watched(lot_spec(outer, inner), r=(lane_spec(0, "entry"), lane_spec(1, "entry", "vip")))
    lot.yard.scan(0)
    lot.yard.scan(1)
    lot.look()
    lot.yard.do(ConfigureLot(lot.yard.now_ms, lot_spec(outer)))
    changes, (row,) = lot.look()
    assert sorted(changes) == [("north", 0, 0, 1), ("vip", 0, 0, -1)]
    assert row.area == "north"


def test_a_second_entry_ends_the_first_stay(lot: Watched) -> None:
    """Nobody saw that car leave, so it is a correction; the new stay is a sighting."""
    lot.yard.scan(0)
    lot.yard.order("reset_passback", kind=CARD, token=b"anna", actor="jo")
    lot.look()
    lot.yard.scan(0)
    changes, rows = lot.look()
    assert changes == [("north", 0, 0, -1), (WHOLE, 0, 0, -1), ("north", 1, 0, 0), (WHOLE, 1, 0, 0)]
    assert [row.how for row in rows] == [NEWER_ENTRY, ""]
    assert rows[0].left_ms is not None and rows[1].left_ms is None


@pytest.mark.parametrize(
    ("order", "args", "how"),
    [
        ("close_stay", {"kind": CARD, "token": b"anna", "reason": "drove off with BXY123"}, CLOSED),
        ("lost_ticket", {"credential": {"kind": CARD, "token": b"anna"}, "cause": "lost"}, LOST),
    ],
)
def test_an_operator_ends_a_stay(lot: Watched, order: str, args: dict[str, Any], how: str) -> None:
    """The row says how, and never in the operator's own words."""
    lot.yard.scan(0)
    lot.look()
    assert lot.yard.order(order, **args, actor="jo")[0]
    changes, (row,) = lot.look()
    assert changes == [("north", 0, 0, -1), (WHOLE, 0, 0, -1)]
    assert (row.how, row.left_ms) == (how, NOON)


def test_a_stay_is_presumed_gone_by_the_rule() -> None:
    """Which is told from an operator who closed it."""
    lot = Watched(lot_spec() | {"rules": {"identity": {"close_after_s": 3600}}})
    lot.yard.scan(0)
    lot.look()
    lot.yard.tick(3_700_000)
    changes, (row,) = lot.look()
    assert (changes[0], row.how) == (("north", 0, 0, -1), PRESUMED_GONE)


def test_a_swap_keeps_the_stay_and_names_what_it_was_called(lot: Watched) -> None:
    """So that a store which keeps stays by credential can take the old one out; a swap back leaves it out."""
    anna, bert = {"kind": CARD, "token": b"anna"}, {"kind": CARD, "token": b"bert"}
    entry = lot.yard.scan(0)
    lot.look()
    lot.yard.order("swap_credential", before=anna, after=bert, actor="jo")
    _, (row,) = lot.look()
    assert (row.session, row.credential, row.formerly) == (entry.session, HASHER.of(b"\x02bert"), (ANNA,))
    lot.yard.order("swap_credential", before=bert, after=anna, actor="jo")
    _, (row,) = lot.look()
    assert (row.credential, row.formerly) == (ANNA, (HASHER.of(b"\x02bert"),))


def test_an_entry_that_nobody_saw_is_not_known() -> None:
    """A car named at its exit has a stay without a time of entry, in the day of its exit."""
    rules = {"rules": {"identity": {"exit_without_entry": "stay"}}}
    lot = Watched(lot_spec() | rules)
    lot.yard.scan(1)
    changes, (row,) = lot.look()
    assert changes == [("north", 0, 1, 0), (WHOLE, 0, 1, 0)]
    assert (row.entered_ms, row.left_ms, row.day, row.how) == (None, NOON, NOON // DAY_MS, LEFT)


def test_raw_tokens_are_kept_where_configured_only() -> None:
    """And then in the stay alone; the state of a fold that does not keep them has none."""
    for keep, token in ((True, b"\x02anna"), (False, b"")):
        lot = Watched(keep_tokens=keep)
        lot.yard.scan(0)
        _, (row,) = lot.look()
        assert row.token == token
        assert (b"anna" in lot.fold.dump()) is keep


def test_a_gap_is_an_error_and_can_be_stepped_over(lot: Watched) -> None:
    """Nothing has changed until somebody says that the events between are lost."""
    before = lot.fold.dump()
    event = CountCorrected("north", 9, NOON, "north", 0, 5, "jo", "")
    for wrong in (event, CountCorrected("north", 2, NOON, "north", 0, 5, "jo", "")):
        with pytest.raises(Gap, match=f"event {wrong.seq} after 2"):
            lot.fold.apply(wrong)
    assert lot.fold.dump() == before
    lot.fold.skip_gap()
    lot.fold.apply(event)
    assert lot.fold.counts.by_area == {"north": 5}


def test_a_history_that_begins_late_counts_what_it_sees() -> None:
    """Cars that were in before leave without a name; a correction puts the count right."""
    fold = Fold("north", HASHER)
    head = {"lot": "north", "reader": "r", "boot": 7, "lane": 0, "area": "north"}
    scan = {
        "kind": CARD,
        "token": b"anna",
        "skew_ms": 0,
        "verdict": 1,
        "reason": 0,
        "spot": None,
        "rare": None,
    }
    fold.apply(ScanDecided(**head, **scan, seq=500, at_ms=NOON, no=1, way=1, effect=1, session=bytes(16)))
    passed = PassageRecorded(
        **head, seq=501, at_ms=NOON, no=2, what=1, way=2, session=b"\1" * 16, effect="moved"
    )
    fold.apply(passed)
    assert (fold.counts.by_area, len(fold.stays)) == ({"north": 0}, 1)
    assert fold.counts.misfits == 2, "an area and a stay that nobody told of"
    fold.apply(CountCorrected("north", 502, NOON, "north", 40, 41, "jo", "counted"))
    assert fold.counts.by_area == {"north": 41}
    assert fold.take()[0][-2][3:] == (0, 0, 41)


def test_lapsed_moves_are_bounded() -> None:
    """As many as the engine remembers."""
    assert LAPSED_MAX == model.LAPSED_MAX


def test_a_checkpoint_of_another_format_is_refused() -> None:
    """A newer program wrote it."""
    with pytest.raises(ValueError, match="checkpoint format 99"):
        load("north", b"\x91\x63", HASHER)


def test_a_checkpoint_under_another_key_is_refused(lot: Watched) -> None:
    """Who is inside would be a stranger on the way out."""
    lot.yard.scan(0)
    lot.look()
    with pytest.raises(ValueError, match="lot north: its credentials were hashed under another key"):
        load("north", lot.fold.dump(), Hasher(b"a key that is quite another"))
