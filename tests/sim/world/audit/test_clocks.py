"""Times of day as Unix times, reckoned without the engine's way of doing it."""

from datetime import UTC, date, datetime

import pytest

from liftgate.sim.world.audit.clocks import days_around, instant_ms, weekday

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1000  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(("day", "clock", "zone", "then"), [
    (SPRING, "08:00", "UTC", ms(2027, 3, 28, 8)),
    (SPRING, "01:59", "Europe/Berlin", ms(2027, 3, 28, 0, 59)),
    (SPRING, "02:30", "Europe/Berlin", ms(2027, 3, 28, 1, 30)),
    (SPRING, "03:10", "Europe/Berlin", ms(2027, 3, 28, 1, 10)),
    (SPRING, "24:00", "Europe/Berlin", ms(2027, 3, 28, 22)),
    (AUTUMN, "01:59", "Europe/Berlin", ms(2027, 10, 30, 23, 59)),
    (AUTUMN, "02:30", "Europe/Berlin", ms(2027, 10, 31, 0, 30)),
    (AUTUMN, "03:00", "Europe/Berlin", ms(2027, 10, 31, 2)),
    (date(2027, 3, 14), "02:30", "America/New_York", ms(2027, 3, 14, 7, 30)),
    (SPRING, "00:00", "Asia/Beirut", ms(2027, 3, 27, 22)),
    (date(2027, 4, 4), "01:45", "Australia/Lord_Howe", ms(2027, 4, 3, 14, 45)),
    (date(2027, 4, 4), "02:00", "Australia/Lord_Howe", ms(2027, 4, 3, 15, 30)),
])  # fmt: skip
def test_a_time_of_day_is_a_moment(day: date, clock: str, zone: str, then: int) -> None:
    """The first of two; what the clocks leave out is when it would have been."""
    assert instant_ms(day, clock, zone) == then


def test_days_are_those_of_the_lot() -> None:
    """Not those of UTC."""
    late_ms = ms(2027, 3, 27, 23, 30)
    assert list(days_around(late_ms, "Europe/Berlin", 1, 0)) == [date(2027, 3, 27), SPRING]
    assert weekday(SPRING) == "sun"
