"""The parts of a lot that its rules add: each is one theme's configuration and state."""

from liftgate.engine.core.parts.base import NEVER, Part
from liftgate.engine.core.parts.classes import ClassesPart
from liftgate.engine.core.parts.entitlements import EntitlementsPart
from liftgate.engine.core.parts.identity import Identity
from liftgate.engine.core.parts.lanes import LanesPart
from liftgate.engine.core.parts.ledger import Ledger
from liftgate.engine.core.parts.limits import Limits
from liftgate.engine.core.parts.offline import OfflinePart
from liftgate.engine.core.parts.passback import Passback
from liftgate.engine.core.parts.reconciliation import Reconciliation
from liftgate.engine.core.parts.registry import RegistryPart
from liftgate.engine.core.parts.reservations import ReservationsPart
from liftgate.engine.core.parts.tickets import Tickets

PARTS: tuple[type[Part], ...] = (
    LanesPart,
    Passback,
    EntitlementsPart,
    ClassesPart,
    Ledger,
    Limits,
    Reconciliation,
    ReservationsPart,
    RegistryPart,
    Tickets,
    OfflinePart,
    Identity,
)
"""In this order they are asked what is due, and told what happened. Identity is last, as it ends stays: what
the others say in the same Tick of a stay is said while it is still there."""

__all__ = ["NEVER", "PARTS", "Part"]
