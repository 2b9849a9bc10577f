"""The fold of recovery against each event applied by itself, whatever stands beside what in a record."""

from collections.abc import Sequence

from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.apply import apply
from liftgate.engine.core.events import unpack
from liftgate.engine.core.fold import fold
from liftgate.engine.core.model import Lot
from tests.engine.core.lots import IN_AND_OUT, Yard, area, block, lane_spec, lot_spec, pieces

NESTED = lot_spec(area("north", None, block("P1", "A", 3)), area("inner", "north", block("P2", "B", 2)))
INWARDS = (lane_spec(0, "entry", "inner"), lane_spec(1, "exit", "inner"))


def in_turn(*logs: bytes) -> list[bytes]:
    """An event of each, then the next of each, to the end of the shortest, and then what is left."""
    rest = [pieces(log) for log in logs]
    mixed = []
    while any(rest):
        mixed += [events.pop(0) for events in rest if events]
    return mixed


def dumps(lots: dict[str, Lot]) -> dict[str, bytes]:
    return {id: state.dump(lot) for id, lot in lots.items()}


def one_by_one(events: Sequence[bytes]) -> dict[str, bytes]:
    """What the events make of no lots when each is read and applied with nothing known of the others."""
    lots: dict[str, Lot] = {}
    for position, data in enumerate(events, 1):
        event = unpack(Unpacker(data))
        apply(lots.setdefault(event.lot, Lot(event.lot)), event, position)
    return dumps(lots)


def check(events: Sequence[bytes]) -> None:
    """As one record, and with a snapshot that has a part of it, whatever part."""
    expected = one_by_one(events)
    log = b"".join(events)
    lots: dict[str, Lot] = {}
    assert fold(lots, log, 1, 0) == len(events) + 1
    assert dumps(lots) == expected
    for cut in range(len(events)):
        lots = {}
        fold(lots, b"".join(events[:cut]), 1, 0)
        assert fold(lots, log, 1, cut) == len(events) + 1
        assert dumps(lots) == expected


def lived(made: Yard) -> bytes:
    """Cars come and go by two readers, one under two boots; the log of it."""
    for token in (b"anna", b"boris", b"clara", b"dora"):
        made.scan(0, token)
        made.scan(0, token, reader="q")
        made.scan(1, token, boot=8)
    made.passage(0)
    made.scan(1, b"anna", reader="q")
    return bytes(made.log)


def test_readers_take_turns() -> None:
    check(pieces(lived(Yard(r=IN_AND_OUT, q=IN_AND_OUT))))


def test_lots_take_turns() -> None:
    """Lots, readers and areas of the same names and of others, scan by scan."""
    north = lived(Yard(NESTED, r=IN_AND_OUT, q=INWARDS))
    south = lived(Yard(lot="south", r=IN_AND_OUT, q=IN_AND_OUT))
    umlaut = lived(Yard(NESTED, lot="süd", r=INWARDS, q=IN_AND_OUT))
    check(in_turn(north, south, umlaut))


def test_lanes_change_between_scans_of_one_reader() -> None:
    """Its first lane leads somewhere else from then on, and what was found for the scan before is no more."""
    made = Yard(NESTED, r=IN_AND_OUT)
    made.scan(0, b"anna")
    made.do(c.ConfigureReader(made.now_ms, "r", INWARDS))
    event = made.scan(0, b"boris")
    assert event.area == "inner"
    made.do(c.ConfigureReader(made.now_ms, "r", (lane_spec(1, "exit"),)))
    made.do(c.ConfigureReader(made.now_ms, "r", IN_AND_OUT))
    made.scan(0, b"clara")
    made.scan(1, b"clara")
    check(pieces(bytes(made.log)))
