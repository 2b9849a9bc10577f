"""`[lot.rules.reservations]`: how reservations are held, how long they wait, and how many are taken."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_Day = Annotated[int, Meta(ge=0, le=86_400)]


class HoldStep(Struct, frozen=True, forbid_unknown_fields=True):
    """From `before_s` before its begin on, `percent` of a reservation's place is kept from others."""

    before_s: Annotated[int, Meta(ge=0, le=30 * 86_400)]
    percent: Annotated[int, Meta(ge=1, le=100)]


class Reservations(Struct, frozen=True, forbid_unknown_fields=True):
    """The table switches reservations on; without it their orders are refused.

    early_s: a car may come so long before its begin, and from then on its place is kept whole; late_s: so
    long after it the place is given up; leave_s: a car may stay so long beyond its end; hold: steps by which
    the place is kept before it may come; overbooking_percent: reservations taken at one time, of the spots
    of their class (no fractions: the wire has none); accept_s: how long an offered place waits for an answer;
    waiting_max: reservations on the waiting list.
    """

    early_s: _Day = 900
    late_s: Annotated[int, Meta(ge=0, le=7 * 86_400)] = 1800
    leave_s: _Day = 900
    hold: Annotated[tuple[HoldStep, ...], Meta(max_length=16)] = (HoldStep(3600, 100),)
    overbooking_percent: Annotated[int, Meta(ge=100, le=150)] = 100
    accept_s: Annotated[int, Meta(ge=60, le=7 * 86_400)] = 900
    waiting_max: Annotated[int, Meta(ge=0, le=500)] = 100

    def __post_init__(self) -> None:
        for first, then in zip(self.hold, self.hold[1:], strict=False):
            if then.before_s >= first.before_s or then.percent <= first.percent:
                raise ValueError("hold: each step comes later than the one before it and keeps more")
