"""`[lot.rules.offline]`: what a reader may decide alone while it cannot reach the engine."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

AloneCards = Literal["lane", "known", "off"]


class Offline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table alone lets the lot's readers decide alone, within these bounds.

    hours: since a reader was last connected, 0: it decides nothing alone; entries: openings at entries in one
    such time; cards: which cards, plates and codes open an entry: as the reader's lanes take cards, only
    those that the lot knows, or none (signed tickets open all the same); known_max, deny_max: how many
    known and denied credentials a POLICY names at the most, the latest first, as far as its frame has room:
    6,000 and 1,900 fill one.
    """

    hours: Annotated[int, Meta(ge=0, le=720)] = 8
    entries: Annotated[int, Meta(ge=0, le=100_000)] = 200
    cards: AloneCards = "known"
    known_max: Annotated[int, Meta(ge=0, le=6_000)] = 2_000
    deny_max: Annotated[int, Meta(ge=0, le=1_900)] = 1_000
