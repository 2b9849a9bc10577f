"""What the orders about passes and groups take."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from liftgate.configs.rules.hours import Window
from liftgate.configs.schema import SpotClass
from liftgate.engine.core.order_args import Actor, Kind, TokenBytes, Words

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
When = Annotated[str, Meta(max_length=20)] | Annotated[int, Meta(ge=0, le=253_370_764_800_000)] | None
"""Unix ms, or a date "2026-12-31" of the lot; null: open."""

Uses = Annotated[int, Meta(ge=1, le=1_000_000)] | None
Weekly = Annotated[tuple[Window, ...], Meta(max_length=21)]
AreaNames = Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=64)]
SpotClasses = Annotated[tuple[SpotClass, ...], Meta(max_length=6)]
Host = Annotated[str, Meta(max_length=128)]


class Credential(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """kind as in SCAN, token its bytes."""

    kind: Kind
    token: TokenBytes


Credentials = Annotated[tuple[Credential, ...], Meta(max_length=1000)]
OfPass = Annotated[tuple[Credential, ...], Meta(min_length=1, max_length=100)]


class IssuePass(msgspec.Struct, forbid_unknown_fields=True):
    """Issue a pass to one credential or several.

    valid_from, valid_until: Unix ms, or dates in the lot of which the last belongs to it; weekly: its times,
    as [{"days": ["mon"], "from": "08:00", "to": "18:00"}], none: always; areas: where it is good, none:
    everywhere; classes: spots it may have, in order; uses: how many entries, 1 for a single-use code; host:
    whom a visitor visits.
    """

    name: Name
    credentials: OfPass
    actor: Actor
    valid_from: When = None
    valid_until: When = None
    weekly: Weekly = ()
    areas: AreaNames = ()
    classes: SpotClasses = ()
    uses: Uses = None
    host: Host = ""
    reason: Words = ""


class ChangePass(msgspec.Struct, forbid_unknown_fields=True):
    """Change what is named of a pass, as in issue_pass; the rest stays, and what was used stays used."""

    name: Name
    actor: Actor
    credentials: OfPass | UnsetType = UNSET
    valid_from: When | UnsetType = UNSET
    valid_until: When | UnsetType = UNSET
    weekly: Weekly | UnsetType = UNSET
    areas: AreaNames | UnsetType = UNSET
    classes: SpotClasses | UnsetType = UNSET
    uses: Uses | UnsetType = UNSET
    host: Host | UnsetType = UNSET
    reason: Words = ""


class RevokePass(msgspec.Struct, forbid_unknown_fields=True):
    """Take a pass back. A car that came in by it may leave."""

    name: Name
    actor: Actor
    reason: Words = ""


class SetGroup(msgspec.Struct, forbid_unknown_fields=True):
    """Make a group or change what is named of it.

    limit: stays at once, null: any number; areas: the same by area; over: "refuse" who is too many, or
    "casual": let in as anybody who pays; add, remove: members.
    """

    name: Name
    actor: Actor
    limit: Annotated[int, Meta(ge=0, le=1_000_000)] | None | UnsetType = UNSET
    areas: Annotated[dict[str, Annotated[int, Meta(ge=0, le=1_000_000)]], Meta(max_length=64)] | UnsetType = (
        UNSET
    )
    over: Literal["refuse", "casual"] | UnsetType = UNSET
    add: Credentials = ()
    remove: Credentials = ()
    reason: Words = ""


class RemoveGroup(msgspec.Struct, forbid_unknown_fields=True):
    """Remove a group with its allotments; its members' credentials keep their passes."""

    name: Name
    actor: Actor
    reason: Words = ""
