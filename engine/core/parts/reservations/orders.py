"""The orders about reservations."""

from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from msgspec import Meta

from liftgate.codecs.events import reservations as ev
from liftgate.configs.rules.reservations import Reservations
from liftgate.configs.schema import SpotClass
from liftgate.engine.core.model import Lot
from liftgate.engine.core.order_args import Actor, Kind, OrderRefused, TokenBytes, Words
from liftgate.engine.core.parts.base import CarryOut, Done
from liftgate.engine.core.parts.reservations.book import (
    ARRIVING,
    INSIDE,
    OFFERED,
    THEME,
    WAITING,
    Reservation,
)
from liftgate.engine.core.parts.reservations.holds import block_key
from liftgate.engine.core.parts.reservations.room import Room, capacity, limit

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order
    from liftgate.engine.core.parts.reservations.part import ReservationsPart

RESERVATIONS_MAX = 10_000
"""Of a lot, some 400 bytes each, all looked at in an order: milliseconds. One more is refused."""

OF_ONE_MAX = 16
"""Of one credential or code: each scan of it asks them all."""

LONGEST_MS = 366 * 86_400_000

Time = Annotated[int, Meta(ge=0, le=253_370_764_800_000)]
Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
Area = Annotated[str, Meta(max_length=64)]


class Reserve(msgspec.Struct, forbid_unknown_fields=True):
    """Reserve a place from from_ms to to_ms (Unix ms, the end not part of it).

    For a credential (kind, token), or a code: the token alone, which becomes the reservation of the first
    credential that shows it. spot: one spot by name, else any of spot_class in area (left out: the only area
    that has the class). wait: go on the waiting list where it does not fit.
    """

    from_ms: Time
    to_ms: Time
    actor: Actor
    kind: Kind | None = None
    token: TokenBytes | None = None
    code: TokenBytes | None = None
    spot_class: SpotClass = "standard"
    spot: Annotated[str, Meta(max_length=64)] = ""
    area: Area = ""
    wait: bool = False
    reason: Words = ""


class ChangeReservation(msgspec.Struct, forbid_unknown_fields=True):
    """Change a reservation's times or its credential; what is left out stays. Once the car came: its end."""

    reservation: Id
    actor: Actor
    from_ms: Time | None = None
    to_ms: Time | None = None
    kind: Kind | None = None
    token: TokenBytes | None = None
    reason: Words = ""


class CancelReservation(msgspec.Struct, forbid_unknown_fields=True):
    """Give a reservation up, or leave the waiting list."""

    reservation: Id
    actor: Actor
    reason: Words = ""


class AcceptOffer(msgspec.Struct, forbid_unknown_fields=True):
    """Take the place that was offered to a reservation on the waiting list."""

    reservation: Id
    actor: Actor


def switched_on(lot: Lot) -> tuple["ReservationsPart", Reservations]:
    """The part and its rules. Raises OrderRefused."""
    part = cast("ReservationsPart | None", lot.parts.get(THEME))
    if part is None or part.rules is None:
        raise OrderRefused("not_configured", "this lot has no rules for reservations")
    return part, part.rules


def _the(part: "ReservationsPart", id: bytes) -> Reservation:
    found = part.book.all.get(id)
    if found is None:
        raise OrderRefused("no_such_reservation", "no reservation of this id, or it is over")
    return found


def _credential(kind: int | None, token: bytes | None) -> bytes | None:
    if (kind is None) != (token is None):
        raise OrderRefused("bad_args", "kind and token belong together")
    return None if kind is None or token is None else bytes((kind,)) + token


def _check_times(order: "Order", from_ms: int, to_ms: int) -> None:
    if from_ms >= to_ms or to_ms - from_ms > LONGEST_MS:
        raise OrderRefused("bad_args", "from_ms comes before to_ms, by at most 366 days")
    if to_ms <= order.now_ms:
        raise OrderRefused("over_already", "the reservation would be over already")


def _place(lot: Lot, args: Reserve) -> tuple[str, str, str]:
    """Area, class and spot that are asked for."""
    if args.spot:
        return _named(lot, args.spot)
    having = [id for id in lot.areas if capacity(lot, id, args.spot_class)]
    if args.area and args.area not in lot.areas:
        raise OrderRefused("no_such_area", f"no area {args.area!r} in this lot")
    if (args.area and args.area not in having) or not having:
        raise OrderRefused("no_such_class", f"no spots of class {args.spot_class} there")
    if not args.area and len(having) > 1:
        raise OrderRefused("bad_args", f"several areas have that class, name one: {', '.join(having)}")
    return args.area or having[0], args.spot_class, ""


def _named(lot: Lot, spot: str) -> tuple[str, str, str]:
    block = lot.blocks.get(block_key(spot))
    number = spot.rpartition("-")[2]
    well_formed = number.isascii() and number.isdigit() and len(number) <= 9
    if block is None or block.free is None or not well_formed or not 1 <= int(number) <= block.count:
        raise OrderRefused("no_such_spot", f"no spot {spot!r} that this lot could give")
    return block.area.id, block.spot_class, block.name(int(number))


