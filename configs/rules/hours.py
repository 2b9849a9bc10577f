"""Times of day, as rules say them: `from = "08:00"`, `to = "18:00"`, in the lot's own time zone."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Clock = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
"""A time of day; 24:00 is the day's end."""

Moment = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day at which something happens."""

Date = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Hours(Struct, frozen=True, forbid_unknown_fields=True):
    """From one time of day to another; where `to` is not after `from` it is on the next day."""

    from_: Clock = field(name="from")
    to: Clock

    def __post_init__(self) -> None:
        if self.from_ == self.to:
            raise ValueError("`from` and `to` are the same: a whole day is 00:00 to 24:00")


class Window(Hours, frozen=True, forbid_unknown_fields=True):
    """Hours on some days of the week, all of them unless said otherwise; past midnight they are the day's
    that they began on.
    """

    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)] = DAYS


def minutes(clock: str) -> int:
    """Minutes since the day began."""
    return int(clock[:2]) * 60 + int(clock[3:])
