"""What operators order of keys, and what they can ask of them."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from liftgate.codecs.events.operators import RulesSet
from liftgate.configs.rules import mistakes
from liftgate.engine.core.model import Lot
from liftgate.engine.core.order_args import Actor, OrderRefused, Words
from liftgate.engine.core.parts.base import Done, Reply

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order

THEME = "tickets"

Kid = Annotated[str, Meta(min_length=1, max_length=16)]
Moment = Annotated[str, Meta(max_length=40)]


class AddTicketKey(msgspec.Struct, forbid_unknown_fields=True):
    """Have one more key vouch for tickets, from now or from `not_before`; others go on. It switches tickets
    on where the lot has none.
    """

    kid: Kid
    actor: Actor
    public: Annotated[str, Meta(max_length=64)] = ""
    alg: Literal["ed25519", "hmac"] = "ed25519"
    not_before: Moment | None = None
    not_after: Moment | None = None
    reason: Words = ""


class RetireTicketKey(msgspec.Struct, forbid_unknown_fields=True):
    """Let a key vouch no more from `not_after` on; without it, take it away now with all its tickets."""

    kid: Kid
    actor: Actor
    not_after: Moment | None = None
    reason: Words = ""


class NoArgs(msgspec.Struct, forbid_unknown_fields=True):
    """No args."""


class OfTicket(msgspec.Struct, forbid_unknown_fields=True):
    """args of ticket: its cti."""

    cti: Annotated[bytes, Meta(min_length=8, max_length=8)]


def _add(lot: Lot, order: "Order", args: AddTicketKey) -> Done:
    keys = _keys(lot)
    if any(key["kid"] == args.kid for key in keys):
        raise OrderRefused("has_key", f"key {args.kid!r} is there already")
    fields = ("kid", "alg", "public", "not_before", "not_after")
    said = {name: value for name in fields if (value := getattr(args, name))}
    return _set(lot, order, [*keys, said], args.actor, args.reason)


def _retire(lot: Lot, order: "Order", args: RetireTicketKey) -> Done:
    keys = _keys(lot)
    if all(key["kid"] != args.kid for key in keys):
        raise OrderRefused("no_key", f"no key {args.kid!r} in this lot")
    kept = [key for key in keys if key["kid"] != args.kid or args.not_after is not None]
    kept = [key | {"not_after": args.not_after} if key["kid"] == args.kid else key for key in kept]
    return _set(lot, order, kept, args.actor, args.reason)


def _keys(lot: Lot) -> list[dict[str, Any]]:
    return list(lot.rules.get(THEME, {}).get("keys", ()))


def _set(lot: Lot, order: "Order", keys: list[dict[str, Any]], actor: str, reason: str) -> Done:
    """The lot's rules with these keys. They are rules like others: whoever reads the journal finds one kind
    of event for all that changed them.
    """
    rules = {**lot.rules, THEME: {**lot.rules.get(THEME, {}), "keys": keys}}
    if wrong := mistakes(rules):
        raise OrderRefused("bad_rules", "; ".join(f"{name}: {why}" for name, why in wrong))
    event = RulesSet(lot.id, lot.seq + 1, order.now_ms, rules, actor, reason)
    return [event], {"keys": [key["kid"] for key in keys]}


def ticket_keys(lot: Lot, args: NoArgs) -> Reply:
    """The keys that vouch for tickets and tags here, and how much is remembered of both."""
    rules, part = lot.rules.get(THEME), lot.parts[THEME]
    tags = None if rules is None else rules.get("tags")
    body = {"on": rules is not None, "keys": _keys(lot), "tags": tags}
    return True, "", body | {"used": len(part.used), "tags_heard": len(part.counters)}


def ticket(lot: Lot, args: OfTicket) -> Reply:
    """Whether a ticket was used here, is on the deny list, and has a car inside."""
    credential = b"\x01" + args.cti
    stay, part = lot.stays.get(credential), lot.parts[THEME]
    body = {"used": args.cti in part.used, "denied": lot.denied.get(credential)}
    return True, "", body | {"inside": stay is not None and stay.area is not None}


ORDERS: dict[str, Any] = {
    "add_ticket_key": (AddTicketKey, _add),
    "retire_ticket_key": (RetireTicketKey, _retire),
}
QUERIES: dict[str, Any] = {"ticket_keys": (NoArgs, ticket_keys), "ticket": (OfTicket, ticket)}
