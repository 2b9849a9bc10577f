"""Reservations: taken as far as there is room, kept for who booked, given up when their time is over."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.book import (
    ARRIVING,
    BOOKED,
    INSIDE,
    OFFERED,
    WAITING,
    Book,
    Reservation,
    closing,
)
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

FULL = 300
LATE_MS = 2_000
"""How much later than its time something may come from an engine at rest, which looks four times a second."""

FINDINGS = {"overstayed its reservation": r.OVERSTAYED, "overbooked": r.TURNED_AWAY}


class Reservations(Chapter):
    """Each event of a reservation is about one that is not over, comes when its time has come, and says what
    the rules say; marks name the reservation by which a car comes in or should have; no other car stands in a
    spot that is kept. told: per lot the finding that the next event goes with.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.told: dict[str, Event] = {}
        self.made: dict[str, bytes] = {}

    def judge(self, event: Event, lot: Lot) -> None:
        self._judge_told(event, lot)
        if event["type"] == r.SCAN:
            self._judge_marks(event, lot)
        elif event["type"] == r.RESERVED:
            self._judge_made(event, lot)
        elif event["type"] == r.DONE and event["name"] == "reserve" and event["ok"]:
            if self.made.pop(lot.id, None) != event["id"]:
                self.find("wrong reservation", tell(event), "a reservation of the order's own id")
        elif event["type"] in _JUDGES:
            found = lot.book.all.get(event["id"])
            if found is None:
                over = "it is over" if event["id"] in lot.book.over else "there is none"
                self.find("reservation over", tell(event), f"nothing more of this reservation: {over}")
            else:
                self._expect(event, _JUDGES[event["type"]](lot.book, found, event))

    def _expect(self, event: Event, expected: str) -> None:
        if expected:
            self.find("wrong reservation", tell(event), expected)

    def _judge_told(self, event: Event, lot: Lot) -> None:
        """A finding and the event beside it come together."""
        told = self.told.pop(lot.id, None)
        pair = event["type"] in FINDINGS.values()
        if told is not None and (event["type"] != FINDINGS[told["kind"]]):
            self.find("wrong reservation", tell(told), "the event that it goes with next")
        elif pair and (told is None or told["about"].get("reservation") != event["id"]):
            self.find("wrong reservation", tell(event), "a finding about this reservation just before it")
        if event["type"] == r.FINDING and event["kind"] in FINDINGS:
            self.told[lot.id] = event
            found = lot.book.all.get(event["about"]["reservation"])
            if found is None or event["about"] != about(found, event["kind"]):
                said = "a reservation" if found is None else str(about(found, event["kind"]))
                self.find("wrong reservation", tell(event), f"about {said}")

    # -- scans

    def _judge_marks(self, event: Event, lot: Lot) -> None:
        look, said = lot.look(event), r.marks(event)
        marks = {name: said[name] for name in ("reservation", "spot_taken", "overbooked") if name in said}
        kept = look.stay is not None and lot.stays.holds(look.stay, look.lane.area)
        found = None if look.way == r.OUT or kept else lot.book.coming(look)
        expected: dict[str, Any] = {}
        if found is not None and event["verdict"] == r.OPEN:
            expected = {"reservation": found.id}
            if found.spot and event["spot"] != found.spot:
                expected["spot_taken"] = found.spot
        elif found is not None and event["reason"] == FULL:
            expected = {"overbooked": found.id}
        elif found is not None and marks.get("reservation") == found.id:
            return  # room it had, and a later rule refused
        if marks != expected:
            self.find("wrong mark", tell(event) + f", marks {marks}", f"{expected}")

    # -- orders

    def _judge_made(self, event: Event, lot: Lot) -> None:
        book, rules = lot.book, lot.book.rules
        self.made[lot.id] = event["id"]
        if rules is None or event["id"] in book.all:
            self._expect(event, "rules for reservations, and an id of its own")
            return
        fits = book.fits(*(event[name] for name in ("area", "spot_class", "spot", "from_ms", "to_ms")))
        early_ms, late_ms = rules["early_s"] * 1000, rules["late_s"] * 1000
        percent = book.percent_at(event["from_ms"], early_ms, event["at_ms"]) if fits else 0
        expected = {
            "waiting": not fits,
            "percent": percent,
            "early_ms": early_ms,
            "late_ms": late_ms,
            "leave_ms": rules["leave_s"] * 1000,
        }
        if any(event[name] != value for name, value in expected.items()):
            self._expect(event, str(expected))
        elif closing(event["from_ms"], event["to_ms"], late_ms) <= event["at_ms"]:
            self._expect(event, "refused: the car would have had to come by now")
        elif not fits and len(book.line()) >= rules["waiting_max"]:
            self._expect(event, "refused: too many wait")

    # -- what holds after each event

    def folded(self, event: Event, lot: Lot) -> None:
        withheld = set(lot.book.withheld())
        if withheld and not withheld.isdisjoint(lot.stays.places()):
            self.find("kept spot taken", tell(event), f"nobody stands in {sorted(withheld)}")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        now_ms = self.audit.now() - LATE_MS
        for lot in self.audit.lots.values():
            if lot.book.rules is not None:
                for found in lot.book.all.values():
                    if due := _due(lot, found, now_ms):
                        text = (
                            f"{found.id.hex()} in {lot.id}, {found.state}, {found.from_ms} to {found.to_ms}"
                        )
                        self.find("reservation forgotten", text, due)


