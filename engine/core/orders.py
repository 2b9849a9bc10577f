"""COMMANDs of services: each is done once, and answered alike when it comes again.

An order that is refused is journalled too (CommandDone with its code), so that its repetition gets the
same answer even when it would be possible by then.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from liftgate.codecs.events import operators as op
from liftgate.configs.rules import mistakes
from liftgate.engine.core.commands import Order
from liftgate.engine.core.model import Lot
from liftgate.engine.core.order_args import (
    TEXT_MAX,
    Actor,
    Kind,
    OfCredential,
    OrderRefused,
    TokenBytes,
    Words,
    lane_of,
)
from liftgate.engine.core.parts import PARTS
from liftgate.engine.core.parts.base import Done


class CorrectCount(msgspec.Struct, forbid_unknown_fields=True):
    """Set an area's count of the cars in it (inner areas apart). `to` >= 0."""

    area: str
    to: Annotated[int, Meta(ge=0, le=10_000_000)]
    actor: Actor
    reason: Words


class ShowText(msgspec.Struct, forbid_unknown_fields=True):
    """Show a text at a lane."""

    reader: str
    lane: int
    text: Words
    seconds: Annotated[int, Meta(ge=1, le=3600)]
    actor: Actor


class DenyCredential(OfCredential):
    """Keep a credential out of the lot from now on; who is inside may leave."""


class AllowCredential(OfCredential):
    """Take a credential off the deny list."""


class ForgetCredential(OfCredential):
    """Undo register_credential."""


class ResetPassback(OfCredential):
    """Stop believing where a credential's car is: its next sighting is taken, in or out."""


class RegisterCredential(msgspec.Struct, forbid_unknown_fields=True):
    """Make a credential known, for spots of these classes in order of preference."""

    kind: Kind
    token: TokenBytes
    actor: Actor
    classes: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=32)], ...], Meta(max_length=8)] = (
        "standard",
    )


class SetRules(msgspec.Struct, forbid_unknown_fields=True):
    """Set the rules of the themes named (`configs/rules`); null takes a theme's rules away. Others stay."""

    rules: dict[str, dict[str, Any] | None]
    actor: Actor
    reason: Words = ""


RULES_BYTES_MAX = 40_000
"""All rules of a lot are one event, which must fit a record."""


def _reached(lot: Lot, order: Order, reader: str, lane: int) -> None:
    lane_of(lot, reader, lane)
    if not order.reachable:
        raise OrderRefused("reader_away", f"reader {reader!r} is not connected")


def _correct_count(lot: Lot, order: Order, args: CorrectCount) -> Done:
    area = lot.areas.get(args.area)
    if area is None:
        raise OrderRefused("no_such_area", f"no area {args.area!r} in this lot")
    before = area.inside + area.adrift
    event = op.CountCorrected(
        lot.id, lot.seq + 1, order.now_ms, area.id, before, args.to, args.actor, args.reason
    )
    return [event], {"before": before, "after": args.to}


def _display(lot: Lot, order: Order, args: ShowText) -> Done:
    _reached(lot, order, args.reader, args.lane)
    event = op.TextShown(
        lot.id, lot.seq + 1, order.now_ms, args.reader, args.lane, args.text, args.seconds, args.actor
    )
    return [event], {}


def _deny(lot: Lot, order: Order, args: OfCredential) -> Done:
    inside = args.credential in lot.stays
    event = op.CredentialDenied(lot.id, lot.seq + 1, order.now_ms, args.credential, args.actor, args.reason)
    return [event], {"inside": inside}


def _allow(lot: Lot, order: Order, args: OfCredential) -> Done:
    if args.credential not in lot.denied:
        raise OrderRefused("not_denied", "the credential is not on the deny list")
    event = op.CredentialAllowed(lot.id, lot.seq + 1, order.now_ms, args.credential, args.actor, args.reason)
    return [event], {}


def _register(lot: Lot, order: Order, args: RegisterCredential) -> Done:
    credential = bytes((args.kind,)) + args.token
    event = op.CredentialRegistered(lot.id, lot.seq + 1, order.now_ms, credential, args.classes, args.actor)
    return [event], {"new": credential not in lot.known}


def _forget(lot: Lot, order: Order, args: OfCredential) -> Done:
    if args.credential not in lot.known:
        raise OrderRefused("not_known", "the credential is not registered")
    event = op.CredentialForgotten(lot.id, lot.seq + 1, order.now_ms, args.credential, args.actor)
    return [event], {}


def _reset_passback(lot: Lot, order: Order, args: OfCredential) -> Done:
    inside = args.credential in lot.stays
    event = op.PassbackReset(lot.id, lot.seq + 1, order.now_ms, args.credential, args.actor, args.reason)
    return [event], {"inside": inside}


def _set_rules(lot: Lot, order: Order, args: SetRules) -> Done:
    rules = {name: data for name, data in {**lot.rules, **args.rules}.items() if data is not None}
    if wrong := mistakes(rules):
        raise OrderRefused("bad_rules", "; ".join(f"{name}: {why}" for name, why in wrong))
    if len(msgspec.msgpack.encode(rules)) > RULES_BYTES_MAX:
        raise OrderRefused("too_large", f"a lot's rules take at most {RULES_BYTES_MAX} bytes")
    event = op.RulesSet(lot.id, lot.seq + 1, order.now_ms, rules, args.actor, args.reason)
    return [event], {"themes": sorted(rules)}


ORDERS: dict[str, tuple[type[Any], Callable[[Lot, Order, Any], Done]]] = {
    "correct_count": (CorrectCount, _correct_count),
    "display": (ShowText, _display),
    "deny_credential": (DenyCredential, _deny),
    "allow_credential": (AllowCredential, _allow),
    "register_credential": (RegisterCredential, _register),
    "forget_credential": (ForgetCredential, _forget),
    "reset_passback": (ResetPassback, _reset_passback),
    "set_rules": (SetRules, _set_rules),
}
for _part in PARTS:
    ORDERS.update(_part.ORDERS)


def obey(lot: Lot, order: Order) -> tuple[op.OperatorEvent, ...]:
    """The order's events, CommandDone last; none for an id that was answered before."""
    if order.id in lot.outcomes:
        return ()
    try:
        events, body = _carry_out(lot, order)
        ok, code = True, ""
    except OrderRefused as refused:
        events, body, ok, code = [], {"text": refused.text[:TEXT_MAX]}, False, refused.code
    seq = lot.seq + len(events) + 1
    done = op.CommandDone(lot.id, seq, order.now_ms, order.id, order.service, order.name, ok, code, body)
    return (*events, done)


def _carry_out(lot: Lot, order: Order) -> Done:
    known = ORDERS.get(order.name)
    if known is None:
        raise OrderRefused("unknown_command", f"no command {order.name!r}")
    shape, carry_out = known
    try:
        args = msgspec.convert(order.args, shape)
    except msgspec.ValidationError as error:
        raise OrderRefused("bad_args", str(error)) from error
    return carry_out(lot, order, args)
