"""What time brings to reservations, at most one thing to each in a Tick."""

from typing import TYPE_CHECKING

from liftgate.codecs.events import reservations as ev
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.configs.rules.reservations import Reservations
from liftgate.engine.core.parts.reservations.book import (
    INSIDE,
    OFFERED,
    TURNED_AWAY_TOLD,
    WAITING,
    Reservation,
)
from liftgate.engine.core.parts.reservations.room import Room, limit

if TYPE_CHECKING:
    from liftgate.engine.core.parts.reservations.part import ReservationsPart

OVERSTAYED = "overstayed its reservation"
OVERBOOKED = "overbooked"

EVENTS_MAX = 96
"""Of one Tick, less than what a part may bring: an event and its finding are never torn apart."""


def events(part: "ReservationsPart", rules: Reservations, now_ms: int) -> list[OperatorEvent]:
    """What is due, seq 0 in each. What does not fit this Tick comes with the next."""
    made: dict[bytes, list[OperatorEvent]] = {}
    count = 0
    for id, found in _all(part, rules, now_ms):
        if id not in made and count + len(found) <= EVENTS_MAX:
            made[id] = found
            count += len(found)
    return [event for found in made.values() for event in found]


def _all(
    part: "ReservationsPart", rules: Reservations, now_ms: int
) -> list[tuple[bytes, list[OperatorEvent]]]:
    lot = part.lot.id
    found = [(each.id, _turned_away(part, each, now_ms)) for each in part.to_tell.values()]
    found += _of_times(part, rules, now_ms)
    found += [
        (each.id, [ev.ArrivalWithdrawn(lot, 0, now_ms, each.id)])
        for each in part.arriving.values()
        if each.session not in part.lot.moving
    ]
    if not found:  # whatever is told of a reservation takes all spots that are free again
        free = part.holds.free_again()[:1]
        found += [(each.id, [ev.SpotWithheld(lot, 0, now_ms, each.id)]) for each in free]
    if part.freed:
        released = [id for id, (event, *_) in found if isinstance(event, ev.ReservationReleased)]
        found += [(offer.id, [offer]) for offer in _offers(part, rules, released, now_ms)]
    return found


def _of_times(
    part: "ReservationsPart", rules: Reservations, now_ms: int
) -> list[tuple[bytes, list[OperatorEvent]]]:
    """What time says to each that is told nothing else now. A stay is the arrival of one: of two that open
    together, the first; and it is nobody's any more whose reservation is released before.
    """
    found: list[tuple[bytes, list[OperatorEvent]]] = []
    taken: set[bytes] = set()
    over: set[bytes] = set()
    for each in part.times.until(now_ms):
        if each.id in part.to_tell:
            continue
        events = _of_time(part, rules, each, now_ms, over)
        first = events[0]
        if isinstance(first, ev.ReservationReleased):
            over.add(each.id)
        elif isinstance(first, ev.ReservationOpened) and first.session is not None:
            if first.session in taken:
                events = [ev.ReservationOpened(part.lot.id, 0, now_ms, each.id, None)]
            taken.add(first.session)
        found.append((each.id, events))
    return found


def _of_time(
    part: "ReservationsPart", rules: Reservations, found: Reservation, now_ms: int, over: set[bytes]
) -> list[OperatorEvent]:
    lot = part.lot.id
    if found.state == INSIDE:
        return _overstayed(part, found, now_ms)
    if found.state == WAITING:
        return [ev.ReservationReleased(lot, 0, now_ms, found.id, "never_offered")]
    if found.state == OFFERED:
        if found.offer_until_ms <= now_ms:
            return [ev.ReservationReleased(lot, 0, now_ms, found.id, "offer_lapsed")]
    elif not found.opened and found.opens_ms <= now_ms:
        return [ev.ReservationOpened(lot, 0, now_ms, found.id, _is_in(part, found, over))]
    elif found.closes_ms <= now_ms:
        why = "turned_away" if found.turned_away == TURNED_AWAY_TOLD else "no_show"
        return [ev.ReservationReleased(lot, 0, now_ms, found.id, why)]
    return [ev.HoldGrown(lot, 0, now_ms, found.id, found.percent_at(rules, now_ms))]


def _is_in(part: "ReservationsPart", found: Reservation, over: set[bytes]) -> bytes | None:
    """The stay of a car that came before its time, as anybody; by it the reservation is kept. over: those
    that this Tick releases.
    """
    stay = part.lot.stays.get(found.credential or b"")
    area = part.lot.areas.get(found.area)
    if stay is None or area is None or stay.area is None or not stay.area.within(area):
        return None
    others = part.by_session.get(stay.session, ())
    return stay.session if all(each.id in over for each in others) else None


def _overstayed(part: "ReservationsPart", found: Reservation, now_ms: int) -> list[OperatorEvent]:
    session = found.session or b""
    minutes = (now_ms - found.to_ms) // 60_000
    about = {"reservation": found.id, "session": session, "to_ms": found.to_ms, "spot": found.spot}
    text = f"still in {found.area}, {minutes} minutes after the end of its reservation"
    return [
        FindingMade(part.lot.id, 0, now_ms, OVERSTAYED, text, about),
        ev.ReservationOverstayed(part.lot.id, 0, now_ms, found.id, session),
    ]


def _turned_away(part: "ReservationsPart", found: Reservation, now_ms: int) -> list[OperatorEvent]:
    about = {"reservation": found.id, "area": found.area, "class": found.spot_class}
    text = f"a car with a reservation found no place of class {found.spot_class} in {found.area}"
    return [
        FindingMade(part.lot.id, 0, now_ms, OVERBOOKED, text, about),
        ev.ReservationTurnedAway(part.lot.id, 0, now_ms, found.id),
    ]


def _offers(
    part: "ReservationsPart", rules: Reservations, released: list[bytes], now_ms: int
) -> list[ev.ReservationOffered]:
    """One for each class of an area: the next is measured with that one promised, and with those gone that
    this Tick releases, or somebody further back in the line would get what the first has only now room for.
    """
    rooms: dict[tuple[str, str], Room] = {}
    gone = {(each.area, each.spot_class) for each in map(part.book.all.__getitem__, released)}
    offered: dict[tuple[str, str], ev.ReservationOffered] = {}
    for found in part.book.waiting():
        key = found.area, found.spot_class
        if key in offered or key in gone or found.closes_ms <= now_ms:
            continue
        room = rooms.get(key)
        if room is None:
            room = rooms[key] = Room(part.book, *key)
        if room.fits(found, limit(part.lot, rules, *key)):
            until_ms = min(now_ms + rules.accept_s * 1000, found.closes_ms)
            offered[key] = ev.ReservationOffered(part.lot.id, 0, now_ms, found.id, until_ms)
    return list(offered.values())
