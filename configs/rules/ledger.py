"""`[lot.rules.ledger]`: the count of each area as a ledger."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from liftgate.configs.rules.hours import Moment


class Ledger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table alone switches the ledger on.

    recount_at: times of day when a recount falls due; recount_every_s: or so long after the last one, 0 =
    not; drift_cars, drift_percent (of the area's capacity): beyond which a counted number that differs from
    the ledger's is a finding, 0 = not.
    """

    recount_at: Annotated[tuple[Moment, ...], Meta(max_length=24)] = ()
    recount_every_s: Annotated[int, Meta(ge=0, le=366 * 86_400)] = 0
    drift_cars: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    drift_percent: Annotated[float, Meta(ge=0, le=100)] = 0.0

    def __post_init__(self) -> None:
        if 0 < self.recount_every_s < 3600:
            raise ValueError("recount_every_s: an hour (3600) or more")
