"""Times of day of a lot as Unix times, by trying which offset from UTC its clock can have had then.

The time zone is asked for nothing but what a clock shows at a moment; the way back is reckoned here.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = datetime(1970, 1, 1)


def wall(at_ms: int, timezone: str) -> datetime:
    """What a clock at the lot shows."""
    return datetime.fromtimestamp(at_ms // 1000, ZoneInfo(timezone)).replace(tzinfo=None)


@lru_cache(maxsize=4096)
def instant_ms(day: date, clock: str, timezone: str) -> int:
    """When the lot's clock shows that time on that day ("24:00": the next one begins): the first time of two.
    One that it leaves out is when it would have been, had nobody set the clock.
    """
    shown = datetime.combine(day, datetime.min.time()) + timedelta(
        hours=int(clock[:2]), minutes=int(clock[3:])
    )
    as_utc_ms = (shown - _EPOCH) // timedelta(seconds=1) * 1000
    around = [_ahead_ms(as_utc_ms + hours * 3_600_000, timezone) for hours in (-36, 36)]
    can_be = sorted(as_utc_ms - ahead for ahead in around)
    return next((at for at in can_be if wall(at, timezone) == shown), as_utc_ms - around[0])


def _ahead_ms(at_ms: int, timezone: str) -> int:
    """How far the clock is ahead of UTC then."""
    return (wall(at_ms, timezone) - _EPOCH) // timedelta(seconds=1) * 1000 - at_ms // 1000 * 1000


def days_around(at_ms: int, timezone: str, before: int, after: int) -> Iterable[date]:
    """The lot's dates from so many days before to so many days after."""
    today = wall(at_ms, timezone).date()
    return (today + timedelta(days=ahead) for ahead in range(-before, after + 1))


def weekday(day: date) -> str:
    return DAYS[day.weekday()]
