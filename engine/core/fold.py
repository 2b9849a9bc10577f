"""The fold over journalled events: how memory is rebuilt, at the speed that a crash at noon asks for."""

from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core import apply as folding
from liftgate.engine.core import events, names
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.events import ReaderEvent, ScanDecided
from liftgate.engine.core.model import Lot


def fold(lots: dict[str, Lot], payload: bytes, first: int, after: int) -> int:
    """Apply the events of one record to their lots, new lots included; the position after the last.

    first: position of the payload's first event; those up to `after` are in the lots already. Raises
    Malformed and BrokenState.
    """
    source = Unpacker(payload)
    position = first
    before: ScanDecided | None = None
    read: ReadCredential | None = None
    while source.at < source.end:
        event = events.unpack(source, before)
        here = position
        position += 1
        if here <= after:
            continue
        if isinstance(event, ScanDecided):
            scan = event  # a name with a type: compiled, its fields are read without a look-up
            if before is None or scan.lot is not before.lot:
                lot = _lot(lots, scan.lot)
                read = None
            read = names.resolve(lot, scan, read)
            folding.apply_scan(lot, scan, here, read)
            before = scan
        else:
            folding.apply(_lot(lots, event.lot), event, here)
            if not isinstance(event, ReaderEvent):
                before = read = None  # it may have put other lanes and readers in the place of those
    return position


def _lot(lots: dict[str, Lot], id: str) -> Lot:
    lot = lots.get(id)
    if lot is None:
        lot = lots[id] = Lot(id)
    return lot
