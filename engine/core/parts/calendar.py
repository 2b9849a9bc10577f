"""Weekly times in a lot's time zone, with its holidays: asked once per stretch of time, not once per scan."""

from collections.abc import Iterable
from datetime import date, timedelta

from liftgate.configs.rules.entitlements import Holiday
from liftgate.configs.rules.hours import DAYS, Hours, Window, minutes
from liftgate.engine.core.parts.local_time import at, local_day, zone_of

ONE_DAY = timedelta(days=1)
LAST_MS = 253_370_764_800_000
"""The year 9999, where Python's calendar ends; no time after it is told from it."""


class Calendar:
    """The days of one lot."""

    def __init__(self, timezone: str, holidays: Iterable[Holiday]) -> None:
        self.zone = zone_of(timezone)
        self.holidays = {date.fromisoformat(holiday.date): holiday for holiday in holidays}

    def stretch(self, weekly: tuple[Window, ...], at_ms: int) -> tuple[bool, int, int]:
        """Whether `weekly` permits at_ms, and the stretch of time [from, to) in which that stays so."""
        at_ms = min(at_ms, LAST_MS - 1)
        today = self.day_of(at_ms)
        edges = [self.begin_ms(today), self.begin_ms(today + ONE_DAY)]
        permitted = False
        for day in (today - ONE_DAY, today):
            for hours in self._hours_of(weekly, day):
                start, end = self._instants(day, hours)
                edges += (start, end)
                permitted = permitted or start <= at_ms < end
        low = max((edge for edge in edges if edge <= at_ms), default=at_ms)
        return permitted, low, min((edge for edge in edges if edge > at_ms), default=at_ms + 1)

    def day_of(self, at_ms: int) -> date:
        """The date in the lot at that time."""
        return local_day(min(at_ms, LAST_MS), self.zone)

    def begin_ms(self, day: date) -> int:
        """When the day begins."""
        return at(day, 0, self.zone)

    def _hours_of(self, weekly: tuple[Window, ...], day: date) -> Iterable[Hours]:
        holiday = self.holidays.get(day)
        if holiday is not None and holiday.like is None:
            return holiday.times
        name = DAYS[day.weekday()] if holiday is None else holiday.like
        return [window for window in weekly if name in window.days]

    def _instants(self, day: date, hours: Hours) -> tuple[int, int]:
        start, end = minutes(hours.from_), minutes(hours.to)
        return at(day, start, self.zone), at(day, end if end > start else end + 1440, self.zone)
