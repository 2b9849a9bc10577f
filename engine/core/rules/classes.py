"""Room for a car by its classes of spot, with those that a lot falls back to when they are full."""

from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.passes import Pass, kept_with
from liftgate.engine.core.rules.base import Rule
from liftgate.engine.core.rules.entitlements import comes_from_street
from liftgate.engine.core.rules.place import (
    HasSpace,
    asks_for_classes,
    asks_for_reservations,
    classes_for,
    find_spot,
)

ACCESSIBLE = "accessible"


class HasSpaceOfClass(HasSpace):
    """HasSpace in a lot with passes or with fallbacks.

    A car's classes are those of the pass by which it comes in, else those of HasSpace. Fallbacks come after
    all of them, and give no accessible spot.
    """

    always = False

    def __init__(self, passes: dict[str, Pass], fallback: dict[str, tuple[str, ...]]) -> None:
        self.passes = passes
        self.fallback = fallback

    @classmethod
    def made_for(cls, lot: Lot) -> "Rule | None":
        if not asks_for_classes(lot) or asks_for_reservations(lot):
            return None
        return cls(*passes_and_fallback(lot))

    def found(self, lot: Lot, read: ReadCredential) -> bool:
        classes = self.classes(lot, read)
        for wanted in classes:
            if find_spot(read, wanted):
                return True
        if self.fallback:
            for wanted in self._others(classes):
                if find_spot(read, wanted):
                    return True
        return False

    def classes(self, lot: Lot, read: ReadCredential) -> tuple[str, ...]:
        """What the car may have, in order of preference."""
        if self.passes and (read.marks is not None or read.stay is not None):
            found = self._came_by(read)
            if found is not None and found.classes:
                return found.classes
        return classes_for(lot, read)

    def _came_by(self, read: ReadCredential) -> Pass | None:
        """The pass by which the car comes in, or further in the one by which it came."""
        if read.said is not None and read.said.found is not None:
            found: Pass = read.said.found
            return found
        if read.marks is not None and "pass" in read.marks:
            return self.passes.get(read.marks["pass"])
        name = None if comes_from_street(read) else kept_with(read.stay).get("pass")
        return None if name is None else self.passes.get(name)

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


def passes_and_fallback(lot: Lot) -> tuple[dict[str, Pass], dict[str, tuple[str, ...]]]:
    """The lot's passes by name, and what a full class falls back to; empty where it has no such rules."""
    entitled, classes = lot.ruled("entitlements"), lot.ruled("classes")
    passes = {} if entitled is None else entitled.passes
    return passes, {} if classes is None else classes.rules.fallback
