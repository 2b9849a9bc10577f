"""Where a world is and when it begins: time zones of its lots, and now and then their clocks change in it.

Rules are drawn in the lot's own time of day, counted as a clock on its wall shows it: where it changes, some
of these times come twice, and some not at all.
"""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from liftgate.configs.rules.hours import DAYS
from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import Shape

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")

CHANGES = (
    ("Europe/Berlin", "2027-03-28T01:00"),
    ("Europe/Berlin", "2027-10-31T01:00"),
    ("America/New_York", "2027-03-14T07:00"),
    ("America/New_York", "2027-11-07T06:00"),
    ("Asia/Beirut", "2027-03-27T22:00"),
    ("Australia/Lord_Howe", "2027-04-03T15:00"),
)
"""Clocks that change, and when, UTC: forth and back, at midnight, and by half an hour."""

MINUTE_MS = 60_000


def with_zones(shape: Shape, rng: random.Random) -> Shape:
    """Half of the lots in UTC, the others elsewhere; some worlds begin up to an hour before clocks change."""
    there, change = rng.choice(CHANGES)
    near = rng.random() < 0.3
    if near:
        start_ms = unix_ms(change) - rng.choice((5, 30, 60)) * MINUTE_MS
        shape = msgspec.structs.replace(shape, start_ms=start_ms)
    lots = []
    for lot in shape.lots:
        elsewhere = rng.choice(ZONES) if rng.random() < 0.5 else lot.timezone
        zone = there if near and rng.random() < 0.9 else elsewhere
        lots.append(msgspec.structs.replace(lot, timezone=zone))
    return msgspec.structs.replace(shape, lots=tuple(lots))


def unix_ms(utc: str) -> int:
    """A time that is written down, in UTC."""
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1000


def where(shape: Shape) -> str:
    """When a world begins and where its lots are, for people who read its story."""
    begin = datetime.fromtimestamp(shape.start_ms // 1000, UTC).strftime("%a %Y-%m-%d %H:%M")
    return f"{begin} UTC; " + ", ".join(f"{lot.id} in {lot.timezone}" for lot in shape.lots)


def _wall(shape: Shape, lot: LotConfig, minute: int) -> datetime:
    """What a clock would show so many minutes after the beginning, if nobody set it meanwhile."""
    begin = datetime.fromtimestamp(shape.start_ms // 1000, ZoneInfo(lot.timezone))
    return begin.replace(tzinfo=None) + timedelta(minutes=minute)


def clock(shape: Shape, lot: LotConfig, minute: int) -> str:
    """The time of day so many minutes after the world's beginning."""
    return _wall(shape, lot, minute).strftime("%H:%M")


def weekday(shape: Shape, lot: LotConfig, minute: int, later: int) -> str:
    """The day of the week then so many days later."""
    return DAYS[(_wall(shape, lot, minute).weekday() + later) % 7]


def draw_days(rng: random.Random, shape: Shape, lot: LotConfig, minute: int) -> list[str]:
    """Days of the week: that of the minute alone, with the one before it, or another one."""
    return [weekday(shape, lot, minute, later) for later in rng.choice(((0,), (-1, 0), (3,)))]


def today(shape: Shape, lot: LotConfig) -> date:
    """The date at the lot when the world begins."""
    return _wall(shape, lot, 0).date()
