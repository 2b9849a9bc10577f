"""What the orders of a theme put on record, answer, and are refused for: said beside the theme's chapter."""

from collections.abc import Callable
from typing import Any, NamedTuple

from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event


class Theme(NamedTuple):
    """effect: fields of the event that an order makes, by its name and args, with the facts after that event;
    result: the body of the outcome, by the event and the facts before it; refusals: codes that are true.
    """

    effect: Callable[[str, dict[str, Any], Lot], dict[str, Any]]
    result: Callable[[Event, Lot], dict[str, Any]]
    refusals: Callable[[str, dict[str, Any], Lot], set[str]]
