"""Who is told of what: the parts of a lot that hear of cars, of events and of passages.

Not compiled: in C a class's own method is no object to compare another one with.
"""

from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.base import Part


def enlist(lot: Lot) -> None:
    """Make the lists anew."""
    parts = [part for part in lot.parts.values() if part.on]
    lot.watchers = tuple(part for part in parts if part.watches and type(part).moved is not Part.moved)
    lot.listeners = tuple(part for part in parts if part.listens and type(part).heard is not Part.heard)
    lot.scan_listeners = tuple(part for part in lot.listeners if part.every_scan)
    lot.lane_listeners = tuple(part for part in parts if type(part).passed is not Part.passed)


def watch_if(part: Part, any: bool) -> None:
    """Have a part be told of cars only while there are any that matter to it: each car asks all who watch."""
    if any != part.watches:
        part.watches = any
        enlist(part.lot)
