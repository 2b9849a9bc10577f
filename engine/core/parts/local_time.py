"""Times of day in a lot's time zone as Unix times: asked for once in hours, never per scan."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from liftgate.configs.rules.hours import minutes


def zone_of(name: str) -> ZoneInfo:
    """The time zone; UTC for a name that this machine does not know, as the file was checked elsewhere."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def at(day: date, minute: int, zone: ZoneInfo) -> int:
    """Unix time, ms, of a minute of a local day, >= 1440 on the next one.

    Where a clock goes back the first of the two; a time that is left out counts as an hour later.
    """
    day += timedelta(minute // 1440)
    minute %= 1440
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return int(local.timestamp()) * 1000


def local_day(at_ms: int, zone: ZoneInfo) -> date:
    """The date in the zone."""
    return datetime.fromtimestamp(at_ms // 1000, zone).date()


def next_time(clocks: Iterable[str], after_ms: int, zone: ZoneInfo) -> int:
    """The first of these times of day after after_ms. clocks: at least one."""
    today = local_day(after_ms, zone)
    times = [at(today + timedelta(ahead), minutes(clock), zone) for clock in clocks for ahead in range(3)]
    return min(time for time in times if time > after_ms)
