"""Where every car is, by what is on record: the model behind spots, ledger and anti-passback."""

from collections.abc import Iterator

from liftgate.sim.world.audit.layout import Lane, Layout
from liftgate.sim.world.audit.plates import PLATE, normal

Place = tuple[str, int]
"""A spot: (block, number); number 0 where the lot only counts its blocks."""


class Stay:
    """A car from entry to exit.

    area: where it is, None the street; place: the spot it has; forgiven: where it is, is not believed;
    to, to_place, lane, since_ms: where an opened barrier leads it, while `waits`, and after that lapsed;
    plate: read beside its credential; inner_entry: an inner area with a time, and when it last came in there.
    """

    def __init__(self, session: bytes, credential: bytes, entered_at_ms: int) -> None:
        self.session = session
        self.credential = credential
        self.entered_at_ms = entered_at_ms
        self.area: str | None = None
        self.place: Place | None = None
        self.forgiven = False
        self.waits = False
        self.to: str | None = None
        self.to_place: Place | None = None
        self.lane: tuple[str, int] | None = None
        self.since_ms = 0
        self.plate: str | None = None
        self.inner_entry: tuple[str, int] | None = None

    def known_plate(self) -> str | None:
        """The plate that it came in with: read beside its credential, or the credential itself."""
        if self.plate is None and self.credential[0] == PLATE:
            return normal(self.credential[1:])
        return self.plate


