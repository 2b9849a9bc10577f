"""Orders and questions about reservations: what they should make, answer, and be refused for."""

from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.book import ARRIVING, INSIDE, OFFERED, WAITING, Book, Reservation, closing
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event

_CARD = ("kind?", "token?", "code?")
ORDERS: dict[str, tuple[int, tuple[str, ...]]] = {
    "reserve": (
        r.RESERVED,
        ("from_ms", "to_ms", "actor", *_CARD, "spot_class?", "spot?", "area?", "wait?", "reason?"),
    ),
    "change_reservation": (
        r.RESERVATION_CHANGED,
        ("reservation", "actor", "from_ms?", "to_ms?", "kind?", "token?", "reason?"),
    ),
    "cancel_reservation": (r.RESERVATION_CANCELLED, ("reservation", "actor", "reason?")),
    "accept_offer": (r.OFFER_ACCEPTED, ("reservation", "actor")),
}
"""As orders.ORDERS has them; its tables for all orders do not fit these."""

EVENTS = {type for type, _ in ORDERS.values()}
OF_ONE_MAX = 16
LONGEST_MS = 366 * 86_400_000
SHOWN = 50

_NAMED = ("from_ms", "to_ms", "spot", "spot_class", "area", "code", "actor", "reason")


def effect_of(name: str, args: dict[str, Any]) -> dict[str, Any]:
    """The event that the order should make, as far as its args say it."""
    type, _ = ORDERS[name]
    effect = {field: args[field] for field in _NAMED if field in args and field in r.FIELDS[type]}
    if name == "reserve" and "spot" in args:
        effect.pop("spot_class", None)
        effect.pop("area", None)
    if "token" in args:
        effect["credential"] = r.credential(args["kind"], args["token"])
    if "reservation" in args:
        effect["id"] = args["reservation"]
    return {"type": type} | effect


def result_of(event: Event, lot: Lot) -> dict[str, Any]:
    """The body of the outcome of the order that made this event, by the facts before it."""
    if event["type"] == r.RESERVED:
        outcome = "waiting" if event["waiting"] else "booked"
        place = {"place": len(lot.book.line()) + 1} if event["waiting"] else {}
        return {"reservation": event["id"], "outcome": outcome} | place
    found = lot.book.all.get(event["id"])
    if found is None:
        return {}
    if event["type"] == r.RESERVATION_CANCELLED:
        return {"was": found.state}
    of = event if event["type"] == r.RESERVATION_CHANGED else vars(found)
    return {"from_ms": of["from_ms"], "to_ms": of["to_ms"]}


def true_refusals(name: str, args: dict[str, Any], lot: Lot, now_ms: int) -> set[str]:
    """The codes that may refuse the order."""
    takes = ORDERS[name][1]
    must = {arg for arg in takes if not arg.endswith("?")}
    if not must <= set(args) <= {arg.rstrip("?") for arg in takes}:
        return {"bad_args"}
    if lot.book.rules is None:
        return {"not_configured"}
    if name == "reserve":
        return _not_reserved(args, lot, now_ms)
    found = lot.book.all.get(args["reservation"])
    if found is None:
        return {"no_such_reservation"}
    here = found.state in (ARRIVING, INSIDE)
    if name == "cancel_reservation":
        return {"has_arrived"} if here else set()
    if name == "accept_offer":
        return set() if found.state == OFFERED and now_ms < found.offer_until_ms else {"no_offer"}
    return _not_changed(args, lot.book, found, here, now_ms)


def _not_reserved(args: dict[str, Any], lot: Lot, now_ms: int) -> set[str]:
    book, rules = lot.book, lot.book.rules or {}
    codes = set()
    if ("kind" in args) != ("token" in args) or ("kind" in args) == ("code" in args):
        codes.add("bad_args")
    codes |= _bad_times(args["from_ms"], args["to_ms"], now_ms)
    if closing(args["from_ms"], args["to_ms"], rules["late_s"] * 1000) <= now_ms:
        codes.add("over_already")
    place = place_of(args, lot)
    if isinstance(place, str):
        return codes | {place}
    if not codes and _of_one(args, book) >= OF_ONE_MAX:
        codes.add("too_many")
    if not book.fits(*place, args["from_ms"], args["to_ms"]):
        waits = args.get("wait", False)
        if not waits:
            codes.add("sold_out")
        elif len(book.line()) >= rules["waiting_max"]:
            codes.add("too_many")
    return codes


def _of_one(args: dict[str, Any], book: Book) -> int:
    if "code" in args:
        return sum(found.credential is None and found.code == args["code"] for found in book.all.values())
    return _held_by(book, r.credential(args["kind"], args["token"]))


