"""What a reader tells by another way than a connection of its own: a service speaks for it, or its will.

Under the reader's own boot and number, so it is done once, whatever ways it comes by.
"""

from typing import Any

from liftgate.codecs import codes
from liftgate.codecs import messages as m
from liftgate.engine.core.commands import RecordPassage, ReportLane
from liftgate.engine.core.model import Lot
from liftgate.engine.engine import Engine


def record(engine: Engine, lot: Lot, id: str, boot: int, told: m.Passage | m.LaneStatus) -> tuple[str, int]:
    """(code, position): code "" where it is recorded, now or before; position 0 where that is forgotten."""
    reader = lot.readers.get(id)
    lane = reader.lanes.get(told.lane) if reader is not None else None
    if reader is None or lane is None:
        return "no_such_lane", engine.position
    numbering = reader.numbering(boot)
    if numbering.has(told.no):
        return "", getattr(numbering.answer(told.no), "position", 0)
    if not numbering.fits(told.no):
        return "too_many_gaps", engine.position
    at_ms = min(told.at_ms, codes.TIME_MS_MAX)
    command: Any
    if isinstance(told, m.Passage):
        command = RecordPassage(lane, numbering, told.no, at_ms, engine.now_ms, told.what, told.session)
    else:
        seen = (told.barrier, told.loop, told.faults)
        command = ReportLane(lane, numbering, told.no, at_ms, engine.now_ms, *seen)
    engine.do(lot, command)
    return "", engine.position
