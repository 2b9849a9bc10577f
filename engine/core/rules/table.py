"""The order in which rules are asked. The first that objects decides, and gives its reason."""

from liftgate.engine.core.model import Lot
from liftgate.engine.core.rules.access import IsKnown, KindIsTaken, LaneIsOpen, NotDenied
from liftgate.engine.core.rules.base import Rule
from liftgate.engine.core.rules.classes import HasSpaceOfClass
from liftgate.engine.core.rules.entitlements import IsEntitled
from liftgate.engine.core.rules.identity import NotLost, PlateAgrees, PlateComesAlong, PlateIsWitness
from liftgate.engine.core.rules.lanes import GoesWithTheTide, NotHeldByPlan
from liftgate.engine.core.rules.limits import IsOpenNow, TurnsRound
from liftgate.engine.core.rules.passback import PassbackIn, PassbackOut
from liftgate.engine.core.rules.payment import IsPaid
from liftgate.engine.core.rules.place import ComesFromInside, ComesFromOutside, HasSpace
from liftgate.engine.core.rules.reservations import HasSpaceOrReservation
from liftgate.engine.core.rules.tickets import IsGenuine, ProofComesAlong, TicketIsGood

ENTRY: tuple[type[Rule], ...] = (
    PlateIsWitness,
    ProofComesAlong,
    LaneIsOpen,
    GoesWithTheTide,
    KindIsTaken,
    IsGenuine,
    TicketIsGood,
    IsOpenNow,
    NotDenied,
    IsKnown,
    IsEntitled,
    ComesFromOutside,
    PassbackIn,
    HasSpace,
    HasSpaceOfClass,
    HasSpaceOrReservation,
    NotHeldByPlan,
    PlateComesAlong,
)

EXIT: tuple[type[Rule], ...] = (
    PlateIsWitness,
    ProofComesAlong,
    LaneIsOpen,
    GoesWithTheTide,
    KindIsTaken,
    IsGenuine,
    NotLost,
    ComesFromInside,
    PassbackOut,
    TurnsRound,
    PlateAgrees,
    IsPaid,
)


def rules_of(lot: Lot) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """The rules that this lot asks at entries and at exits: those that its parts have switched on."""
    return _asked(lot, ENTRY), _asked(lot, EXIT)


def _asked(lot: Lot, table: tuple[type[Rule], ...]) -> tuple[Rule, ...]:
    made = (rule.made_for(lot) for rule in table)
    return tuple(rule for rule in made if rule is not None)
