from __future__ import annotations

import csv
import gzip
import hashlib
import re
from datetime import datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.sim.city.stays import LOTS, Stay, at_ms_of, load, movements, parse, recorded
from liftgate.sim.city.traffic import CityDataError, Direction
from tests.sim.city.stories import HEADER, MINUTE_MS, brute_inside, card_times, line, stay_lists, story

DATA = files("liftgate.sim.city") / "data"
SHIPPED = [("thsparking", "stays.csv.gz"), ("birmingham", "rate_grid_30min.csv.gz")]
TRAFFIC = recorded()
ROWS = list(
    csv.DictReader(gzip.decompress((DATA / "thsparking/stays.csv.gz").read_bytes()).decode().splitlines())
)


@pytest.mark.parametrize(("folder", "name"), SHIPPED)
def test_shipped_files_are_those_of_their_readme(folder: str, name: str) -> None:
    """Each README states its file's rows, bytes and both hashes, and they are true."""
    packed = (DATA / folder / name).read_bytes()
    content = gzip.decompress(packed)
    row = re.search(
        rf"^\| {re.escape(name)} \|(.*)\|$", (DATA / folder / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert row is not None
    rows, size, gz_sha, csv_sha = (cell.strip(" `") for cell in row[1].split("|"))
    assert int(rows.replace(",", "")) == content.count(b"\n") - 1
    assert int(size.replace(",", "")) == len(packed)
    assert (gz_sha, csv_sha) == (hashlib.sha256(packed).hexdigest(), hashlib.sha256(content).hexdigest())


def test_licences_travel_with_the_data() -> None:
    """The MIT text and the CC BY attribution stand beside the files that need them."""
    assert "Copyright (c) 2020 NingxuanFeng" in (DATA / "thsparking/LICENSE.txt").read_text()
    assert "D. H. Stolfi, UCI Machine Learning Repository, CC BY 4.0" in (
        DATA / "birmingham/README.md"
    ).read_text("utf-8")


def test_every_shipped_row_is_one_stay() -> None:
    """No row is lost or invented: lot and times of all stays are those of the file."""
    in_file = sorted((row["lot"], row["arrival"], row["departure"]) for row in ROWS)
    loaded = sorted((s.lot, _local(s.arrived_at_ms), _local(s.left_at_ms)) for s in load())
    assert len(in_file) == 10_987
    assert loaded == in_file


@given(st.integers(TRAFFIC.from_ms, TRAFFIC.to_ms - 1), st.sampled_from([lot.id for lot in LOTS]))
def test_shipped_truth_equals_a_count_of_the_rows(at_ms: int, lot: str) -> None:
    """At any instant the truth is the number of rows that have arrived and not departed."""
    now = _local(at_ms)
    expected = sum(1 for row in ROWS if row["lot"] == lot and row["arrival"] <= now < row["departure"])
    assert TRAFFIC.truth.inside(lot, at_ms) == expected


def test_shipped_lots_are_never_overfull_and_one_is_full() -> None:
    """The story touches a lot's capacity, so that it tests it, and never exceeds one."""
    peaks = {lot.id: TRAFFIC.truth.peak(lot.id) for lot in LOTS}
    assert peaks == {"P1": 18, "P7": 30, "P8": 27}
    assert {lot.id: TRAFFIC.truth.final(lot.id) for lot in LOTS} == {"P1": 0, "P7": 0, "P8": 0}


def test_shipped_cards_rest_between_stays() -> None:
    """A card enters, leaves, and is not used again for a minute, so anti-passback is never met."""
    for mine in card_times(TRAFFIC.movements).values():
        assert [m.direction for m in mine] == [Direction.ENTRY, Direction.EXIT] * (len(mine) // 2)
        for left, came in zip(mine[1::2], mine[2::2], strict=False):
            assert came.at_ms - left.at_ms >= MINUTE_MS


@given(stay_lists, st.integers(0, 100))
def test_truth_equals_brute_force(stays: list[Stay], minute: int) -> None:
    """For any stays, the truth at any minute is the count of stays that have begun and not ended."""
    at_ms = at_ms_of("2018-09-03T00:00") + minute * MINUTE_MS
    truth = story(stays).truth
    assert [truth.inside(lot, at_ms) for lot in "AB"] == [brute_inside(stays, lot, at_ms) for lot in "AB"]


@given(stay_lists)
def test_cars_leave_after_they_came(stays: list[Stay]) -> None:
    """In any story every card alternates entry and exit, and time never goes back."""
    moves = movements(stays)
    assert [m.at_ms for m in moves] == sorted(m.at_ms for m in moves)
    for mine in card_times(moves).values():
        assert [m.direction for m in mine] == [Direction.ENTRY, Direction.EXIT] * (len(mine) // 2)


@given(stay_lists)
def test_cards_are_few(stays: list[Stay]) -> None:
    """A lot issues as many cards as cars were ever inside, or just out, at one arrival, and no more."""
    for lot in "AB":
        mine = [stay for stay in stays if stay.lot == lot]
        busy = [
            sum(o.arrived_at_ms <= s.arrived_at_ms < o.left_at_ms + MINUTE_MS for o in mine) for s in mine
        ]
        assert len({stay.token for stay in mine}) == max(busy, default=0)


def test_within_a_minute_leavers_go_first_and_short_stays_pass_before_arrivals() -> None:
    """With a full lot of one spot, three cars of the same minute fit because of their order."""
    stays = parse([HEADER, line("A", 1, 5), line("A", 5, 9), line("A", 5, 5)])
    moves = [(m.at_ms // MINUTE_MS % 60, m.direction.value) for m in movements(stays)]
    assert moves == [(1, "entry"), (5, "exit"), (5, "entry"), (5, "exit"), (5, "entry"), (9, "exit")]
    assert story(stays).truth.peak("A") == 1


def test_times_are_read_as_shanghai() -> None:
    """Local time is UTC+8 whatever the machine's zone is."""
    assert at_ms_of("1970-01-01T08:01") == MINUTE_MS


@pytest.mark.parametrize(
    "rows",
    [
        [HEADER, line("A", 2, 1)],
        [HEADER, "A,2018-09-03T00:00"],
        [HEADER, "A,today,2018-09-03T00:00,0,1"],
        ["lot,arrival", "A,2018-09-03T00:00"],
    ],
)
def test_bad_rows_are_named(rows: list[str]) -> None:
    """A row that cannot be a stay is refused, with its number."""
    with pytest.raises(CityDataError, match="row 1"):
        parse(rows)


def _local(at_ms: int) -> str:
    """The local minute as the file writes it, by another way than the loader's."""
    return (datetime(1970, 1, 1, 8) + timedelta(milliseconds=at_ms)).isoformat(timespec="minutes")
