"""Reservations of a lot by what is on record: who may come when, and which places are kept for them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.records import Event

if TYPE_CHECKING:
    from liftgate.sim.world.audit.chapter import Look
    from liftgate.sim.world.audit.facts import Lot
    from liftgate.sim.world.audit.stays import Place, Stay

WAITING, OFFERED, BOOKED, ARRIVING, INSIDE = "waiting", "offered", "booked", "arriving", "inside"

DEFAULTS: dict[str, Any] = {
    "early_s": 900,
    "late_s": 1800,
    "leave_s": 900,
    "hold": [{"before_s": 3600, "percent": 100}],
    "overbooking_percent": 100,
    "accept_s": 900,
    "waiting_max": 100,
}


class Reservation:
    """One reservation. number: its place in the order of asking; withheld: its spot is kept by name; opened:
    its car may come; overbooked: its car was refused, told: a finding said so; session: its stay.
    """

    def __init__(self, event: Event, number: int) -> None:
        self.id: bytes = event["id"]
        self.credential: bytes | None = event["credential"]
        self.code: bytes = event["code"]
        self.area: str = event["area"]
        self.spot_class: str = event["spot_class"]
        self.spot: str = event["spot"]
        self.from_ms: int = event["from_ms"]
        self.to_ms: int = event["to_ms"]
        self.early_ms: int = event["early_ms"]
        self.late_ms: int = event["late_ms"]
        self.leave_ms: int = event["leave_ms"]
        self.state = WAITING if event["waiting"] else BOOKED
        self.percent: int = event["percent"]
        self.number = number
        self.session: bytes | None = None
        self.offer_until_ms = 0
        self.withheld = self.opened = self.overstayed = self.overbooked = self.told = False

    @property
    def opens_ms(self) -> int:
        return self.from_ms - self.early_ms

    @property
    def closes_ms(self) -> int:
        return closing(self.from_ms, self.to_ms, self.late_ms)

    @property
    def keeps(self) -> bool:
        """Whether it keeps a place from others: its car is not there yet, and it does not wait in line."""
        return self.state in (BOOKED, OFFERED)

    def may_come(self, at_ms: int) -> bool:
        return self.state in (BOOKED, ARRIVING) and self.opens_ms <= at_ms < self.closes_ms

    def touches(self, from_ms: int, to_ms: int) -> bool:
        return self.from_ms < to_ms and from_ms < self.to_ms


def closing(from_ms: int, to_ms: int, late_ms: int) -> int:
    """When a place is given up."""
    return min(from_ms + late_ms, to_ms)


class Book:
    """All that are not over, by id; ended: how many ended how; over: the ids of those.

    on: whether the lot has rules for them; where: the cars inside, by session, at the last event;
    changed_ms: when an event of a reservation came last.
    """

    def __init__(self, lot: "Lot") -> None:
        self.lot = lot
        self.all: dict[bytes, Reservation] = {}
        self.ended: dict[str, int] = {}
        self.over: set[bytes] = set()
        self.made = 0
        self.changed_ms = 0
        self.on = False
        self.where: dict[bytes, tuple[str, Place | None]] = {}

    @property
    def rules(self) -> dict[str, Any] | None:
        """What the lot's rules say of reservations; None where they are off."""
        said = self.lot.rules.get("reservations")
        return None if said is None else DEFAULTS | said

    # -- what is asked

    def percent_at(self, from_ms: int, early_ms: int, at_ms: int) -> int:
        """How much of a place is to be kept then."""
        if at_ms >= from_ms - early_ms:
            return 100
        steps = (self.rules or DEFAULTS)["hold"]
        return max((s["percent"] for s in steps if from_ms - s["before_s"] * 1000 <= at_ms), default=0)

    def of(self, credential: bytes) -> list[Reservation]:
        """Those of a credential, and those of the code that it shows, which comes first first."""
        own = [
            found
            for found in self.all.values()
            if (found.credential == credential if found.credential else found.code == credential[1:])
        ]
        return sorted(own, key=lambda found: (found.from_ms, found.number))

    def coming(self, look: "Look") -> Reservation | None:
        """The one by which a car may come in, the earliest of several."""
        if self.rules is None:
            return None
        fit = (f for f in self.of(look.credential) if f.area == look.lane.area and f.may_come(look.at_ms))
        return next(fit, None)

    def lets_in(self, look: "Look") -> bool:
        """Whether one makes the credential known here: in its time, in its area and on the way there."""
        within = self.lot.layout.within
        return self.rules is not None and any(
            found.may_come(look.at_ms) and found.area in self.lot.layout.parents
            for found in self.of(look.credential)
            if within(found.area, look.lane.area)
        )

    def line(self) -> list[Reservation]:
        """The waiting list."""
        return [found for found in self.all.values() if found.state == WAITING]

    # -- room in time

    def capacity(self, area: str, spot_class: str) -> int:
        blocks = self.lot.layout.blocks.values()
        return sum(b.size for b in blocks if b.area == area and b.spot_class == spot_class)

    def limit(self, area: str, spot_class: str) -> int:
        percent: int = (self.rules or DEFAULTS)["overbooking_percent"]
        return self.capacity(area, spot_class) * percent // 100

    def densest(self, area: str, spot_class: str, from_ms: int, to_ms: int, but: bytes = b"") -> int:
        """The most places promised at one moment: where one begins, or at the begin of the time."""
        among = [
            f
            for f in self.all.values()
            if (f.area, f.spot_class) == (area, spot_class) and f.state != WAITING
            if f.id != but and f.touches(from_ms, to_ms)
        ]
        moments = [max(f.from_ms, from_ms) for f in among]
        return max((sum(f.from_ms <= at < f.to_ms for f in among) for at in moments), default=0)

    def fits(self, area: str, spot_class: str, spot: str, from_ms: int, to_ms: int, but: bytes = b"") -> bool:
        """Whether one more, but for `but` itself, has a place all the time."""
        if self.densest(area, spot_class, from_ms, to_ms, but) >= self.limit(area, spot_class):
            return False
        return not spot or not any(
            found.spot == spot and found.state != WAITING and found.touches(from_ms, to_ms)
            for found in self.all.values()
            if found.id != but
        )

    def has_room(self, found: Reservation) -> bool:
        return self.fits(found.area, found.spot_class, found.spot, found.from_ms, found.to_ms, found.id)

    # -- places kept

    def withheld(self) -> Iterator["Place"]:
        """Spots that are nobody's but who reserved them."""
        for found in self.all.values():
            if found.withheld:
                yield spot_place(found.spot)

    def by_name(self, area: str, spot_class: str) -> int:
        """Spots of a class that are kept by name."""
        return sum(
            found.withheld and (found.area, found.spot_class) == (area, spot_class)
            for found in self.all.values()
        )

    def places(self, area: str, spot_class: str) -> int:
        """Of the free spots of a class those that are kept: whole places of all parts together."""
        if self.rules is None:
            return 0
        parts = (
            found.percent
            for found in self.all.values()
            if found.keeps and not found.withheld and (found.area, found.spot_class) == (area, spot_class)
        )
        return sum(parts) // 100

    def kept(self, area: str) -> int:
        """Places kept in an area in all."""
        classes = {found.spot_class for found in self.all.values() if found.area == area}
        return sum(self.places(area, each) + self.by_name(area, each) for each in classes)

    def is_free(self, spot: str) -> bool:
        """Whether there is such a spot and nobody has, holds or keeps it."""
        place = spot_place(spot)
        if not self._exists(place):
            return False
        return place not in self.lot.stays.places() and place not in self.withheld()

    def _exists(self, place: "Place") -> bool:
        block = self.lot.layout.blocks.get(place[0])
        return self.lot.layout.by_spot and block is not None and 1 <= place[1] <= block.size

    # -- what happens

    def fold(self, event: Event) -> None:
        """Take in an event that the other facts know already."""
        change = _CHANGES.get(event["type"])
        told = change is not None
        if change is not None:
            change(self, event)
        elif event["type"] in (r.LOT_CONFIGURED, r.RULES_SET):
            told = self._configured()
        elif self.all and self.on and event["type"] in (r.SCAN, r.PASSAGE, r.HISTORY):
            told = self._car(event)
        elif self.on and event["type"] in (r.CLOSED, r.LOST):
            told = self._left()
        open_now = self.lot.stays.open.values()
        where = {stay.session: (stay.area, stay.place) for stay in open_now if stay.area is not None}
        if told or (self.on and where != self.where and event["type"] != r.LOT_CONFIGURED):
            self._withhold()
        self.where = where
        if change is not None:
            self.changed_ms = event["at_ms"]

    def _configured(self) -> bool:
        """Spots may be gone. Without rules nothing is kept, no car followed: who left then is over."""
        for found in self.all.values():
            found.withheld = found.withheld and self._exists(spot_place(found.spot))
        was, self.on = self.on, self.rules is not None
        if self.on and not was:
            areas = {stay.session: stay.area for stay in self.lot.stays.open.values()}
            for found in [each for each in self.all.values() if each.state == INSIDE]:
                area = areas.get(found.session or b"")
                if area is None or not self.lot.layout.within(area, found.area):
                    self._end(found, "kept")
        return was != self.on

    def _withhold(self) -> None:
        """A spot that is to be kept is kept as soon as it is free, for who is to come first."""
        wanted = []
        for found in self.all.values():
            found.withheld = False
            if self.rules is not None and found.keeps and found.spot and found.percent >= 100:
                wanted.append(found)
        for found in sorted(wanted, key=lambda found: (found.from_ms, found.number)):
            found.withheld = self.is_free(found.spot)

    def _car(self, event: Event) -> bool:
        """A car's scan or passage; whether it changed a reservation."""
        before = [(found.id, found.state) for found in self.all.values()]
        session, effect = event["session"], event["effect"]
        if event["type"] == r.SCAN:
            self._scanned(event)
        elif event["type"] == r.HISTORY and event["what"] == r.SCAN:
            if event["verdict_given"] == r.OPEN and event["way"] == r.IN and effect:
                self._arrived(self._came_alone(event), event, effect == "moved")
        moved = effect in (r.MOVED, "moved")
        for found in [each for each in self.all.values() if each.session is not None]:
            if effect == "withdrawn" and found.session == session and found.state == ARRIVING:
                found.state = BOOKED
            self._follow(found, found.session == session and moved)
        return before != [(found.id, found.state) for found in self.all.values()]

    def _left(self) -> bool:
        """A stay ended without an exit; whether a reservation is over with it."""
        before = len(self.all)
        for found in [each for each in self.all.values() if each.session is not None]:
            self._follow(found, False)
        return len(self.all) < before

    def _scanned(self, event: Event) -> None:
        said = r.marks(event)
        if event["verdict"] == r.OPEN:
            self._arrived(said.get("reservation"), event, event["effect"] == r.MOVED)
        overbooked = self.all.get(said.get("overbooked", b""))
        if overbooked is not None:
            overbooked.overbooked = True

    def _came_alone(self, event: Event) -> bytes | None:
        """The one by which a car came whose barrier its reader opened by itself."""
        found = next(
            (
                each
                for each in self.of(r.credential(*event["detail"][:2]))
                if each.area == event["area"] and each.may_come(event["at_ms"]) and self.rules is not None
            ),
            None,
        )
        return None if found is None else found.id

    def _arrived(self, id: bytes | None, event: Event, inside: bool) -> None:
        found = self.all.get(id or b"")
        if found is not None:
            kind, token = (
                event["detail"][:2] if event["type"] == r.HISTORY else (event["kind"], event["token"])
            )
            found.credential = r.credential(kind, token)
            found.session = event["session"]
            found.state = INSIDE if inside else ARRIVING

    def _follow(self, found: Reservation, moved: bool) -> None:
        """The car of a reservation is in its area, or has left it; then that is over."""
        stay = self._stay(found)
        inside = stay is not None and stay.area is not None
        inside = inside and stay is not None and self.lot.layout.within(stay.area, found.area)
        if inside and moved and found.state in (BOOKED, ARRIVING):
            found.state = INSIDE
        elif not inside and found.state == INSIDE:
            self._end(found, "kept")

    def _stay(self, found: Reservation) -> "Stay | None":
        return next((stay for stay in self.lot.stays.all() if stay.session == found.session), None)

    def _end(self, found: Reservation, why: str) -> None:
        del self.all[found.id]
        self.over.add(found.id)
        self.ended[why] = self.ended.get(why, 0) + 1

    # -- by the events of reservations

    def _made(self, event: Event) -> None:
        self.made += 1
        self.all[event["id"]] = Reservation(event, self.made)

    def _changed(self, event: Event) -> None:
        found = self.all[event["id"]]
        found.credential, found.percent = event["credential"], event["percent"]
        found.from_ms, found.to_ms = event["from_ms"], event["to_ms"]
        found.opened = found.overstayed = found.withheld = False

    def _cancelled(self, event: Event) -> None:
        self._end(self.all[event["id"]], "cancelled")

    def _grown(self, event: Event) -> None:
        self.all[event["id"]].percent = event["percent"]

    def _opened(self, event: Event) -> None:
        found = self.all[event["id"]]
        found.opened = True
        if event["session"] is not None:
            found.session, found.state = event["session"], INSIDE
            stay = self._stay(found)
            found.credential = found.credential if stay is None else stay.credential
        else:
            found.percent = 100

    def _released(self, event: Event) -> None:
        self._end(self.all[event["id"]], event["why"])

    def _offered(self, event: Event) -> None:
        found = self.all[event["id"]]
        found.state, found.offer_until_ms = OFFERED, event["until_ms"]

    def _accepted(self, event: Event) -> None:
        self.all[event["id"]].state = BOOKED

    def _overstayed(self, event: Event) -> None:
        self.all[event["id"]].overstayed = True

    def _turned_away(self, event: Event) -> None:
        self.all[event["id"]].told = True

    def _spot_withheld(self, event: Event) -> None:
        """`fold` keeps it."""

    def _withdrawn(self, event: Event) -> None:
        self.all[event["id"]].state = BOOKED


def spot_place(spot: str) -> "Place":
    """What a spot's name stands for."""
    block, _, number = spot.rpartition("-")
    return block, int(number or 0)


_CHANGES = {
    r.RESERVED: Book._made,
    r.RESERVATION_CHANGED: Book._changed,
    r.RESERVATION_CANCELLED: Book._cancelled,
    r.HOLD_GROWN: Book._grown,
    r.RESERVATION_OPENED: Book._opened,
    r.RESERVATION_RELEASED: Book._released,
    r.OFFERED: Book._offered,
    r.OFFER_ACCEPTED: Book._accepted,
    r.OVERSTAYED: Book._overstayed,
    r.TURNED_AWAY: Book._turned_away,
    r.SPOT_WITHHELD: Book._spot_withheld,
    r.ARRIVAL_WITHDRAWN: Book._withdrawn,
}
