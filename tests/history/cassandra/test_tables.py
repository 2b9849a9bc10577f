"""Rows become writes: each with its partition, its timestamp and its time to live."""

from __future__ import annotations

from collections import Counter

import pytest

from liftgate.history.cassandra.tables import (
    NO_TIME,
    QUARTER_MS,
    STATEMENTS,
    TTL_S_MAX,
    Expiry,
    Keeping,
    Write,
    batches,
    writes_of,
)
from liftgate.history.port import DAY_MS, LEFT, Rows
from tests.history.cassandra.rows import CREDENTIAL, DAY, NOON_MS, OTHER, cell, day, event, some, stay

FOR_EVER = Keeping(days=0, token_hours=0)


def written(rows: Rows, keeping: Keeping = FOR_EVER, now_ms: int = NOON_MS) -> list[Write]:
    return list(writes_of(rows, keeping, now_ms))


def columns(write: Write) -> dict[str, object]:
    """The values of an INSERT by column; "at" is the timestamp, "ttl" what comes after it."""
    names = STATEMENTS[write.statement].partition("(")[2].partition(")")[0].split(", ")
    return dict(zip([*names, "at", "ttl"], write.values, strict=False))


def test_every_statement_has_a_value_for_each_mark() -> None:
    """For all kinds of rows, with and without tokens, times and former credentials."""
    full = stay(1)._replace(token=b"\x01raw", left_ms=NOON_MS, how=LEFT, formerly=(OTHER,))
    rows = Rows([event(1)], [stay(2), full, stay(3, entered_ms=None)], [cell(0)], [day(0)])
    writes = written(rows, Keeping(days=30, token_hours=24))
    assert {write.statement for write in writes} == {
        name for name in STATEMENTS if name.split()[0] in ("events", "stays", "credentials", "cells", "days")
    }
    for write in writes:
        assert len(write.values) == STATEMENTS[write.statement].count("?"), write.statement


def test_a_row_is_as_new_as_the_event_behind_it() -> None:
    """Its timestamp is the seq, so an older write never overwrites a newer one, whoever sends it."""
    rows = Rows([], [stay(1, seq=7)], [cell(0, seq=8)], [day(0, seq=9)])
    assert [columns(write)["at"] for write in written(rows)] == [7, 7, 8, 9]
    (formerly,) = [
        write
        for write in written(Rows(stays=[stay(1, seq=7)._replace(formerly=(OTHER,))]))
        if "formerly" in write.statement
    ]
    assert formerly.values == (7, OTHER, DAY, "north", stay(1).session)


def test_an_event_is_as_new_as_its_time() -> None:
    """Microseconds, as the windows of its table are reckoned by the timestamps; its content never changes."""
    (write,) = written(Rows([event(5, NOON_MS)]))
    assert columns(write)["at"] == NOON_MS * 1000


@pytest.mark.parametrize(
    ("offset_ms", "quarter"), [(0, 0), (QUARTER_MS - 1, 0), (QUARTER_MS, 1), (DAY_MS - 1, 3)]
)
def test_a_day_of_events_lies_in_quarters(offset_ms: int, quarter: int) -> None:
    """The first millisecond of a quarter belongs to it."""
    (write,) = written(Rows([event(5, DAY * DAY_MS + offset_ms)]))
    assert write.partition == ("events", "north", DAY, quarter)


def test_an_event_lives_until_its_days_are_over_and_not_from_its_writing_on() -> None:
    """A backlog that is written weeks later goes with its time; what is over already is not written."""
    keeping, over_ms = Keeping(days=10, token_hours=0), (DAY + 11) * DAY_MS
    (write,) = written(Rows([event(1, NOON_MS)]), keeping, over_ms - 86_400_000)
    assert columns(write)["ttl"] == 86_400
    assert written(Rows([event(1, NOON_MS)]), keeping, over_ms) == []
    (for_ever,) = written(Rows([event(1, NOON_MS)]))
    assert columns(for_ever)["ttl"] == 0


