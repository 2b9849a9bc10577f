"""Room for a car by its classes of spot, with those that a lot falls back to when they are full."""

from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.passes import Pass, kept_with
from liftgate.engine.core.rules.base import Rule
from liftgate.engine.core.rules.entitlements import comes_from_street
from liftgate.engine.core.rules.place import (
    CLASS_FULL,
    FULL,
    STANDARD,
    HasSpace,
    asks_for_classes,
    asks_for_reservations,
)

ACCESSIBLE = "accessible"


class HasSpaceOfClass(HasSpace):
    """HasSpace in a lot with passes or with fallbacks.

    A car's classes are those of the pass by which it comes in, else those that its credential is registered
    with, else standard. Fallbacks come after all of them, and give no accessible spot.
    """

    always = False

    def __init__(self, passes: dict[str, Pass], fallback: dict[str, tuple[str, ...]]) -> None:
        self.passes = passes
        self.fallback = fallback

    @classmethod
    def made_for(cls, lot: Lot) -> "Rule | None":
        if not asks_for_classes(lot) or asks_for_reservations(lot):
            return None
        entitled, classes = lot.parts["entitlements"], lot.parts["classes"]
        passes = {} if entitled.rules is None else entitled.passes
        return cls(passes, {} if classes.rules is None else classes.rules.fallback)

    def check(self, lot: Lot, read: ReadCredential) -> int:
        lane = read.lane
        stay = read.stay
        if stay is not None and stay.moving and stay.to is lane.area and stay.holds():
            read.block = stay.to_block
            read.number = stay.to_number
            return 0
        if lane.area.available() <= 0:
            return FULL
        classes = self.classes(lot, read)
        for wanted in classes:
            if self._find(read, wanted):
                return 0
        if self.fallback:
            for wanted in self._others(classes):
                if self._find(read, wanted):
                    return 0
        for block in lane.area.blocks:
            if block.candidate() >= 0:
                return CLASS_FULL
        return FULL

    def classes(self, lot: Lot, read: ReadCredential) -> tuple[str, ...]:
        """What the car may have, in order of preference."""
        if self.passes and (read.marks is not None or read.stay is not None):
            name = _came_by(read)
            found = None if name is None else self.passes.get(name)
            if found is not None and found.classes:
                return found.classes
        return lot.known.get(read.credential, STANDARD) if lot.known else STANDARD

    def _find(self, read: ReadCredential, wanted: str) -> bool:
        """Leave the nearest free spot of a class in the scan's working place."""
        for block in read.lane.blocks():
            if block.spot_class == wanted:
                number = block.candidate()
                if number >= 0:
                    read.block = block
                    read.number = number
                    return True
        return False

    def _others(self, classes: tuple[str, ...]) -> list[str]:
        """The fallbacks of `classes`, each once, in their order."""
        found = {each: None for wanted in classes for each in self.fallback.get(wanted, ())}
        return [each for each in found if each not in classes and each != ACCESSIBLE]

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        area = read.lane.area
        classes = self.classes(lot, read)
        others = self._others(classes)
        after = f", then {', '.join(others)}" if others else ""
        return (
            f"area {area.id}: capacity {area.capacity}, occupancy {area.inside + area.adrift}, "
            f"held {area.held}; looked for {', '.join(classes)}{after}"
        )


def _came_by(read: ReadCredential) -> str | None:
    """The pass by which the car comes in, or further in the one by which it came."""
    if read.marks is not None and "pass" in read.marks:
        name: str = read.marks["pass"]
        return name
    return None if comes_from_street(read) else kept_with(read.stay).get("pass")
