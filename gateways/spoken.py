"""COMMANDs of a service that speaks for a reader: `record_passage`, `report_lane`, `record_history`.

Beside `read_credential`: so that all that a reader says can come through a service, under the reader's own
boot and numbers. args: `ToldFor`. `hear_reader` is what it says beside its events.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.frame import PeerError
from liftgate.engine.core.events import HistoryRecorded
from liftgate.engine.core.model import Lot, Reader
from liftgate.gateways import replays
from liftgate.gateways import told as tell

if TYPE_CHECKING:
    from liftgate.gateways.link import Link

OWN_LOT = "*"
"""For the lot of a COMMAND, here and in `read_credential`: that of the reader. No lot can be called so."""

HEAR, ORDERS = "hear_reader", "orders"
CARRY = "carry_readers"
"""COMMAND and QUERY of services that carry readers (`gateways/carried.py`), and the right to both."""

Result = tuple[bool, str, dict[str, Any], int]


class ToldFor(msgspec.Struct, forbid_unknown_fields=True):
    """args of all three. message: the body of PASSAGE, LANE_STATUS or REPLAY as the reader sent it."""

    reader: m.Id
    boot: m.Number
    message: bytes


class HeardFor(msgspec.Struct, forbid_unknown_fields=True):
    """args of hear_reader: type, ref and body of DONE, TIME_ASK, PING, PONG or GOODBYE."""

    reader: m.Id
    type: m.U8
    message: bytes
    ref: m.U32 = 0


HEARD = frozenset({m.Done.TYPE, m.TimeAsk.TYPE, m.Ping.TYPE, m.Pong.TYPE, m.Goodbye.TYPE})


def hear_reader(link: "Link", lot: Lot, message: m.CommandMessage) -> Result:
    """What a reader says that is no event, and is not journalled; `time` in the body is TIME's."""
    position = link.engine.position
    try:
        args = msgspec.convert(message.args, HeardFor)
        if args.type not in HEARD:
            raise ValueError(f"type 0x{args.type:02x} is not heard so")
        told = m.decode(args.type, args.message)
    except (ValueError, PeerError) as error:
        return False, "bad_args", {"text": str(error)}, position
    return True, "", link.gateway.carrier.hear(link, args.reader, told, args.ref), position


def _read(link: "Link", message: m.CommandMessage, kind: int) -> tuple[ToldFor, Any]:
    """(args, what the reader told). Raises ValueError, PeerError."""
    args = msgspec.convert(message.args, ToldFor)
    link.gateway.carrier.heard(link, args.reader, args.boot)
    return args, m.decode(kind, args.message)


def record_passage(link: "Link", lot: Lot, message: m.CommandMessage) -> Result:
    """What a lane saw of a car."""
    return _record(link, lot, message, m.Passage.TYPE)


def report_lane(link: "Link", lot: Lot, message: m.CommandMessage) -> Result:
    """A lane's state."""
    return _record(link, lot, message, m.LaneStatus.TYPE)


def _record(link: "Link", lot: Lot, message: m.CommandMessage, kind: int) -> Result:
    engine = link.engine
    try:
        args, told = _read(link, message, kind)
    except (ValueError, PeerError) as error:
        return False, "bad_args", {"text": str(error)}, engine.position
    code, position = tell.record(engine, lot, args.reader, args.boot, told)
    return not code, code, {} if code else {"no": told.no}, position


def record_history(link: "Link", lot: Lot, message: m.CommandMessage) -> Result | None:
    """A reader's backlog. Entries before a wrong one stay recorded, as over its own connection.

    None: it waits for proofs of tickets in it, or was answered ERROR 12.
    """
    engine, gateway = link.engine, link.gateway
    try:
        args, replay = _read(link, message, m.Replay.TYPE)
    except (ValueError, PeerError) as error:
        return False, "bad_args", {"text": str(error)}, engine.position
    if replays.wait_for(link, lot, replay.entries, message):
        return None
    reader, findings = lot.readers.get(args.reader), []
    for entry in replay.entries:
        code, event = _history(link, lot, reader, args.boot, entry)
        if code:
            return False, code, {}, engine.position
        if isinstance(event, HistoryRecorded) and event.finding:
            findings.append([event.no, event.finding])
    if reader is None:
        return False, "no_such_lane", {}, engine.position
    numbering = reader.numbering(args.boot)
    body = {
        "done_to": numbering.done_to,
        "gaps": [list(gap) for gap in numbering.ranges],
        "findings": findings,
        "pause_ms": gateway.pause_ms(len(replay.entries)),
    }
    return True, "", body, engine.position


def _history(
    link: "Link", lot: Lot, reader: Reader | None, boot: int, entry: m.ReplayEntry
) -> tuple[str, Any]:
    """(code, the event that one entry became now or before)."""
    if entry.type not in (m.Scan.TYPE, m.Passage.TYPE, m.LaneStatus.TYPE):
        return "bad_args", None
    try:
        told: Any = m.decode(entry.type, bytes(entry.body))
    except PeerError:
        return "bad_args", None
    lane = reader.lanes.get(told.lane) if reader is not None else None
    if reader is None or lane is None:
        return "no_such_lane", None
    numbering = reader.numbering(boot)
    if numbering.has(told.no):
        return "", numbering.answer(told.no)
    if not numbering.fits(told.no):
        return "too_many_gaps", None
    return "", replays.record_told(link.gateway, lot, lane, numbering, entry, told)
