"""The order in which rules are asked. The first that objects decides, and gives its reason."""

from liftgate.engine.core.rules.access import IsKnown, KindIsTaken, LaneIsOpen, NotDenied
from liftgate.engine.core.rules.base import Rule
from liftgate.engine.core.rules.payment import IsPaid
from liftgate.engine.core.rules.place import ComesFromInside, ComesFromOutside, HasSpace

ENTRY: tuple[Rule, ...] = (
    LaneIsOpen(),
    KindIsTaken(),
    NotDenied(),
    IsKnown(),
    ComesFromOutside(),
    HasSpace(),
)

EXIT: tuple[Rule, ...] = (
    LaneIsOpen(),
    KindIsTaken(),
    ComesFromInside(),
    IsPaid(),
)
