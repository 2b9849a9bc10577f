"""The fold over journalled events: how memory is rebuilt, at the speed that a crash at noon asks for."""

from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core import apply as folding
from liftgate.engine.core import events
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.model import Lot


def fold(lots: dict[str, Lot], payload: bytes, first: int, after: int) -> int:
    """Apply the events of one record to their lots, new lots included; the position after the last.

    first: position of the payload's first event; those up to `after` are in the lots already. Raises
    Malformed and BrokenState.
    """
    source = Unpacker(payload)
    position = first
    read: ReadCredential | None = None
    while source.at < source.end:
        event = events.unpack(source)
        if position > after:
            lot = lots.get(event.lot)
            if lot is None:
                lot = lots[event.lot] = Lot(event.lot)
            if isinstance(event, ScanDecided):
                read = folding.resolve(lot, event, read)
                folding.apply_scan(lot, event, position, read)
            else:
                folding.apply(lot, event, position)
        position += 1
    return position
