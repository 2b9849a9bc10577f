"""Weekly times in a lot's zone: stretches of time, midnights, holidays, and the two odd days of the year."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.configs.rules.entitlements import Holiday
from liftgate.configs.rules.hours import DAYS, Window
from liftgate.engine.core.parts.calendar import LAST_MS, Calendar

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = msgspec.convert([{"days": ["mon", "tue"], "from": "08:00", "to": "18:00"}], tuple[Window, ...])
NIGHT = msgspec.convert([{"days": ["fri"], "from": "22:00", "to": "06:00"}], tuple[Window, ...])


def ms(text: str, fold: int = 0) -> int:
    """Local time in Berlin."""
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp() * 1000)


def holidays(*rows: dict[str, object]) -> tuple[Holiday, ...]:
    return msgspec.convert(rows, tuple[Holiday, ...])


def permits(weekly: tuple[Window, ...], text: str, days: tuple[Holiday, ...] = ()) -> bool:
    return Calendar("Europe/Berlin", days).stretch(weekly, ms(text))[0]


def test_hours_begin_at_their_minute_and_end_before_theirs() -> None:
    """08:00 to 18:00: the first ms is in, the last is not."""
    assert not permits(OFFICE, "2026-11-23T07:59:59")
    assert permits(OFFICE, "2026-11-23T08:00")
    assert permits(OFFICE, "2026-11-23T17:59:59")
    assert not permits(OFFICE, "2026-11-23T18:00")
    assert not permits(OFFICE, "2026-11-25T12:00")  # a Wednesday


def test_hours_past_midnight_are_the_day_s_they_began_on() -> None:
    """Friday 22:00 to 06:00 ends on Saturday, and Saturday's own night is none."""
    assert permits(NIGHT, "2026-11-27T23:00")
    assert permits(NIGHT, "2026-11-28T05:59")
    assert not permits(NIGHT, "2026-11-28T06:00")
    assert not permits(NIGHT, "2026-11-28T23:00")


def test_a_holiday_switches_its_day_off_or_to_other_times_or_to_another_day() -> None:
    """Monday 2026-11-23: off, 10:00 to 12:00, or as a Sunday."""
    off = holidays({"date": "2026-11-23"})
    other = holidays({"date": "2026-11-23", "times": [{"from": "10:00", "to": "12:00"}]})
    sunday = holidays({"date": "2026-11-23", "like": "sun"})
    tuesday = holidays({"date": "2026-11-25", "like": "tue"})
    assert not permits(OFFICE, "2026-11-23T11:00", off)
    assert permits(OFFICE, "2026-11-23T11:00", other)
    assert not permits(OFFICE, "2026-11-23T13:00", other)
    assert not permits(OFFICE, "2026-11-23T11:00", sunday)
    assert permits(OFFICE, "2026-11-25T11:00", tuesday)


def test_summer_time_moves_the_hours_with_the_lot_s_clocks() -> None:
    """08:00 is 07:00 UTC in winter and 06:00 UTC in summer."""
    daily = msgspec.convert([{"from": "08:00", "to": "09:00"}], tuple[Window, ...])
    calendar = Calendar("Europe/Berlin", ())
    assert calendar.stretch(daily, ms("2026-03-28T08:00"))[1] % 86_400_000 == 7 * 3_600_000
    assert calendar.stretch(daily, ms("2026-03-29T08:00"))[1] % 86_400_000 == 6 * 3_600_000
    early = msgspec.convert([{"from": "02:30", "to": "04:00"}], tuple[Window, ...])
    assert not calendar.stretch(early, ms("2026-03-29T03:29"))[0]  # 02:30 is skipped: it would be 03:30
    assert calendar.stretch(early, ms("2026-03-29T03:30"))[0]


WINDOWS = st.builds(
    lambda days, start, length: Window(
        f"{start // 60:02}:{start % 60:02}",
        f"{(start + length) // 60 % 24:02}:{(start + length) % 60:02}",
        tuple(days),
    ),
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True),
    st.integers(0, 1439),
    st.integers(1, 1439),
)


@given(st.lists(WINDOWS, max_size=3).map(tuple), st.integers(ms("2026-03-20T00:00"), ms("2026-04-05T00:00")))
def test_an_answer_holds_for_its_whole_stretch(weekly: tuple[Window, ...], at_ms: int) -> None:
    """Asked at any moment of the stretch it is the same, and the moment asked is in it."""
    calendar = Calendar("Europe/Berlin", ())
    permitted, low, high = calendar.stretch(weekly, at_ms)
    assert low <= at_ms < high
    for moment in (low, (low + high) // 2, high - 1):
        assert calendar.stretch(weekly, moment)[0] == permitted


@pytest.mark.parametrize("at_ms", [0, LAST_MS, 1 << 62])
def test_times_at_the_ends_of_the_calendar_are_answered(at_ms: int) -> None:
    """A reader's clock may say anything."""
    assert Calendar("Europe/Berlin", ()).stretch(NIGHT, at_ms)[0] in (True, False)