class Stays:
    """The stays of one lot.

    open: by credential; waiting, lapsed: those before an opened barrier, and those whose time there ran out,
    by session, the oldest first; adrift: per area the cars that no stay names; forgiven: credentials whose
    next exit needs no entry.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.open: dict[bytes, Stay] = {}
        self.waiting: dict[bytes, Stay] = {}
        self.lapsed: dict[bytes, Stay] = {}
        self.adrift: dict[str, int] = {}
        self.forgiven: set[bytes] = set()

    def all(self) -> Iterator[Stay]:
        """Open stays, then those that ended because their entry lapsed."""
        yield from self.open.values()
        yield from (stay for stay in self.lapsed.values() if stay.area is None)

    # -- what happens

    def enter(self, credential: bytes, session: bytes, at_ms: int) -> Stay:
        """The stay that an entry goes on with. One of another session ends: its car left unseen."""
        stay = self.open.get(credential)
        if stay is not None and stay.session == session:
            return stay
        if stay is not None:
            self.move(stay, None, None)
        self.forgiven.discard(credential)
        stay = self.open[credential] = Stay(session, credential, at_ms)
        return stay

    def move(self, stay: Stay, to: str | None, place: Place | None) -> None:
        """The car is in `to` now; on the street (None) its stay is over."""
        self._drop_promise(stay)
        stay.area, stay.place, stay.forgiven = to, place, False
        if to is None and self.open.get(stay.credential) is stay:
            del self.open[stay.credential]

    def promise(self, stay: Stay, lane: Lane, to: str | None, place: Place | None, at_ms: int) -> None:
        """A barrier was opened; until the car passes it has what it had, and what it will have is held."""
        self._drop_promise(stay)
        stay.waits, stay.lane, stay.since_ms = True, lane.key, at_ms
        stay.to, stay.to_place = to, place
        self.waiting[stay.session] = stay

    def passed(self, session: bytes) -> None:
        """The car passed. After a lapse it is in all the same, but its spot may be another's."""
        stay = self.waiting.get(session) or self.lapsed[session]
        place = stay.to_place if stay.waits else None
        newer = self.open.get(stay.credential)
        if newer is not None and newer is not stay:
            self.move(newer, None, None)
        self.open[stay.credential] = stay
        self.move(stay, stay.to, place)

    def withdraw(self, session: bytes) -> None:
        """The car did not pass."""
        stay = self.waiting.get(session) or self.lapsed[session]
        self._drop_promise(stay)
        if stay.area is None and self.open.get(stay.credential) is stay:
            del self.open[stay.credential]

    def lapse(self, session: bytes) -> None:
        """It waited too long: what was held is free; where it wanted to go is remembered."""
        stay = self.waiting[session]
        lane = stay.lane
        self.withdraw(session)
        stay.lane = lane
        self.lapsed[session] = stay

    def unnamed(self, area: str, way_in: bool) -> None:
        """A car without a name went in or out: it counts there, and in the area around."""
        change = 1 if way_in else -1
        self.adrift[area] = self.adrift.get(area, 0) + change
        outer = self.layout.parents[area]
        if outer is not None:
            self.adrift[outer] = self.adrift.get(outer, 0) - change

    def name(self, stay: Stay, area: str) -> None:
        """A car that counted there without a name is the one of this stay."""
        self.open[stay.credential] = stay
        self.adrift[area] = self.adrift.get(area, 0) - 1
        stay.area = area

    def rename(self, stay: Stay, credential: bytes) -> None:
        """It goes on under another credential; its car keeps its plate, or has the one named now."""
        plate = stay.known_plate()
        del self.open[stay.credential]
        stay.credential = credential
        stay.plate = normal(credential[1:]) if credential[0] == PLATE else plate
        self.open[credential] = stay

    def _drop_promise(self, stay: Stay) -> None:
        self.waiting.pop(stay.session, None)
        self.lapsed.pop(stay.session, None)
        stay.waits, stay.lane, stay.to_place = False, None, None

    # -- what follows from it

    def inside(self, area: str) -> int:
        """Stays in the area itself."""
        return sum(stay.area == area for stay in self.open.values())

    def held(self, area: str) -> int:
        """Cars before a barrier that hold a place in the area."""
        return sum(self.holds(stay, area) for stay in self.waiting.values())

    def holds(self, stay: Stay, area: str) -> bool:
        """Whether it waits for a place in the area; one that comes from an area inside it holds none."""
        from_inside = stay.area is not None and self.layout.within(stay.area, area)
        return stay.waits and stay.to == area and not from_inside

    def occupancy(self, area: str) -> int:
        """What counts as being in the area itself: stays, and the ledger's cars without a name."""
        return self.inside(area) + self.adrift.get(area, 0)

    def available(self, area: str) -> int:
        return self.layout.capacity(area) - self.occupancy(area) - self.held(area)

    def places(self) -> Iterator[Place]:
        """Every spot that is had or held, as often as it is."""
        for stay in self.open.values():
            if stay.place is not None:
                yield stay.place
            if stay.to_place is not None:
                yield stay.to_place

    def at_lane(self, lane: Lane) -> list[Stay]:
        """Who waits at a lane, the longest first."""
        return [stay for stay in self.waiting.values() if stay.lane == lane.key]

    # -- after the configuration changed

    def resettle(self) -> None:
        """Areas that are gone are the outermost one now; spots that are gone are nobody's."""
        layout = self.layout
        adrift, self.adrift = self.adrift, {}
        for area, cars in adrift.items():
            now = layout.known_area(area)
            self.adrift[now] = self.adrift.get(now, 0) + cars
        for stay in {id(stay): stay for stay in [*self.all(), *self.lapsed.values()]}.values():
            stay.area = None if stay.area is None else layout.known_area(stay.area)
            stay.to = None if stay.to is None else layout.known_area(stay.to)
            stay.place, stay.to_place = self._still(stay.place), self._still(stay.to_place)

    def _still(self, place: Place | None) -> Place | None:
        block = None if place is None else self.layout.blocks.get(place[0])
        if block is None or place is None or place[1] > block.size or (place[1] > 0) != self.layout.by_spot:
            return None
        return place

    def leave_lanes(self, reader: str) -> None:
        """Nobody waits at a lane that its reader has no more."""
        for stay in [*self.waiting.values(), *self.lapsed.values()]:
            if stay.lane is not None and stay.lane[0] == reader and stay.lane not in self.layout.lanes:
                stay.lane = None
