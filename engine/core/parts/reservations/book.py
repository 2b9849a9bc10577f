"""One reservation, and all of a lot by what they are looked up by."""

import msgspec

from liftgate.configs.rules.reservations import Reservations
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lot

THEME = "reservations"

WAITING = "waiting"
OFFERED = "offered"
BOOKED = "booked"
ARRIVING = "arriving"
INSIDE = "inside"

KEEPS_A_PLACE = (BOOKED, OFFERED)
MAY_COME = (BOOKED, ARRIVING)
NEVER = 1 << 62

TURNED_AWAY = 1
TURNED_AWAY_TOLD = 2


class Reservation(msgspec.Struct, array_like=True):
    """A place in an area, of a class or one spot, from from_ms to to_ms (not part of it).

    credential: None until its code is seen; number: its place in the order of asking; percent: how much of
    its place is kept; withheld: its spot is out of the free ones; opened: the car may come; session: its
    stay, before the barrier or inside; overstayed, turned_away: what was told of it.
    """

    id: bytes
    credential: bytes | None
    code: bytes
    area: str
    spot_class: str
    spot: str
    from_ms: int
    to_ms: int
    early_ms: int
    late_ms: int
    leave_ms: int
    number: int
    state: str
    percent: int = 0
    withheld: bool = False
    opened: bool = False
    session: bytes | None = None
    offer_until_ms: int = 0
    overstayed: bool = False
    turned_away: int = 0

    @property
    def opens_ms(self) -> int:
        return self.from_ms - self.early_ms

    @property
    def order(self) -> tuple[int, int]:
        """Of several by which a car may come, the first."""
        return self.from_ms, self.number

    @property
    def closes_ms(self) -> int:
        """From then on it is given up where the car did not come."""
        return min(self.from_ms + self.late_ms, self.to_ms)

    def is_time(self, at_ms: int) -> bool:
        return self.opens_ms <= at_ms < self.closes_ms

    def percent_at(self, rules: Reservations, at_ms: int) -> int:
        """How much of its place is to be kept; it never gets less."""
        if at_ms >= self.opens_ms:
            return 100
        reached = [step.percent for step in rules.hold if self.from_ms - step.before_s * 1000 <= at_ms]
        return max(reached, default=0)

    def next_ms(self, rules: Reservations) -> int:
        """When time has something to say about it."""
        if self.state == WAITING:
            return self.closes_ms
        if self.state == INSIDE:
            return NEVER if self.overstayed else self.to_ms + self.leave_ms
        if self.state == ARRIVING:
            return NEVER
        steps = (self.from_ms - step.before_s * 1000 for step in rules.hold if step.percent > self.percent)
        if self.state == OFFERED:
            return min([self.offer_until_ms, *steps])
        return self.closes_ms if self.opened else min([self.opens_ms, *steps])


class Book:
    """All reservations by id; by credential and by code those that may come."""

    def __init__(self) -> None:
        self.all: dict[bytes, Reservation] = {}
        self.by_credential: dict[bytes, list[Reservation]] = {}
        self.by_code: dict[bytes, list[Reservation]] = {}
        self.ended: dict[str, int] = {}
        self.last_number = 0

    def add(self, found: Reservation) -> None:
        self.all[found.id] = found
        self._by(found).append(found)

    def _by(self, found: Reservation) -> list[Reservation]:
        if found.credential is None:
            return self.by_code.setdefault(found.code, [])
        return self.by_credential.setdefault(found.credential, [])

    def remove(self, found: Reservation) -> None:
        del self.all[found.id]
        self._take_out(found)

    def _take_out(self, found: Reservation) -> None:
        same = self._by(found)
        same.remove(found)
        if not same and found.credential is None:
            del self.by_code[found.code]
        elif not same and found.credential is not None:
            del self.by_credential[found.credential]

    def bind(self, found: Reservation, credential: bytes | None) -> None:
        """It is that credential's from here on."""
        if credential != found.credential:
            self._take_out(found)
            found.credential = credential
            self._by(found).append(found)

    def end(self, found: Reservation, why: str) -> None:
        """It is over, and only counted."""
        self.remove(found)
        self.ended[why] = self.ended.get(why, 0) + 1

    def of(self, credential: bytes) -> list[Reservation]:
        """Those of a credential, and those of the code that it shows."""
        own = self.by_credential.get(credential, ())
        coded = self.by_code.get(credential[1:], ()) if self.by_code else ()
        return [*own, *coded]

    def coming(self, credential: bytes, area: str, at_ms: int) -> Reservation | None:
        """The one by which a credential may enter an area at that time, the earliest of several."""
        if credential not in self.by_credential and not (self.by_code and credential[1:] in self.by_code):
            return None
        fit = (
            found
            for found in self.of(credential)
            if found.area == area and found.state in MAY_COME and found.is_time(at_ms)
        )
        return min(fit, key=lambda found: found.order, default=None)

    def lets_in(self, lot: Lot, read: ReadCredential) -> bool:
        """Whether a reservation makes the credential known here: in its time, in its area and on the way."""
        if read.credential not in self.by_credential and not self.by_code:
            return False
        return any(
            found.state in MAY_COME
            and found.is_time(read.time_ms)
            and found.area in lot.areas
            and lot.areas[found.area].within(read.lane.area)
            for found in self.of(read.credential)
        )

    def waiting(self) -> list[Reservation]:
        """The waiting list, first in line first."""
        line = (found for found in self.all.values() if found.state == WAITING)
        return sorted(line, key=lambda found: found.number)
