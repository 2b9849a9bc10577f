"""Times of day in a zone, across the change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from liftgate.configs.rules.limits import Closed
from liftgate.engine.core.parts.hours import ClosedHours
from liftgate.engine.core.parts.local_time import next_time, zone_of

BERLIN = ZoneInfo("Europe/Berlin")


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1000  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("after", "then"),
    [
        (ms(2026, 11, 22, 4, 59, 59), ms(2026, 11, 22, 5)),
        (ms(2026, 11, 22, 5), ms(2026, 11, 23, 5)),
        (ms(2026, 7, 1, 3, 59), ms(2026, 7, 1, 4)),
        (ms(2026, 10, 24, 5), ms(2026, 10, 25, 5)),
    ],
)
def test_a_time_of_day_comes_after_the_one_given(after: int, then: int) -> None:
    """Strictly after, summer and winter."""
    assert next_time(["06:00"], after, BERLIN) == then


def test_the_first_of_several_times_is_next() -> None:
    """Whatever their order."""
    assert next_time(["18:00", "06:00"], ms(2026, 11, 22, 4), BERLIN) == ms(2026, 11, 22, 5)


def test_a_time_that_the_clocks_leave_out_counts_an_hour_later() -> None:
    """On 28 March 2027 there is no 02:30 in Berlin."""
    assert next_time(["02:30"], ms(2027, 3, 28, 0), BERLIN) == ms(2027, 3, 28, 1, 30)


def test_a_night_is_closed_as_long_as_it_is() -> None:
    """Seven hours between 23:00 and 05:00 in the night when the clocks go back."""
    hours = ClosedHours((Closed(from_="23:00", to="05:00"),), BERLIN)
    begin, end, shut = hours.span(ms(2026, 10, 25, 1))
    assert (begin, end, shut) == (ms(2026, 10, 24, 21), ms(2026, 10, 25, 4), True)
    assert hours.span(end) == (end, ms(2026, 10, 25, 22), False)


@pytest.mark.parametrize("minute", [5, 15, 32, 39, 45])
def test_what_ends_before_the_clocks_let_it_begin_is_not_closed(minute: int) -> None:
    """On 28 March 2027 02:30 in Berlin counts as 03:30, and 03:10 is before that: that day is open."""
    left_out = (Closed(from_="02:30", to="03:10"), Closed(from_="02:40", to="03:05"))
    begin, end, shut = ClosedHours(left_out, BERLIN).span(ms(2027, 3, 28, 1, minute))
    assert (begin, end, shut) == (ms(2027, 3, 27, 2, 10), ms(2027, 3, 29, 0, 30), False)


def test_hours_that_touch_are_one() -> None:
    """A day and a night, every day, is always."""
    hours = ClosedHours((Closed(from_="08:00", to="08:00"),), BERLIN)
    begin, end, shut = hours.span(ms(2026, 11, 22, 7))
    assert shut
    assert end - begin > 7 * 86_400_000


def test_a_zone_that_is_not_known_here_is_utc() -> None:
    """The file was checked elsewhere."""
    assert zone_of("Mars/Olympus").key == "UTC"
