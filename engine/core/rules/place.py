"""Where the car is, and whether there is room where it goes: anti-passback and space."""

from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Area, Lot
from liftgate.engine.core.rules.base import Rule

ALREADY_INSIDE = 210
NOT_INSIDE = 211
FULL = 300
CLASS_FULL = 301

STANDARD = ("standard",)
CLASS_THEMES = ("entitlements", "classes")


class ComesFromOutside(Rule):
    """Hard anti-passback at an entry: the car is just outside the area, by what was last seen of it."""

    name = "anti-passback"

    @classmethod
    def made_for(cls, lot: Lot) -> Rule | None:
        return None if is_judged_elsewhere(lot) else cls()

    def check(self, lot: Lot, read: ReadCredential) -> int:
        stay = read.stay
        outside = read.lane.area.parent
        if stay is None:
            return 0 if outside is None else NOT_INSIDE
        if stay.area is outside or stay.forgiven:
            return 0
        return ALREADY_INSIDE

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        return whereabouts(read)


class ComesFromInside(Rule):
    """Hard anti-passback at an exit: the car is in the area, or in one inside it.

    Leaving an outer area leaves the inner ones too: many inner areas have no reader on their way out.
    """

    name = "anti-passback"

    @classmethod
    def made_for(cls, lot: Lot) -> Rule | None:
        return None if is_judged_elsewhere(lot) else cls()

    def check(self, lot: Lot, read: ReadCredential) -> int:
        stay = read.stay
        if stay is None:
            return 0 if read.credential in lot.forgiven else NOT_INSIDE
        if stay.forgiven or (stay.area is not None and stay.area.within(read.lane.area)):
            return 0
        return NOT_INSIDE

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        return whereabouts(read)


def is_judged_elsewhere(lot: Lot) -> bool:
    """Whether the lot's rules of passback or identity ask in another way (`rules/passback.py`)."""
    return "passback" in lot.rules or "identity" in lot.rules


def whereabouts(read: ReadCredential) -> str:
    stay = read.stay
    if stay is None or (stay.area is None and not stay.moving):
        return "no open stay"
    if stay.area is None:
        return f"before the barrier since {stay.since_ms}"
    doubt = "; reset, so not believed" if stay.forgiven else ""
    return f"inside {stay.area.id}, entered at {stay.entered_at_ms}{doubt}"


def asks_for_classes(lot: Lot) -> bool:
    """Whether HasSpaceOfClass (`rules/classes.py`) stands in for HasSpace, which costs less."""
    return any(lot.ruled(theme) is not None for theme in CLASS_THEMES)


def asks_for_reservations(lot: Lot) -> bool:
    """Whether HasSpaceOrReservation (`rules/reservations.py`) stands in for both."""
    return lot.ruled("reservations") is not None


class HasSpace(Rule):
    """Room by count, then a spot of a class that the credential may use, nearest to the gate first.

    Who is promised a place here already keeps it; a promise out of an inner area holds none. Leaves the spot
    in the scan's working place.
    """

    name = "space"

    @classmethod
    def made_for(cls, lot: Lot) -> "Rule | None":
        return None if asks_for_classes(lot) or asks_for_reservations(lot) else cls()

    def check(self, lot: Lot, read: ReadCredential) -> int:
        stay = read.stay
        area = read.lane.area
        if stay is not None and stay.is_promised(area):
            read.block = stay.to_block
            read.number = stay.to_number
            return 0
        if area.available() <= 0:
            return FULL
        return 0 if self.found(lot, read) else without_spot(area)

    def found(self, lot: Lot, read: ReadCredential) -> bool:
        """Leave the spot in the scan's working place, if there is one that the car may have."""
        classes = classes_for(lot, read)
        for wanted in classes:
            if find_spot(read, wanted):
                return True
        return False

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        area = read.lane.area
        classes = ", ".join(classes_for(lot, read))
        return (
            f"area {area.id}: capacity {area.capacity}, occupancy {area.inside + area.adrift}, "
            f"held {area.held}; looked for {classes}"
        )


def classes_for(lot: Lot, read: ReadCredential) -> tuple[str, ...]:
    """What the credential may have, in order of preference: what its ticket says, else what it is registered
    with, else standard.
    """
    if read.proof is not None and read.proof.spot_class is not None:
        return (read.proof.spot_class,)
    return lot.known.get(read.credential, STANDARD) if lot.known else STANDARD


def find_spot(read: ReadCredential, wanted: str) -> bool:
    """Leave the nearest free spot of a class in the scan's working place."""
    for block in read.lane.blocks():
        if block.spot_class == wanted:
            number = block.candidate()
            if number >= 0:
                read.block = block
                read.number = number
                return True
    return False


def without_spot(area: Area) -> int:
    """Why a car got no spot in an area that counts free places: none at all, or none that it may have."""
    for block in area.blocks:
        if block.candidate() >= 0:
            return CLASS_FULL
    return FULL
