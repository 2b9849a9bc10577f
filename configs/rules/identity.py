"""Who leaves: plates beside tickets, exits without an entry, and stays that nobody ended."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Plates = Literal["credential", "witness"]


class IdentityRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[lot.rules.identity]`. Defaults are a lot without: plates are credentials, the mode of anti-passback
    judges exits without an entry, and a stay ends by an exit alone.

    plates: "witness": a plate opens nothing, and is compared with the one that the stay came in with; lanes:
    the same for single lanes, as "reader/number"; witness_s: how long a plate waits for the credential
    at its lane; edits_max: how far two readings of one plate may be apart, in steps of a half (a character
    that cameras confuse counts a half, any other 1); mismatch: what comes of more than that;
    exit_without_entry: "refuse", "open" (the car stays without a name), "stay" (it gets a stay whose entry is
    not known); unset: as anti-passback says; close_after_s: a stay that is older is closed, 0 = never.
    """

    plates: Plates = "credential"
    lanes: dict[str, Plates] = {}
    witness_s: Annotated[int, Meta(ge=1, le=600)] = 30
    edits_max: Annotated[float, Meta(ge=0, le=8, multiple_of=0.5)] = 1.0
    mismatch: Literal["finding", "refuse"] = "finding"
    exit_without_entry: Literal["refuse", "open", "stay"] | None = None
    close_after_s: Annotated[int, Meta(ge=0, le=366 * 86_400)] = 0

    def __post_init__(self) -> None:
        if 0 < self.close_after_s < 3600:
            raise ValueError("close_after_s: at least 3600, or 0 for never: cars are still in")
        for lane in self.lanes:
            reader, _, number = lane.rpartition("/")
            if not reader or not number.isdecimal():
                raise ValueError(f'lanes: "{lane[:64]}" is no lane: write it as "reader/number"')
