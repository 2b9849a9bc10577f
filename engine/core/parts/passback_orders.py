"""Anti-passback reset for many: a list, a group, the whole lot."""

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from liftgate.codecs.events.passback import PassbacksReset
from liftgate.engine.core.model import Lot
from liftgate.engine.core.order_args import Actor, Kind, OrderRefused, TokenBytes, Words
from liftgate.engine.core.parts.base import Done

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order

TOKENS_BYTES_MAX = 20_000
"""Of one order: its event is atomic and must fit a record."""


class OfToken(msgspec.Struct, forbid_unknown_fields=True):
    """A credential: kind as in SCAN, token its bytes."""

    kind: Kind
    token: TokenBytes

    @property
    def credential(self) -> bytes:
        return bytes((self.kind,)) + self.token


class ResetPassbacks(msgspec.Struct, forbid_unknown_fields=True):
    """Believe no more where many cars are: one of `credentials`, a `group`, the `whole` lot."""

    actor: Actor
    credentials: Annotated[tuple[OfToken, ...], Meta(max_length=1000)] = ()
    group: Annotated[str, Meta(max_length=64)] = ""
    whole: bool = False
    reason: Words = ""


def reset_events(lot: Lot, order: "Order", args: ResetPassbacks, until_ms: int) -> Done:
    """One event. until_ms: until when the whole lot's reset lets out who has no stay."""
    if (args.credentials != ()) + (args.group != "") + args.whole != 1:
        raise OrderRefused("bad_args", "name credentials, a group or the whole lot: one of the three")
    credentials = tuple(named.credential for named in args.credentials)
    if args.group:
        credentials = members_of(lot, args.group)
    if sum(len(credential) for credential in credentials) > TOKENS_BYTES_MAX:
        raise OrderRefused("too_large", f"credentials of one order take at most {TOKENS_BYTES_MAX} bytes")
    known = lot.stays.values() if args.whole else filter(None, map(lot.stays.get, credentials))
    body = {"credentials": len(credentials), "inside": sum(stay.area is not None for stay in known)}
    event = PassbacksReset(
        lot.id,
        lot.seq + 1,
        order.now_ms,
        credentials,
        args.group,
        args.whole,
        until_ms if args.whole else 0,
        args.actor,
        args.reason,
    )
    return [event], body


def members_of(lot: Lot, group: str) -> tuple[bytes, ...]:
    """The credentials of a group of the lot's entitlements. Raises OrderRefused."""
    part = lot.parts.get("entitlements")
    found = tuple(part.members(group)) if part is not None else ()
    if not found:
        raise OrderRefused("no_such_group", f"no group {group!r} with members in this lot")
    return found
