"""What a lot remembers of reservations, and how events change it."""

from typing import Any, ClassVar, cast

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events import reservations as ev
from liftgate.codecs.events.operators import OperatorEvent
from liftgate.configs.rules.reservations import Reservations
from liftgate.engine.core.events import HistoryRecorded, PassageRecorded, ReaderEvent, ScanDecided
from liftgate.engine.core.model import Area, Lot, Stay
from liftgate.engine.core.parts.base import NEVER, Applier, CarryOut, Part
from liftgate.engine.core.parts.lists import watch_if
from liftgate.engine.core.parts.reservations import due, orders, queries
from liftgate.engine.core.parts.reservations.book import (
    ARRIVING,
    BOOKED,
    INSIDE,
    MAY_COME,
    OFFERED,
    THEME,
    TURNED_AWAY,
    TURNED_AWAY_TOLD,
    WAITING,
    Book,
    Reservation,
)
from liftgate.engine.core.parts.reservations.holds import Holds
from liftgate.engine.core.parts.reservations.times import Times


class ReservationsPart(Part):
    """Reservations of one lot.

    by_session: those whose car was let in, kept after it backed out, since its passage may only be late, and
    several of a car that goes on into an inner area by another one; arriving: those with an opened barrier;
    to_tell: whose car was turned away and nobody was told yet; known, wanted: the very dicts of book and
    holds, since every car looks into them. No part of the state are freed: a place may be offered to who
    waits, and followed: those whose car came in by event followed_seq.
    """

    THEME = THEME
    ORDERS: ClassVar[dict[str, tuple[type[Any], CarryOut]]] = orders.ORDERS
    QUERIES: ClassVar[Any] = queries.QUERIES
    APPLIERS: ClassVar[Any] = {}

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.rules: Reservations | None = None
        self.book = Book()
        self.holds = Holds(lot)
        self.times = Times(self.book)
        self.by_session: dict[bytes, list[Reservation]] = {}
        self.arriving: dict[bytes, Reservation] = {}
        self.to_tell: dict[bytes, Reservation] = {}
        self.followed: list[Reservation] = []
        self.followed_seq = 0
        self.freed = True
        self.every_scan = False
        self.known = self.book.all
        self.wanted = self.holds.wanted

    def configure(self, rules: Any) -> None:
        self.rules = rules
        self.on = rules is not None
        if self.on != self.holds.on:
            self._switch(self.on)
        for found in [each for each in self.book.all.values() if self.holds.rebuilt(each)]:
            self.holds.give_up(found)
            self.holds.keep(found)
        self.times.configure(rules)
        self.freed = True
        self._wait()

    def _switch(self, on: bool) -> None:
        """Without rules nothing is kept and no car is followed; those that left meanwhile kept theirs."""
        for found in self.book.all.values():
            self.holds.give_up(found)
        self.holds.on = on
        for found in self.book.all.values():
            self.holds.keep(found, take=False)
        self.holds.withhold()
        open_now = {stay.session: stay for stay in self.lot.stays.values()}
        for found in list(self.book.all.values()):
            if found.state == INSIDE and not self._is_inside(found, open_now.get(found.session or b"")):
                self.end(found, "kept")

    def dump(self) -> Any:
        if not self.book.last_number:
            return None
        return {
            "all": list(self.book.all.values()),
            "ended": self.book.ended,
            "last": self.book.last_number,
        }

    def load(self, data: Any) -> None:
        self.book.ended, self.book.last_number = data["ended"], data["last"]
        for saved in data["all"]:
            found = msgspec.convert(saved, Reservation)
            self.book.add(found)
            self.holds.keep(found, found.withheld)
            self._take_session(found, found.session)
            if found.state == ARRIVING:
                self.arriving[found.id] = found
            if found.turned_away == TURNED_AWAY:
                self.to_tell[found.id] = found
        self.times.configure(self.rules)
        self._wait()

    def due(self, now_ms: int) -> list[OperatorEvent]:
        found = [] if self.rules is None else due.events(self, self.rules, now_ms)
        if not found:
            self.freed = False
            self._wait()
        return found

    def _wait(self) -> None:
        """Of a spot that lapsed and a barrier that nobody passed nobody tells: those are polled."""
        watch_if(self, bool(self.by_session or self.wanted))
        polled = self.freed or self.arriving or self.to_tell or self.wanted
        self.next_ms = NEVER if self.rules is None else 0 if polled else self.times.first_ms()

    # -- cars

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        if not self.known:
            return
        if isinstance(event, ScanDecided):
            if self.lot.marks is not None:
                self._scanned(self.lot.marks, event, stay)
        elif stay is not None and isinstance(event, HistoryRecorded | PassageRecorded):
            if event.effect == "withdrawn":
                for found in self.by_session.get(stay.session, ()):
                    if found.state == ARRIVING:
                        self._withdraw(found)
            elif isinstance(event, HistoryRecorded) and event.what == ScanDecided.TYPE:
                self._take_history(event, stay)

    def _scanned(self, marks: dict[str, Any], event: ScanDecided, stay: Stay | None) -> None:
        found = self.book.all.get(marks.get("reservation", b""))
        if found is not None and stay is not None and event.verdict == codes.OPEN:
            self._arrive(found, stay, event.effect == codes.MOVED)
        found = self.book.all.get(marks.get("overbooked", b""))
        if found is not None and not found.turned_away:
            found.turned_away = TURNED_AWAY
            self.to_tell[found.id] = found
            self.next_ms = 0

    def _take_history(self, event: HistoryRecorded, stay: Stay) -> None:
        if event.verdict_given != codes.OPEN or event.way != codes.IN or not event.effect:
            return
        found = self.book.coming(stay.credential, event.area, event.at_ms)
        if found is not None and not self._came_before(found, event):
            self._arrive(found, stay, event.effect == "moved")

    def _came_before(self, found: Reservation, event: HistoryRecorded) -> bool:
        """Whether the car came by an earlier one, which an opened barrier that it did not pass left to it."""
        before = self.followed if self.followed_seq == event.seq else ()
        at_ms, area, order = event.at_ms, event.area, found.order
        return any(each.area == area and each.is_time(at_ms) and each.order < order for each in before)

    def _arrive(self, found: Reservation, stay: Stay, moved: bool) -> None:
        """Its barrier was opened; from here on the stay has the place, not the reservation."""
        self.book.bind(found, stay.credential)
        self._take_session(found, stay.session)
        self._become(found, INSIDE if moved else ARRIVING, stay)

    def _take_session(self, found: Reservation, session: bytes | None) -> None:
        """It is the reservation of that stay from here on, and of no other."""
        same = self.by_session.get(found.session or b"", [])
        if found in same:
            same.remove(found)
            if not same:
                del self.by_session[found.session or b""]
        found.session = session
        if session is not None:
            self.by_session.setdefault(session, []).append(found)

    def _become(self, found: Reservation, state: str, stay: Stay | None = None) -> None:
        """Be in another state, and keep what that keeps. stay: perhaps in the very spot that was kept."""
        self.holds.give_up(found, stay is not None and stay.spot_name() == found.spot)
        found.state = state
        if state == ARRIVING:
            self.arriving[found.id] = found
        else:
            self.arriving.pop(found.id, None)
        self._kept_again(found)

    def _kept_again(self, found: Reservation) -> None:
        self.holds.keep(found, take=False)  # others may be first in line for its spot
        self.holds.withhold()
        self.times.note(found)
        self._wait()

    def _withdraw(self, found: Reservation) -> None:
        self._become(found, BOOKED)

    def moved(self, stay: Stay, before: Area | None) -> None:
        if self.by_session and stay.session in self.by_session:
            self._follow(stay)
        if self.wanted:
            self.holds.withhold()

    def shifted(self, stay: Stay) -> None:
        """It may be the arrival of one more reservation of the same car."""
        self.moved(stay, stay.area)

    def _follow(self, stay: Stay) -> None:
        """Where the car of its reservations is now: in their area, or out of it, and they are over."""
        for found in list(self.by_session.get(stay.session, ())):
            inside = self._is_inside(found, stay)
            if inside and found.state in MAY_COME:
                self._become(found, INSIDE, stay)
                self._note_followed(found)
            elif not inside and found.state == INSIDE:
                self.end(found, "kept")

    def _note_followed(self, found: Reservation) -> None:
        """For `_take_history`, which is told of the same event, but only after the car was moved by it."""
        if self.followed_seq != self.lot.seq:
            self.followed_seq = self.lot.seq
            self.followed = []
        self.followed.append(found)

    def _is_inside(self, found: Reservation, stay: Stay | None) -> bool:
        """Whether the car is in the reservation's area."""
        area = self.lot.areas.get(found.area)
        return stay is not None and stay.area is not None and area is not None and stay.area.within(area)

    # -- events

    def end(self, found: Reservation, why: str) -> None:
        """It is over: what it kept is there for others."""
        self.holds.give_up(found)
        self.holds.withhold()
        self.book.end(found, why)
        self.arriving.pop(found.id, None)
        self.to_tell.pop(found.id, None)
        self._take_session(found, None)
        self.freed = True
        self._wait()

    def made(self, event: ev.ReservationMade) -> None:
        self.book.last_number += 1
        found = Reservation(
            event.id,
            event.credential,
            event.code,
            event.area,
            event.spot_class,
            event.spot,
            event.from_ms,
            event.to_ms,
            event.early_ms,
            event.late_ms,
            event.leave_ms,
            self.book.last_number,
            WAITING if event.waiting else BOOKED,
            event.percent,
        )
        self.book.add(found)
        self._kept_again(found)

    def changed(self, found: Reservation, event: ev.ReservationChanged) -> None:
        self.holds.give_up(found)
        self.book.bind(found, event.credential)
        found.from_ms, found.to_ms, found.percent = event.from_ms, event.to_ms, event.percent
        found.opened = found.overstayed = False
        self.freed = True
        self._kept_again(found)

    def cancelled(self, found: Reservation, event: ev.ReservationCancelled) -> None:
        self.end(found, "cancelled")

    def released(self, found: Reservation, event: ev.ReservationReleased) -> None:
        self.end(found, event.why)

    def grown(self, found: Reservation, event: ev.HoldGrown) -> None:
        self._grow(found, event.percent)

    def _grow(self, found: Reservation, percent: int) -> None:
        self.holds.give_up(found)
        found.percent = percent
        self._kept_again(found)

    def opened(self, found: Reservation, event: ev.ReservationOpened) -> None:
        found.opened = True
        stay = self.lot.stays.get(found.credential or b"")
        if stay is not None and stay.session == event.session:
            self._arrive(found, stay, True)
        else:
            self._grow(found, 100)

    def offered(self, found: Reservation, event: ev.ReservationOffered) -> None:
        found.offer_until_ms = event.until_ms
        self._become(found, OFFERED)

    def accepted(self, found: Reservation, event: ev.OfferAccepted) -> None:
        self._become(found, BOOKED)

    def overstayed(self, found: Reservation, event: ev.ReservationOverstayed) -> None:
        found.overstayed = True
        self._wait()

    def turned_away(self, found: Reservation, event: ev.ReservationTurnedAway) -> None:
        found.turned_away = TURNED_AWAY_TOLD
        self.to_tell.pop(found.id, None)
        self._wait()

    def withheld(self, found: Reservation, event: ev.SpotWithheld) -> None:
        self._grow(found, found.percent)

    def withdrawn(self, found: Reservation, event: ev.ArrivalWithdrawn) -> None:
        self._withdraw(found)


