"""What an event names, looked up in the model: its lane, its spot, and in replay all that a scan names."""

from liftgate.codecs import raw
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.model import PLACES_MAX, Block, Lane, Lot


class BrokenState(Exception):
    """An event does not fit the state: journal and code disagree. Never caught inside the engine."""


def resolve(lot: Lot, event: ScanDecided, read: ReadCredential | None) -> ReadCredential:
    """In replay: look up what the event names, into `read` where one is at hand.

    read: another scan's of this lot, its lane and reader still the lot's. The event gets the model's own
    texts for its names, so that what is kept of it is small, and the next one's reader is known by its text.
    """
    lane = None if read is None else read.lane
    if lane is None or event.reader is not lane.reader.id or event.lane != lane.number:
        lane = lane_of(lot, event.reader, event.lane)
    numbering = lane.reader.numbering(event.boot)
    if read is None:
        read = ReadCredential(lane, numbering)
    read.lane = lane
    read.numbering = numbering
    read.credential = raw.credential(event.kind, event.token)
    read.stay = lot.stays.get(read.credential)
    read.marks = None if event.rare is None else event.marks or None
    read.said = None
    find(lot, event.spot, read)
    event.lot = lot.id
    event.reader = lane.reader.id
    event.area = lane.area.id
    return read


def lane_of(lot: Lot, id: str, number: int) -> Lane:
    """The reader's lane of that number. Raises BrokenState."""
    reader = lot.readers.get(id)
    lane = None if reader is None else reader.lanes.get(number)
    if lane is None:
        raise BrokenState(f"lot {lot.id}: no lane {number} of {id!r}")
    return lane


def find(lot: Lot, name: str | None, read: ReadCredential) -> None:
    """Leave in `read` what a spot's name stands for; a block's own name is it without a number."""
    read.block = None
    read.number = 0
    if name is None:
        return
    place = lot.places.get(name)
    if place is None:
        place = _place_of(lot, name)
        if len(lot.places) >= PLACES_MAX:
            lot.places.clear()
        lot.places[name] = place
    read.block = place[0]
    read.number = place[1]


def _place_of(lot: Lot, name: str) -> tuple[Block, int]:
    block = lot.blocks.get(name)
    if block is not None:
        return block, 0
    key, _, number = name.rpartition("-")
    block = lot.blocks.get(key)
    if block is None:
        raise BrokenState(f"lot {lot.id}: no spot {name!r}")
    return block, int(number)
