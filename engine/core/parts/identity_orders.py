"""What attendants order where a credential no longer says whose car it is, and what they can ask."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from liftgate.codecs.events.operators import CredentialDenied, OperatorEvent
from liftgate.codecs.events.passback import CarNamed, CredentialSwapped, StayClosed, TicketLost
from liftgate.configs.rules.identity import IdentityRules
from liftgate.engine.core.model import Lot, Stay
from liftgate.engine.core.order_args import Actor, OfCredential, OrderRefused, Words
from liftgate.engine.core.parts.base import Done, Reply
from liftgate.engine.core.parts.passback_orders import OfToken
from liftgate.engine.core.parts.plates import edits, normal, plate_of
from liftgate.engine.core.reads import new_session

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order

LISTED_MAX = 5
"""Stays that an ambiguous description is answered with, so that the answer fits a text."""

Cause = Annotated[str, Meta(min_length=1, max_length=256)]
Ms = Annotated[int, Meta(ge=0, le=1 << 52)]


class LostTicket(msgspec.Struct, forbid_unknown_fields=True):
    """Let a stay go on under `replacement`, or end it where none is given; its credential is denied then.

    The stay is the one of `session`, of `credential`, or the only one that fits `plate` and `entered_at_ms`
    (give or take `within_s`). create: where none fits, begin one in `area` (the outermost) on the attendant's
    word.
    """

    actor: Actor
    cause: Cause
    session: Annotated[bytes, Meta(min_length=16, max_length=16)] | None = None
    credential: OfToken | None = None
    plate: Annotated[str, Meta(max_length=64)] = ""
    entered_at_ms: Ms | None = None
    within_s: Annotated[int, Meta(ge=1, le=86_400)] = 300
    replacement: OfToken | None = None
    create: bool = False
    area: Annotated[str, Meta(max_length=64)] = ""


class SwapCredential(msgspec.Struct, forbid_unknown_fields=True):
    """Let the stay of `before` go on under `after`; both stay as permitted as they were."""

    before: OfToken
    after: OfToken
    actor: Actor
    reason: Words = ""


class EnteredBefore(msgspec.Struct, forbid_unknown_fields=True):
    """args of open_stays: those that began before this time, at most so many."""

    entered_before_ms: Ms
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class NoArgs(msgspec.Struct, forbid_unknown_fields=True):
    """No args."""


def closed(lot: Lot, stay: Stay, seq: int, at_ms: int, cause: str, actor: str) -> StayClosed:
    """The event that ends a stay without an exit."""
    area = None if stay.area is None else stay.area.id
    spot, since = stay.spot_name(), stay.entered_at_ms
    return StayClosed(lot.id, seq, at_ms, stay.session, stay.credential, area, spot, since, cause, actor)


def _lost_ticket(lot: Lot, order: "Order", args: LostTicket) -> Done:
    replacement = None if args.replacement is None else _unused(lot, args.replacement.credential)
    found = _described(lot, args)
    if len(found) > 1:
        raise OrderRefused("ambiguous", "more than one stay fits: " + "; ".join(map(_words, found)))
    if not found and args.create:
        return _on_word(lot, order, args, replacement)
    if not found:
        raise OrderRefused("no_stay", "no open stay fits")
    stay = found[0]
    events: list[OperatorEvent] = [
        TicketLost(
            lot.id,
            lot.seq + 1,
            order.now_ms,
            stay.session,
            stay.credential,
            replacement,
            stay.entered_at_ms,
            args.cause,
            args.actor,
        ),
        CredentialDenied(
            lot.id, lot.seq + 2, order.now_ms, stay.credential, args.actor, f"lost: {args.cause}"
        ),
    ]
    return events, {**_stay_body(stay), "ended": replacement is None}


def _described(lot: Lot, args: LostTicket) -> list[Stay]:
    """The open stays that fit, at most LISTED_MAX."""
    if args.credential is not None:
        stay = lot.stays.get(args.credential.credential)
        return [] if stay is None else [stay]
    if args.session is None and not args.plate and args.entered_at_ms is None:
        raise OrderRefused("bad_args", "name the session, the credential, the plate or the time of entry")
    found: list[Stay] = []
    for stay in lot.stays.values():
        if _fits(lot, stay, args):
            found.append(stay)
            if len(found) == LISTED_MAX:
                break
    return found


def _fits(lot: Lot, stay: Stay, args: LostTicket) -> bool:
    if stay.area is None or (args.session is not None and args.session != stay.session):
        return False
    if args.entered_at_ms is not None and abs(stay.entered_at_ms - args.entered_at_ms) > args.within_s * 1000:
        return False
    return not args.plate or _is_plate(lot, stay, args.plate)


def _is_plate(lot: Lot, stay: Stay, plate: str) -> bool:
    known, rules = plate_of(stay), lot.parts["identity"].rules or IdentityRules()
    return known is not None and edits(known, normal(plate.encode())) <= rules.edits_max


def _words(stay: Stay) -> str:
    return f"session {stay.session.hex()} entered at {stay.entered_at_ms}, plate {plate_of(stay) or '?'}"


def _on_word(lot: Lot, order: "Order", args: LostTicket, replacement: bytes | None) -> Done:
    """Nobody saw the car come in, or nobody can say which it was: it gets a stay of its own."""
    area = lot.areas.get(args.area) if args.area else lot.outermost
    if area is None:
        raise OrderRefused("no_such_area", f"no area {args.area!r} in this lot")
    if replacement is None or args.entered_at_ms is None or args.entered_at_ms > order.now_ms:
        raise OrderRefused(
            "bad_args", "to create a stay, name its replacement and a time of entry in the past"
        )
    notes: dict[str, Any] = {"unknown_entry": True}
    if args.plate:
        notes["plate"] = normal(args.plate.encode())
    session = new_session(lot, order.now_ms)
    event = CarNamed(
        lot.id,
        lot.seq + 1,
        order.now_ms,
        session,
        replacement,
        area.id,
        args.entered_at_ms,
        notes,
        args.cause,
        args.actor,
    )
    return [event], {
        "session": session,
        "entered_at_ms": args.entered_at_ms,
        "area": area.id,
        "created": True,
    }


def _unused(lot: Lot, credential: bytes) -> bytes:
    """The credential, if a stay may go on under it. Raises OrderRefused."""
    if credential in lot.stays:
        raise OrderRefused("has_stay", "that credential has an open stay")
    if credential in lot.denied:
        raise OrderRefused("denied", "that credential is on the deny list")
    return credential


def _stay_of(lot: Lot, credential: bytes) -> Stay:
    stay = lot.stays.get(credential)
    if stay is None:
        raise OrderRefused("no_stay", "the credential has no open stay")
    return stay


def _stay_body(stay: Stay) -> dict[str, Any]:
    area = None if stay.area is None else stay.area.id
    return {
        "session": stay.session,
        "entered_at_ms": stay.entered_at_ms,
        "area": area,
        "spot": stay.spot_name(),
    }


def _swap(lot: Lot, order: "Order", args: SwapCredential) -> Done:
    stay = _stay_of(lot, args.before.credential)
    after = _unused(lot, args.after.credential)
    event = CredentialSwapped(
        lot.id,
        lot.seq + 1,
        order.now_ms,
        stay.session,
        stay.credential,
        after,
        args.actor,
        args.reason,
    )
    return [event], _stay_body(stay)


class CloseStay(OfCredential, forbid_unknown_fields=True):
    """End the open stay of a credential: its car left unseen. Its spot is free, and it counts no more."""


def _close(lot: Lot, order: "Order", args: CloseStay) -> Done:
    stay = _stay_of(lot, args.credential)
    event = closed(lot, stay, lot.seq + 1, order.now_ms, args.reason or "closed by hand", args.actor)
    return [event], _stay_body(stay)


def open_stays(lot: Lot, args: EnteredBefore) -> Reply:
    """Stays that began before a time, oldest first: what `close_after_s` closes, or a person looks at."""
    early = [stay for stay in lot.stays.values() if stay.entered_at_ms < args.entered_before_ms]
    early.sort(key=lambda stay: stay.entered_at_ms)
    stays = [{**_stay_body(stay), "kind": stay.credential[0]} for stay in early[: args.limit]]
    return True, "", {"count": len(early), "stays": stays}


def lost_credentials(lot: Lot, args: NoArgs) -> Reply:
    """The credentials last reported lost, newest first, at most 100."""
    newest = list(reversed(lot.parts["identity"].lost.items()))
    lost = [{"kind": name[0], "token": name[1:], "at_ms": at_ms} for name, at_ms in newest[:100]]
    return True, "", {"count": len(newest), "lost": lost}


ORDERS: dict[str, Any] = {
    "lost_ticket": (LostTicket, _lost_ticket),
    "swap_credential": (SwapCredential, _swap),
    "close_stay": (CloseStay, _close),
}
QUERIES: dict[str, Any] = {
    "open_stays": (EnteredBefore, open_stays),
    "lost_credentials": (NoArgs, lost_credentials),
}