def _due(lot: Lot, found: Reservation, now_ms: int) -> str:
    """What should have come by then and did not."""
    book = lot.book
    if found.overbooked and not found.told:
        return "a finding that it found no place" if book.changed_ms < now_ms else ""
    match found.state:
        case "waiting":
            if found.closes_ms <= now_ms:
                return "released: nothing was offered"
            can = book.changed_ms < now_ms and book.has_room(found)
            return "a place is offered to it" if can else ""
        case "offered":
            return "released: its offer is over" if found.offer_until_ms <= now_ms else ""
        case "inside":
            late = not found.overstayed and found.to_ms + found.leave_ms <= now_ms
            return "told that it overstayed" if late else ""
        case "arriving":
            return "" if found.session in lot.stays.waiting else "booked again: its car did not pass"
    if found.closes_ms <= now_ms:
        return "released: nobody came"
    if not found.opened and found.opens_ms <= now_ms:
        return "opened"
    kept = book.percent_at(found.from_ms, found.early_ms, now_ms)
    return f"{kept} percent kept" if found.percent < kept else ""


def about(found: Reservation, kind: str) -> dict[str, Any]:
    """What a finding about a reservation says beside its text."""
    if kind == "overbooked":
        return {"reservation": found.id, "area": found.area, "class": found.spot_class}
    return {
        "reservation": found.id,
        "session": found.session,
        "to_ms": found.to_ms,
        "spot": found.spot,
    }


# -- events of one reservation: what should have been, "" where it is


def _changed(book: Book, found: Reservation, event: Event) -> str:
    from_ms, to_ms, now_ms = event["from_ms"], event["to_ms"], event["at_ms"]
    here = found.state in (ARRIVING, INSIDE)
    if here and (from_ms, event["credential"]) != (found.from_ms, found.credential):
        return "refused: its car has arrived"
    place = found.area, found.spot_class, found.spot
    waits = found.state == WAITING
    if not waits and not book.fits(*place, from_ms, to_ms, found.id):
        return "refused: it does not fit"
    if to_ms <= now_ms or (not here and closing(from_ms, to_ms, found.late_ms) <= now_ms):
        return "refused: it would be over"
    percent = 0 if waits else book.percent_at(from_ms, found.early_ms, now_ms)
    return "" if event["percent"] == percent else f"{percent} percent"


