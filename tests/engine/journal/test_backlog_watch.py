"""A subscriber's backlog is said at 50, 80 and 100 % of the reserve; then what is configured is done."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from liftgate.engine.journal.backlog import BacklogWatch, held
from liftgate.engine.journal.journal import Journal
from liftgate.engine.journal.memory import MemoryStorage
from tests.engine.journal.journals import fill, opened

SEGMENT_BYTES = 4096


def journal_of(segments: int) -> Journal:
    """A journal of so many segments, two subscribers at its beginning and one at its end."""
    journal, _, _ = opened(MemoryStorage())
    fill(journal, segments)
    assert len(journal.catalogue.all()) == segments
    journal.move_cursor("slow", 0)
    journal.move_cursor("other", 0)
    journal.move_cursor("live", journal.durable_position)
    return journal


def said(watch: BacklogWatch, name: str = "slow") -> list[tuple[str, object]]:
    """What one look logs of a subscriber: event and percent."""
    with capture_logs() as logs:
        watch.look()
    return [(line["event"], line.get("percent")) for line in logs if line["subscriber"] == name]


def test_who_holds_how_much() -> None:
    """Segments that reach beyond the cursor, each whole."""
    journal = journal_of(5)
    segments = journal.catalogue.all()
    positions = {"a": 0, "b": segments[0].last, "c": segments[0].last - 1, "d": journal.durable_position}
    assert held(segments, positions, 100) == {"a": 500, "b": 400, "c": 500, "d": 0}


@pytest.mark.parametrize(
    ("reserve", "event", "percent"),
    [
        (11, None, None),
        (10, "journal.backlog", 50),
        (6, "journal.backlog", 83),
        (5, "journal.backlog_full", 100),
    ],
)
def test_each_level_is_said_once(reserve: int, event: str | None, percent: int | None) -> None:
    """Five segments of a reserve of so many; a second look says nothing new."""
    watch = BacklogWatch(journal_of(5), SEGMENT_BYTES, reserve * SEGMENT_BYTES, "keep")
    assert said(watch) == ([] if event is None else [(event, percent)])
    assert said(watch) == []


def test_a_backlog_that_eased_is_said_and_can_be_said_again() -> None:
    """Worked off: eased. Grown again: the warning again."""
    journal = journal_of(5)
    watch = BacklogWatch(journal, SEGMENT_BYTES, 8 * SEGMENT_BYTES, "keep")
    assert said(watch) == [("journal.backlog", 62)]
    journal.move_cursor("slow", journal.durable_position)
    assert said(watch) == [("journal.backlog_eased", 0)]
    journal.move_cursor("slow", 0)
    assert said(watch) == [("journal.backlog", 62)]


def test_at_the_bound_only_the_named_one_is_forgotten() -> None:
    """forget:slow lets go of slow's cursor, with its position in the log; others stay, and stay said."""
    journal = journal_of(5)
    watch = BacklogWatch(journal, SEGMENT_BYTES, 5 * SEGMENT_BYTES, "forget:slow")
    assert said(watch) == [("journal.backlog_full", 100), ("journal.subscriber_forgotten", None)]
    assert set(journal.cursors.all()) == {"other", "live"}


def test_without_a_reserve_nothing_is_said_or_done() -> None:
    """0: the disk is the bound."""
    journal = journal_of(5)
    assert said(BacklogWatch(journal, SEGMENT_BYTES, 0, "forget:slow")) == []
    assert "slow" in journal.cursors.all()


def test_who_holds_all_does_so_until_it_is_below_80_percent() -> None:
    """refuse_entries: the holder is told until it eased; at 80 % of the reserve it still holds it."""
    journal = journal_of(5)
    journal.move_cursor("other", journal.durable_position)
    watch = BacklogWatch(journal, SEGMENT_BYTES, 5 * SEGMENT_BYTES, "refuse_entries")
    assert (watch.refuses, watch.holder) == (True, "")
    watch.look()
    assert watch.holder == "slow"
    firsts = journal.catalogue.all()
    journal.move_cursor("slow", firsts[0].last)
    watch.look()
    assert watch.holder == "slow"
    journal.move_cursor("slow", firsts[1].last)
    watch.look()
    assert watch.holder == ""
