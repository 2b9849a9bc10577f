"""The chapters in the order in which they judge: what a record is, before what it means."""

from liftgate.sim.world.audit.access import Access
from liftgate.sim.world.audit.answered import Answered
from liftgate.sim.world.audit.answers import Answers
from liftgate.sim.world.audit.barriers import Barriers
from liftgate.sim.world.audit.books import Books
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.chargers import Chargers
from liftgate.sim.world.audit.commands import Commands
from liftgate.sim.world.audit.configured import Configured
from liftgate.sim.world.audit.durability import Durability
from liftgate.sim.world.audit.entitlements import Entitlements
from liftgate.sim.world.audit.feeds import Feeds
from liftgate.sim.world.audit.identity import Identity
from liftgate.sim.world.audit.lanes import LaneModes, LaneWatch, Plans, Tides
from liftgate.sim.world.audit.ledger import Ledger
from liftgate.sim.world.audit.limits import Limits
from liftgate.sim.world.audit.moves import Moves
from liftgate.sim.world.audit.offline import Offline
from liftgate.sim.world.audit.once import Once
from liftgate.sim.world.audit.order import Order
from liftgate.sim.world.audit.passback import Passback
from liftgate.sim.world.audit.queries import Queries
from liftgate.sim.world.audit.reasons import Reasons
from liftgate.sim.world.audit.registry import Registry
from liftgate.sim.world.audit.reservations import Reservations
from liftgate.sim.world.audit.rows import Rows
from liftgate.sim.world.audit.sessions import Sessions
from liftgate.sim.world.audit.spots import Spots
from liftgate.sim.world.audit.tickets import Tickets

CHAPTERS: tuple[type[Chapter], ...] = (
    Order,
    Durability,
    Once,
    Configured,
    Registry,
    Access,
    Entitlements,
    Chargers,
    Passback,
    Limits,
    Identity,
    Tickets,
    Offline,
    Reasons,
    Reservations,
    Spots,
    Sessions,
    Moves,
    Ledger,
    LaneModes,
    Plans,
    Tides,
    LaneWatch,
    Books,
    Rows,
    Commands,
    Answers,
    Answered,
    Barriers,
    Queries,
    Feeds,
)