def reservations_of(lot: Lot) -> ReservationsPart:
    """The part of a lot that is configured; every such lot has one."""
    return cast(ReservationsPart, lot.parts[THEME])


_FOLDS: dict[type, Any] = {
    ev.ReservationChanged: ReservationsPart.changed,
    ev.ReservationCancelled: ReservationsPart.cancelled,
    ev.ReservationReleased: ReservationsPart.released,
    ev.HoldGrown: ReservationsPart.grown,
    ev.ReservationOpened: ReservationsPart.opened,
    ev.ReservationOffered: ReservationsPart.offered,
    ev.OfferAccepted: ReservationsPart.accepted,
    ev.ReservationOverstayed: ReservationsPart.overstayed,
    ev.ReservationTurnedAway: ReservationsPart.turned_away,
    ev.SpotWithheld: ReservationsPart.withheld,
    ev.ArrivalWithdrawn: ReservationsPart.withdrawn,
}


def _applier(fold: Any) -> Applier:
    def apply(lot: Lot, event: Any, position: int) -> None:
        part = reservations_of(lot)
        fold(part, part.book.all[event.id], event)

    return apply


def _made(lot: Lot, event: ev.ReservationMade, position: int) -> None:
    reservations_of(lot).made(event)


# Filled, not set: in the compiled build the class is C.
ReservationsPart.APPLIERS.update({kind: _applier(fold) for kind, fold in _FOLDS.items()})
ReservationsPart.APPLIERS[ev.ReservationMade] = _made