def test_a_stay_lives_as_long_once_it_has_ended() -> None:
    """A car that is inside for years is not forgotten; a swapped credential is deleted all the same."""
    keeping, over_ms = Keeping(days=10, token_hours=0), (DAY + 11) * DAY_MS
    inside = stay(1)._replace(formerly=(OTHER,))
    ended = inside._replace(left_ms=NOON_MS, how=LEFT)
    for row, now_ms, ttl_s in ((inside, over_ms, 0), (ended, over_ms - 1, 1)):
        *placed, formerly = written(Rows(stays=[row]), keeping, now_ms)
        assert [columns(write)["ttl"] for write in placed] == [ttl_s, ttl_s]
        assert formerly.statement == "credentials formerly"
    (formerly,) = written(Rows(stays=[ended]), keeping, over_ms)
    assert formerly.statement == "credentials formerly"


def test_a_token_lives_for_hours_after_the_stay() -> None:
    """While the car is inside it has no end; the row around it stays, and never goes before its token."""
    keeping = Keeping(days=0, token_hours=2)
    inside = stay(1)._replace(token=b"\x01raw")
    assert {columns(write)["raw_token"] for write in written(Rows(stays=[inside]), keeping)} == {b"\x01raw"}
    gone = inside._replace(left_ms=NOON_MS - 3_600_000, how=LEFT)
    writes = {write.statement: write for write in written(Rows(stays=[gone]), keeping)}
    assert set(writes) == {"stays without", "stays token", "credentials without", "credentials token"}
    assert writes["stays token"].values[:3] == (1, 3600, b"\x01raw")
    assert writes["credentials token"].values[:3] == (1, 3600, b"\x01raw")
    late = written(Rows(stays=[gone]), keeping, NOON_MS + DAY_MS)
    assert [columns(write)["raw_token"] for write in late] == [b"", b""]
    short = {write.statement: write for write in written(Rows(stays=[gone]), Keeping(1, 24 * 9))}
    assert short["stays token"].values[1] == short["stays without"].values[-1]


def test_a_token_that_is_not_to_be_kept_is_not_written() -> None:
    """Not even while the car is inside."""
    inside = stay(1)._replace(token=b"\x01raw")
    assert {columns(write)["raw_token"] for write in written(Rows(stays=[inside]))} == {b""}


def test_a_car_without_a_name_is_in_no_table_of_credentials() -> None:
    """An empty partition key would be refused."""
    assert [write.statement for write in written(Rows(stays=[stay(1, credential=b"")]))] == ["stays"]


def test_a_former_name_that_is_the_present_one_is_kept() -> None:
    """Swapped and swapped back: the row of today must not be deleted."""
    back = stay(1)._replace(formerly=(CREDENTIAL, OTHER, b""))
    writes = written(Rows(stays=[back]))
    assert [write.values[1] for write in writes if write.statement == "credentials formerly"] == [OTHER]


def test_unknown_times_are_numbers() -> None:
    """A null would be a tombstone for each car that is inside."""
    (write,) = written(Rows(stays=[stay(1, credential=b"", entered_ms=None)]))
    assert (columns(write)["entered_ms"], columns(write)["left_ms"]) == (NO_TIME, NO_TIME)


def test_a_batch_has_rows_of_one_partition() -> None:
    """Within its bounds, in order, and none is lost or doubled."""
    writes = written(some(1, 30_000))
    made = batches(writes, rows_max=100, bytes_max=2000)
    assert Counter(write for batch in made for write in batch) == Counter(writes)
    for batch in made:
        assert len({write.partition for write in batch}) == 1
        assert len(batch) <= 100
        assert sum(write.size for write in batch) <= 2000
        assert [write.origin for write in batch] == sorted(write.origin for write in batch)


def test_a_row_above_the_bound_goes_alone() -> None:
    """It is for Cassandra to refuse it, not for us."""
    writes = written(Rows([event(1), event(2, value=b"x" * 5000), event(3)]))
    assert [len(batch) for batch in batches(writes, rows_max=100, bytes_max=2000)] == [1, 1, 1]


def test_a_ttl_is_whole_seconds_up_and_has_a_bound() -> None:
    """0 would mean for ever, so nothing is written with what is left of a time that is over."""
    expiry = Expiry(Keeping(days=1, token_hours=0), (DAY + 2) * DAY_MS - 1)
    assert [expiry.of_day(DAY + day) for day in (-1, 0, 1)] == [None, 1, 86_401]
    assert Expiry(Keeping(days=36_525, token_hours=0), NOON_MS).of_day(DAY) == TTL_S_MAX
