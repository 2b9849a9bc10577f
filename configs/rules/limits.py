"""`[lot.rules.limits]`: how long a car may stay, when none may come in, and turning round."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, field

from liftgate.configs.rules.hours import DAYS, Day, Moment

Id = Annotated[str, Meta(min_length=1, max_length=64)]
Longest = Annotated[int, Meta(ge=60, le=366 * 86_400)]
ByName = Annotated[dict[Id, Longest], Meta(max_length=64)]


class Closed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """Closed for entry on these days from a time of day until another, which may lie on the next day.

    days: of the beginning; the same time twice is a day and a night.
    """

    from_: Moment
    to: Moment
    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)] = field(default=DAYS)


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """longest_stay_s: of any stay, 0 = no limit; longest_by_class (of the spot), longest_by_area: instead
    of it, the area's before the class's; closed: when no car may come in; turn_round_s: who leaves within
    so long of coming in has only turned round, 0 = nobody.
    """

    longest_stay_s: Annotated[int, Meta(ge=0, le=366 * 86_400)] = 0
    longest_by_class: ByName = {}
    longest_by_area: ByName = {}
    closed: Annotated[tuple[Closed, ...], Meta(max_length=32)] = ()
    turn_round_s: Annotated[int, Meta(ge=0, le=3600)] = 0

    def __post_init__(self) -> None:
        if 0 < self.longest_stay_s < 60:
            raise ValueError("longest_stay_s: a minute (60) or more")
