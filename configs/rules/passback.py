"""Anti-passback: what happens where a credential is seen on the side where its car is not believed to be."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Mode = Literal["hard", "soft", "timed"]
Cause = Literal["held_open", "forced", "followed"]

WEEK_S = 7 * 86_400


class PassbackRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[lot.rules.passback]`. Without it, and with an empty one: hard, and no doubt but by command.

    mode: "hard" refuses, "soft" opens and flags, "timed" refuses a second entry for `within_s` after the last
    and then lets the old stay give way; areas: the mode of single areas, by their id; doubt: what makes stays
    unknown: a lane that was held open, a barrier that was forced, cars that followed others; doubt_s: how
    long after it an exit without an entry is taken for one of these cars.
    """

    mode: Mode = "hard"
    within_s: Annotated[int, Meta(ge=1, le=WEEK_S)] = 900
    areas: dict[str, Mode] = {}
    doubt: tuple[Cause, ...] = ()
    doubt_s: Annotated[int, Meta(ge=60, le=4 * WEEK_S)] = 86_400
