"""`[lot.rules.entitlements]`: who may come in when, by passes, groups and single-use codes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from liftgate.configs.rules.hours import Date, Day, Hours

AreaName = Annotated[str, Meta(min_length=1, max_length=64)]


class Holiday(Struct, frozen=True, forbid_unknown_fields=True):
    """A date on which a pass's weekly times do not hold as they are.

    like: those of this day of the week hold; times: these hold instead; neither: none, the day is off.
    """

    date: Date
    like: Day | None = None
    times: Annotated[tuple[Hours, ...], Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        date.fromisoformat(self.date)
        if self.like is not None and self.times:
            raise ValueError("`like` and `times` say two things: name one")


class Entitlements(Struct, frozen=True, forbid_unknown_fields=True):
    """The table switches passes and groups on; without it their orders are refused.

    holidays: of this lot; holders_only: areas that only the holder of a pass for them or the member of a
    group may enter, whatever the lane takes; outside: what becomes of a pass that is expired, not yet valid
    or outside its times: "refuse", or "casual" where the lane takes anybody; keep_s: how long after its end
    a pass is kept.
    """

    holidays: Annotated[tuple[Holiday, ...], Meta(max_length=200)] = ()
    holders_only: Annotated[tuple[AreaName, ...], Meta(max_length=64)] = ()
    outside: Literal["refuse", "casual"] = "refuse"
    keep_s: Annotated[int, Meta(ge=3600, le=10 * 366 * 86_400)] = 30 * 86_400

    def __post_init__(self) -> None:
        dates = [holiday.date for holiday in self.holidays]
        for each in dates:
            if dates.count(each) > 1:
                raise ValueError(f"holiday {each} is there twice")