def _check_bounds(part: "ReservationsPart", order: "Order", credential: bytes | None, code: bytes) -> None:
    book = part.book
    if order.id in book.all:
        raise OrderRefused("id_taken", "this id is another reservation's")
    if len(book.all) >= RESERVATIONS_MAX:
        raise OrderRefused("too_many", f"at most {RESERVATIONS_MAX} reservations in a lot")
    _check_own(
        len(book.by_code.get(code, ()) if credential is None else book.by_credential.get(credential, ()))
    )


def _check_own(count: int) -> None:
    if count >= OF_ONE_MAX:
        raise OrderRefused("too_many", f"at most {OF_ONE_MAX} reservations of one credential or code")


def _reserve(lot: Lot, order: "Order", args: Reserve) -> Done:
    part, rules = switched_on(lot)
    credential = _credential(args.kind, args.token)
    if (credential is None) == (args.code is None):
        raise OrderRefused("bad_args", "name a credential (kind and token) or a code")
    _check_times(order, args.from_ms, args.to_ms)
    asked = Reservation(
        order.id, credential, args.code or b"", *_place(lot, args), args.from_ms, args.to_ms,
        rules.early_s * 1000, rules.late_s * 1000, rules.leave_s * 1000, 0, WAITING,
    )  # fmt: skip
    if asked.closes_ms <= order.now_ms:
        raise OrderRefused("over_already", "the car would have had to come by now")
    _check_bounds(part, order, credential, asked.code)
    waits = not _fits(part, rules, asked)
    place = len(part.book.waiting()) + 1 if waits else 0
    if waits and not args.wait:
        raise OrderRefused("sold_out", f"no place of class {asked.spot_class} is left for all of that time")
    if waits and place > rules.waiting_max:
        raise OrderRefused("too_many", f"at most {rules.waiting_max} may wait")
    percent = 0 if waits else asked.percent_at(rules, order.now_ms)
    event = ev.ReservationMade(
        lot.id, lot.seq + 1, order.now_ms, asked.id, credential, asked.code, asked.area, asked.spot_class,
        asked.spot, asked.from_ms, asked.to_ms, asked.early_ms, asked.late_ms, asked.leave_ms, waits,
        percent, args.actor, args.reason,
    )  # fmt: skip
    body: dict[str, Any] = {"reservation": asked.id, "outcome": "waiting" if waits else "booked"}
    return [event], body | ({"place": place} if waits else {})


def _fits(part: "ReservationsPart", rules: Reservations, asked: Reservation) -> bool:
    room = Room(part.book, asked.area, asked.spot_class, but=asked.id)
    return room.fits(asked, limit(part.lot, rules, asked.area, asked.spot_class))


def _change(lot: Lot, order: "Order", args: ChangeReservation) -> Done:
    part, rules = switched_on(lot)
    found = _the(part, args.reservation)
    credential = _credential(args.kind, args.token) or found.credential
    from_ms = found.from_ms if args.from_ms is None else args.from_ms
    to_ms = found.to_ms if args.to_ms is None else args.to_ms
    if found.state in (ARRIVING, INSIDE) and (from_ms, credential) != (found.from_ms, found.credential):
        raise OrderRefused("has_arrived", "the car is here: only the end can be changed")
    _check_times(order, from_ms, to_ms)
    asked = msgspec.structs.replace(found, from_ms=from_ms, to_ms=to_ms)
    if found.state not in (ARRIVING, INSIDE) and asked.closes_ms <= order.now_ms:
        raise OrderRefused("over_already", "the car would have had to come by now")
    if credential is not None and credential != found.credential:
        _check_own(len(part.book.by_credential.get(credential, ())))
    if found.state != WAITING and not _fits(part, rules, asked):
        raise OrderRefused("sold_out", "that does not fit; the reservation stays as it was")
    percent = 0 if found.state == WAITING else asked.percent_at(rules, order.now_ms)
    event = ev.ReservationChanged(
        lot.id, lot.seq + 1, order.now_ms, found.id, credential, from_ms, to_ms, percent,
        args.actor, args.reason,
    )  # fmt: skip
    return [event], {"from_ms": from_ms, "to_ms": to_ms}


def _cancel(lot: Lot, order: "Order", args: CancelReservation) -> Done:
    part, _ = switched_on(lot)
    found = _the(part, args.reservation)
    if found.state in (ARRIVING, INSIDE):
        raise OrderRefused("has_arrived", "the car is here")
    event = ev.ReservationCancelled(lot.id, lot.seq + 1, order.now_ms, found.id, args.actor, args.reason)
    return [event], {"was": found.state}


def _accept(lot: Lot, order: "Order", args: AcceptOffer) -> Done:
    part, _ = switched_on(lot)
    found = _the(part, args.reservation)
    if found.state != OFFERED or order.now_ms >= found.offer_until_ms:
        raise OrderRefused("no_offer", f"it is {found.state}, and no place is offered to it now")
    event = ev.OfferAccepted(lot.id, lot.seq + 1, order.now_ms, found.id, args.actor)
    return [event], {"from_ms": found.from_ms, "to_ms": found.to_ms}


ORDERS: dict[str, tuple[type[Any], CarryOut]] = {
    "reserve": (Reserve, _reserve),
    "change_reservation": (ChangeReservation, _change),
    "cancel_reservation": (CancelReservation, _cancel),
    "accept_offer": (AcceptOffer, _accept),
}