def _held_by(book: Book, credential: bytes) -> int:
    return sum(found.credential == credential for found in book.all.values())


def place_of(args: dict[str, Any], lot: Lot) -> tuple[str, str, str] | str:
    """Area, class and spot that an order asks for, or the code that refuses it."""
    if args.get("spot"):
        block, _, number = args["spot"].rpartition("-")
        found = lot.layout.blocks.get(block)
        if found is None or not lot.layout.by_spot or not number.isdigit():
            return "no_such_spot"
        if not 1 <= int(number) <= found.size:
            return "no_such_spot"
        return found.area, found.spot_class, found.spot(int(number))
    spot_class, area = args.get("spot_class", "standard"), args.get("area", "")
    having = [each for each in lot.layout.parents if lot.book.capacity(each, spot_class)]
    if area and area not in lot.layout.parents:
        return "no_such_area"
    if not having or (area and area not in having):
        return "no_such_class"
    if not area and len(having) > 1:
        return "bad_args"
    return area or having[0], spot_class, ""


def _bad_times(from_ms: int, to_ms: int, now_ms: int) -> set[str]:
    codes = set()
    if from_ms >= to_ms or to_ms - from_ms > LONGEST_MS:
        codes.add("bad_args")
    if to_ms <= now_ms:
        codes.add("over_already")
    return codes


def _not_changed(args: dict[str, Any], book: Book, found: Reservation, here: bool, now_ms: int) -> set[str]:
    if ("kind" in args) != ("token" in args):
        return {"bad_args"}
    from_ms, to_ms = args.get("from_ms", found.from_ms), args.get("to_ms", found.to_ms)
    credential = r.credential(args["kind"], args["token"]) if "kind" in args else found.credential
    codes = _bad_times(from_ms, to_ms, now_ms)
    if here and (from_ms, credential) != (found.from_ms, found.credential):
        codes.add("has_arrived")
    if not here and closing(from_ms, to_ms, found.late_ms) <= now_ms:
        codes.add("over_already")
    other = credential is not None and credential != found.credential
    if other and credential is not None and _held_by(book, credential) >= OF_ONE_MAX:
        codes.add("too_many")
    place = found.area, found.spot_class, found.spot
    if found.state != WAITING and not book.fits(*place, from_ms, to_ms, found.id):
        codes.add("sold_out")
    return codes


# -- questions


def reservations(lot: Lot, args: dict[str, Any]) -> tuple[bool, str, Any]:
    """The answer to QUERY `reservations`; a refusal's text is not judged."""
    book = lot.book
    if book.rules is None:
        return False, "not_configured", {}
    from_ms, to_ms = args.get("from_ms", 0), args.get("to_ms", 1 << 62)
    found = [each for each in book.all.values() if each.touches(from_ms, to_ms) and _asked_for(each, args)]
    found.sort(key=lambda each: (each.from_ms, each.number))
    rows = [_row(each, book) for each in found[:SHOWN]]
    return True, "", {"count": len(found), "reservations": rows, "ended": dict(book.ended)}


def _asked_for(found: Reservation, args: dict[str, Any]) -> bool:
    if "kind" in args:
        return found.credential == r.credential(args["kind"], args["token"])
    return "code" not in args or found.code == args["code"]


def _row(found: Reservation, book: Book) -> dict[str, Any]:
    names = ("state", "credential", "code", "area", "spot_class", "spot", "from_ms", "to_ms", "session")
    row = {name: getattr(found, name) for name in names}
    row |= {"reservation": found.id, "held_percent": found.percent}
    if found.state == WAITING:
        row["place"] = sum(each.number <= found.number for each in book.line())
    if found.offer_until_ms:
        row["offer_until_ms"] = found.offer_until_ms
    return row


def availability(lot: Lot, args: dict[str, Any]) -> tuple[bool, str, Any]:
    """The answer to QUERY `availability`."""
    book, area, spot_class = lot.book, args["area"], args["spot_class"]
    if book.rules is None:
        return False, "not_configured", {}
    if area not in lot.layout.parents:
        return False, "no_such_area", {}
    most = book.limit(area, spot_class)
    promised = book.densest(area, spot_class, args["from_ms"], args["to_ms"])
    return (
        True,
        "",
        {
            "capacity": book.capacity(area, spot_class),
            "limit": most,
            "promised": promised,
            "left": max(most - promised, 0),
            "held_now": book.places(area, spot_class) + book.by_name(area, spot_class),
        },
    )
