"""Rows of lanes: what stands in the journal between two of them."""

from typing import Any

import pytest

from liftgate.sim.world.audit.rows import COUNTS
from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, TWO, A, B, Stream
from tests.sim.world.audit.test_books import FINDING, set_rules
from tests.sim.world.audit.test_passback import FOLLOWED, SOFT

RECONCILED = 0x72
HOUR_MS = 3_600_000
FIRST = s.START_MS // HOUR_MS


def rowed(**rules: Any) -> Stream:
    """One car through a lane that confirms."""
    day = Stream()
    set_rules(day, {"reconciliation": rules})
    day.scan(A, s.IN_LATER, A1, ONE)
    day.passage(s.IN_LATER, 1, "moved", ONE)
    return day


GOOD = {"numbers": 2, "opened": 1, "passed": 1, "moved": 1}


def row(
    counts: dict[str, int], hour: int = FIRST, difference: str = "", waiting: int = 0, missing: int = 0
) -> list[Any]:
    numbers = [counts.get(name, 0) for name in COUNTS]
    return [RECONCILED, s.READER, s.IN_LATER, hour, numbers, waiting, missing, difference]


def finding(hour: int = FIRST) -> list[Any]:
    return [FINDING, "reconciliation", "…", {"reader": s.READER, "lane": s.IN_LATER, "hour": hour}]


@pytest.mark.parametrize(("written", "kinds"), [
    (row(GOOD), []),
    (row(GOOD | {"opened": 2}), ["wrong row"]),
    (row(GOOD | {"numbers": 1}), ["wrong row"]),
    (row(GOOD | {"late": 1}), ["wrong row"]),
    (row(GOOD, waiting=1), ["wrong row"]),
    (row(GOOD, missing=1), ["wrong row"]),
    (row(GOOD, hour=FIRST + 1), ["wrong hour"]),
    (row(GOOD, difference="1 did not pass"), ["wrong difference"]),
])  # fmt: skip
def test_a_row_is_what_was_journalled(written: list[Any], kinds: list[str]) -> None:
    """Of its lane, since the row before."""
    day = rowed()
    day.at_ms += HOUR_MS
    day.write(written)
    assert day.kinds[:1] == kinds


def test_history_counts_apart() -> None:
    """In the hour in which it comes."""
    day = rowed()
    day.history(B, s.IN_LATER, "promised", TWO, "P1-A-002")
    day.at_ms += HOUR_MS
    day.write([s.LAPSED, TWO])
    counts = GOOD | {"numbers": 3, "late": 1, "late_opened": 1, "lapsed": 1}
    day.write(finding(), row(counts, difference="1 did not pass"))
    assert day.kinds == []


def test_an_hour_has_one_row_of_a_lane() -> None:
    """And a row needs something of its lane."""
    day = rowed()
    day.at_ms += HOUR_MS
    day.write(row(GOOD))
    day.write(row({}))
    assert day.kinds[:1] == ["wrong hour"]


def test_a_row_comes_soon_after_the_full_hour() -> None:
    """In an engine that runs."""
    day = rowed()
    for after_ms in (HOUR_MS, 6_000):
        day.at_ms += after_ms
        day.make(s.LANE, [s.IN, 0, False, []])
        day.write([s.LANE, s.READER, s.BOOT, day.no, s.IN, 0, False, []])
    assert day.kinds == ["no row"]


@pytest.mark.parametrize(("rules", "before", "kinds"), [
    ({}, [finding()], []), ({}, [], ["wrong finding of a row"]), ({"findings": False}, [], []),
    ({"findings": False}, [finding()], ["wrong finding of a row"]),
    ({}, [finding(FIRST + 1)], ["wrong finding of a row"]),
])  # fmt: skip
def test_a_difference_has_its_finding_before_it(rules: Any, before: list[Any], kinds: list[str]) -> None:
    """Unless the rules want none."""
    day = rowed(**rules)
    day.passage(s.IN_LATER, 4, "", None)
    day.at_ms += HOUR_MS
    counts = GOOD | {"numbers": 3, "forced": 1}
    day.write(*before, row(counts, difference="barrier forced 1 times"))
    assert day.kinds[:1] == kinds


def test_a_finding_without_a_row_is_found() -> None:
    """It is about the row after it."""
    day = rowed()
    day.write(finding())
    day.passage(s.IN_LATER, 4, "", None)
    assert day.kinds == ["stray difference"]


@pytest.mark.parametrize(("moved", "unnamed", "kinds"), [(1, 0, []), (0, 1, ["wrong row"])])
def test_an_exit_of_unknown_entry_is_a_stays(moved: int, unnamed: int, kinds: list[str]) -> None:
    """It got one; a car without a name is the one that nobody gave any."""
    day = Stream()
    set_rules(day, {"reconciliation": {}, "passback": {"doubt": ["followed"]}})
    day.passage(s.IN, 3, "adrift", None)
    day.scan(B, s.OUT, None, TWO, reason=211, marks=FOLLOWED, **SOFT)
    day.at_ms += HOUR_MS
    counts = {"numbers": 1, "opened": 1, "moved": moved, "unnamed": unnamed}
    told = [RECONCILED, s.READER, s.OUT, FIRST, [counts.get(name, 0) for name in COUNTS], 0, 0, ""]
    day.write(told)
    assert day.kinds[:1] == kinds
