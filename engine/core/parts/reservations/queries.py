"""The queries about reservations."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from liftgate.configs.schema import SpotClass
from liftgate.engine.core.model import Lot
from liftgate.engine.core.order_args import Kind, OrderRefused, TokenBytes
from liftgate.engine.core.parts.base import Reply
from liftgate.engine.core.parts.reservations.book import WAITING, Reservation
from liftgate.engine.core.parts.reservations.orders import Area, Time, switched_on
from liftgate.engine.core.parts.reservations.room import Room, capacity, limit

SHOWN = 50
"""In an answer that must fit a frame, each with a token of up to 512 bytes."""


class AskReservations(msgspec.Struct, forbid_unknown_fields=True):
    """Of a credential (kind, token), of a code, or all that touch a time; the first 50 by their begin."""

    kind: Kind | None = None
    token: TokenBytes | None = None
    code: TokenBytes | None = None
    from_ms: Time = 0
    to_ms: Time = 253_370_764_800_000


class AskAvailability(msgspec.Struct, forbid_unknown_fields=True):
    """What is left of a class in an area for all of a time."""

    area: Area
    spot_class: SpotClass
    from_ms: Time
    to_ms: Time


def _reservations(lot: Lot, args: AskReservations) -> Reply:
    try:
        part, _ = switched_on(lot)
    except OrderRefused as refused:
        return False, refused.code, {"text": refused.text}
    book = part.book
    among: Iterable[Reservation] = book.all.values()
    if args.kind is not None and args.token is not None:
        among = book.by_credential.get(bytes((args.kind,)) + args.token, ())
    elif args.code is not None:
        among = [found for found in among if found.code == args.code]
    touching = [found for found in among if found.from_ms < args.to_ms and args.from_ms < found.to_ms]
    touching.sort(key=lambda found: found.order)
    line = {found.id: place for place, found in enumerate(book.waiting(), 1)}
    rows = [_row(found, line.get(found.id, 0)) for found in touching[:SHOWN]]
    return True, "", {"count": len(touching), "reservations": rows, "ended": book.ended}


def _row(found: Reservation, place: int) -> dict[str, Any]:
    row = {
        "reservation": found.id,
        "state": found.state,
        "credential": found.credential,
        "code": found.code,
        "area": found.area,
        "spot_class": found.spot_class,
        "spot": found.spot,
        "from_ms": found.from_ms,
        "to_ms": found.to_ms,
        "held_percent": found.percent,
        "session": found.session,
    }
    if found.state == WAITING:
        row["place"] = place
    if found.offer_until_ms:
        row["offer_until_ms"] = found.offer_until_ms
    return row


def _availability(lot: Lot, args: AskAvailability) -> Reply:
    try:
        part, rules = switched_on(lot)
    except OrderRefused as refused:
        return False, refused.code, {"text": refused.text}
    if args.area not in lot.areas:
        return False, "no_such_area", {"text": f"no area {args.area!r} in this lot"}
    if args.from_ms >= args.to_ms:
        return False, "bad_args", {"text": "from_ms comes before to_ms"}
    most = limit(lot, rules, args.area, args.spot_class)
    promised = Room(part.book, args.area, args.spot_class).densest(args.from_ms, args.to_ms)
    holds = part.holds.by_area.get(args.area)
    held = 0 if holds is None else holds.places(args.spot_class) + holds.kept.get(args.spot_class, 0)
    return (
        True,
        "",
        {
            "capacity": capacity(lot, args.area, args.spot_class),
            "limit": most,
            "promised": promised,
            "left": max(most - promised, 0),
            "held_now": held,
        },
    )


QUERIES: dict[str, tuple[type[Any], Callable[[Lot, Any], Reply]]] = {
    "reservations": (AskReservations, _reservations),
    "availability": (AskAvailability, _availability),
}
