"""`[lot.rules.tickets]`: which keys vouch for tickets and tags, and from when until when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Kid = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,16}$")]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,32}$")]
Public = Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{64})?$")]
Moment = Annotated[str, Meta(max_length=40)]

FOREVER_S = 1 << 40
"""A time that does not come, Unix s."""


class TicketKey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key that vouches for tickets.

    alg: "ed25519" with its public key in hex digits, or "hmac", whose key is a secret of the same name
    (`[[lot.secret]]`) and stands in no journal; not_before, not_after: when it vouches, as
    "2026-12-31T23:59:59Z"; unset: always.
    """

    kid: Kid
    alg: Literal["ed25519", "hmac"] = "ed25519"
    public: Public = ""
    not_before: Moment | None = None
    not_after: Moment | None = None

    def __post_init__(self) -> None:
        if (self.alg == "ed25519") != bool(self.public):
            raise ValueError(f"key {self.kid}: ed25519 has a public key, and hmac a secret instead")
        if self.from_s >= self.until_s:
            raise ValueError(f"key {self.kid}: not_after must be later than not_before")

    @property
    def from_s(self) -> int:
        """Unix s."""
        return 0 if self.not_before is None else _seconds(self.not_before)

    @property
    def until_s(self) -> int:
        """Unix s."""
        return FOREVER_S if self.not_after is None else _seconds(self.not_after)


def _seconds(text: str) -> int:
    """Raises ValueError."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f'"{text}" says no time zone: write it as "2026-12-31T23:59:59Z"')
    return max(0, int(found.timestamp()))


class Tags(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """NTAG 424 tags. keys: names of secrets, each a pair of SDMMetaReadKey and SDMFileReadKey, several while
    tags are exchanged; picc, mac, file: names of the URL's parameters, file "" where the tag mirrors no data.
    """

    keys: Annotated[tuple[Kid, ...], Meta(min_length=1, max_length=4)]
    picc: Name = "e"
    mac: Name = "c"
    file: Name = ""


def secrets_named(data: dict[str, Any]) -> list[str]:
    """The secrets that rules of tickets need, as plain data that `Tickets` takes."""
    macs = [key["kid"] for key in data.get("keys", ()) if key.get("alg") == "hmac"]
    return [*macs, *(data.get("tags") or {}).get("keys", ())]


class Tickets(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table switches tickets on: a QR code that says it is one opens only if a key vouches for it."""

    keys: Annotated[tuple[TicketKey, ...], Meta(max_length=16)] = ()
    tags: Tags | None = None

    def __post_init__(self) -> None:
        kids = [key.kid for key in self.keys] + list(self.tags.keys if self.tags is not None else ())
        for kid in kids:
            if kids.count(kid) > 1:
                raise ValueError(f"key {kid} is there twice")