def _cancelled(book: Book, found: Reservation, event: Event) -> str:
    return "refused: its car has arrived" if found.state in (ARRIVING, INSIDE) else ""


def _grown(book: Book, found: Reservation, event: Event) -> str:
    percent = book.percent_at(found.from_ms, found.early_ms, event["at_ms"])
    right = found.keeps and found.percent < event["percent"] == percent
    return "" if right else f"{percent} percent of one that is kept, more than {found.percent}"


def _opened(book: Book, found: Reservation, event: Event) -> str:
    if found.state != BOOKED or found.opened or event["at_ms"] < found.opens_ms:
        return f"booked, once, not before {found.opens_ms}"
    stay = book.lot.stay(found.credential or b"")
    by = {each.session for each in book.all.values()}
    inside = stay is not None and stay.area is not None and book.lot.layout.within(stay.area, found.area)
    session = stay.session if stay is not None and inside and stay.session not in by else None
    return "" if event["session"] == session else f"session {session!r}"


def _released(book: Book, found: Reservation, event: Event) -> str:
    due = {
        WAITING: ("never_offered", found.closes_ms),
        OFFERED: ("offer_lapsed", found.offer_until_ms),
        BOOKED: ("turned_away" if found.told else "no_show", found.closes_ms),
    }
    why, at_ms = due.get(found.state, ("", 0))
    right = event["why"] == why and at_ms <= event["at_ms"]
    return "" if right else f"{why or 'not released: its car is here'}, not before {at_ms}"


def _offered(book: Book, found: Reservation, event: Event) -> str:
    rules, now_ms = book.rules, event["at_ms"]
    if rules is None or found.state != WAITING or not book.has_room(found):
        return "one that waits, and a place for it"
    for other in book.line():
        same = (other.area, other.spot_class) == (found.area, found.spot_class)
        if same and other.number < found.number and now_ms < other.closes_ms and book.has_room(other):
            return f"{other.id.hex()}, which was first in line"
    until_ms = min(now_ms + rules["accept_s"] * 1000, found.closes_ms)
    return "" if event["until_ms"] == until_ms else f"until {until_ms}"


def _accepted(book: Book, found: Reservation, event: Event) -> str:
    right = found.state == OFFERED and event["at_ms"] < found.offer_until_ms
    return "" if right else f"refused: {found.state}, offered until {found.offer_until_ms}"


def _overstayed(book: Book, found: Reservation, event: Event) -> str:
    at_ms = found.to_ms + found.leave_ms
    right = found.state == INSIDE and not found.overstayed and event["session"] == found.session
    return "" if right and at_ms <= event["at_ms"] else f"one inside, once, not before {at_ms}"


def _turned_away(book: Book, found: Reservation, event: Event) -> str:
    return "" if found.overbooked and not found.told else "one whose car was refused, once"


def _withheld(book: Book, found: Reservation, event: Event) -> str:
    kept = found.keeps and found.percent >= 100 and bool(found.spot) and not found.withheld
    return "" if kept and book.is_free(found.spot) else "a free spot that is to be kept"


def _withdrawn(book: Book, found: Reservation, event: Event) -> str:
    right = found.state == ARRIVING and found.session not in book.lot.stays.waiting
    return "" if right else "a car that no barrier is open for any more"


_JUDGES = {
    r.RESERVATION_CHANGED: _changed,
    r.RESERVATION_CANCELLED: _cancelled,
    r.HOLD_GROWN: _grown,
    r.RESERVATION_OPENED: _opened,
    r.RESERVATION_RELEASED: _released,
    r.OFFERED: _offered,
    r.OFFER_ACCEPTED: _accepted,
    r.OVERSTAYED: _overstayed,
    r.TURNED_AWAY: _turned_away,
    r.SPOT_WITHHELD: _withheld,
    r.ARRIVAL_WITHDRAWN: _withdrawn,
}
