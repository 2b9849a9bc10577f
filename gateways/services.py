"""Services: COMMAND, QUERY, and the feed of durable records."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import structlog
from msgspec import Meta

from liftgate.codecs import codes
from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, PeerError
from liftgate.codecs.records import RECORD_BYTES_WHOLE_MAX, read_record
from liftgate.engine.core.commands import Order, ReadCredential
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.base import Reply
from liftgate.engine.engine import SEAL_BYTES_SMALL
from liftgate.engine.journal.feed import Chunk, Feed, PositionGone
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.storage import StorageError
from liftgate.gateways import answers, queries, registry, spoken

if TYPE_CHECKING:
    from liftgate.gateways.link import Link

log = structlog.get_logger()

CHUNKS_PER_ROUND = 2
"""EVENTS frames that one subscriber gets a round, 64 KiB each: a sink catching up shares the loop."""

_UNREADABLE = (PositionGone, JournalRotten, StorageError)

FRAME_OVERHEAD = 32
"""Bytes of an EVENTS body around its records."""


class ScanFor(msgspec.Struct, forbid_unknown_fields=True):
    """args of read_credential: a scan that reached a service, under the reader's own name for it."""

    reader: m.Id
    boot: m.Number
    no: m.Number
    lane: m.U8
    kind: Annotated[int, Meta(ge=1, le=4)]
    token: m.Token
    at_ms: m.U64


def command(link: "Link", message: m.CommandMessage) -> None:
    """Do a COMMAND once and answer it; the OUTCOME leaves with the round, when it is durable."""
    link._count_in_flight()
    lot = _lot(link, message.lot if message.lot != spoken.OWN_LOT else _lot_of_reader(link, message))
    if lot is None or not _may(link, message.name):
        code = "no_such_lot" if lot is None else "not_allowed"
        link.send(m.Outcome(message.id, False, code, {}, link.engine.position), link.conn.ref)
    elif message.name == spoken.HEAR or link.check_accepting():
        result = _SPEAKS.get(message.name, _order)(link, lot, message)
        if result is not None:
            ok, code, body, position = result
            link.send(m.Outcome(message.id, ok, code, body, position), link.conn.ref)


def _may(link: "Link", name: str) -> bool:
    right = spoken.CARRY if name == spoken.HEAR else name
    return link.service is not None and right in link.service.may


def _lot(link: "Link", id: str) -> Lot | None:
    """The lot, if there is one of that name and the service may ask about it."""
    service = link.service
    if service is None or (service.lots is not None and id not in service.lots):
        return None
    return link.engine.lots.get(id)


def _lot_of_reader(link: "Link", message: m.CommandMessage) -> str:
    """Who speaks for a reader need not know its lot."""
    reader = message.args.get("reader") if message.name in _SPEAKS else None
    directory = link.gateway.directory
    return directory.lot(reader) if isinstance(reader, str) and directory.keys(reader) else ""


Result = tuple[bool, str, dict[str, Any], int]
Speaks = Callable[["Link", Lot, m.CommandMessage], Result | None]
"""None: the OUTCOME follows, when the proof is there."""


def _order(link: "Link", lot: Lot, message: m.CommandMessage) -> Result:
    engine = link.engine
    new = message.id not in lot.outcomes
    if new and (objection := registry.objection(link.gateway, lot, message)):
        return False, *objection, engine.position
    reader = message.args.get("reader")
    target = link.gateway.readers.get(reader) if isinstance(reader, str) else None
    if target is not None and not target.reachable():
        target = None
    order = Order(engine.now_ms, message.id, link.id, message.name, message.args, target is not None)
    result = engine.order(lot, order)
    if new and result[0]:
        if target is not None:
            _tell(target, message)
        link.gateway.follow_registry(lot)
        link.gateway.policies.order_done(lot)
    return result


def _tell(target: "Link", message: m.CommandMessage) -> None:
    """Pass on to the reader what was ordered at one of its lanes. Modes go out with the round, whoever set
    them (`Gateway.commit`).
    """
    args = message.args
    told: m.Message
    if message.name == "open_lane":
        told = m.Vend(args["lane"], args["cause"])
    elif message.name == "display":
        told = m.Display(args["lane"], args["text"], args["seconds"])
    else:
        return
    target.send(told, target.gateway.next_ref())


def _read_credential(link: "Link", lot: Lot, message: m.CommandMessage) -> Result | None:
    """A scan by another path than its reader's own: the same name gets the same decision.

    None: it waits for a proof, or was answered ERROR 12.
    """
    engine = link.engine
    try:
        args = msgspec.convert(message.args, ScanFor)
    except msgspec.ValidationError as error:
        return False, "bad_args", {"text": str(error)}, engine.position
    reader = lot.readers.get(args.reader)
    lane = reader.lanes.get(args.lane) if reader is not None else None
    if reader is None or lane is None:
        return False, "no_such_lane", {}, engine.position
    link.gateway.carrier.heard(link, args.reader, args.boot)
    numbering = reader.numbering(args.boot)
    if numbering.has(args.no):
        event = numbering.answer(args.no)
    elif not numbering.fits(args.no):
        return False, "too_many_gaps", {}, engine.position
    else:
        scan = ReadCredential(lane, numbering)
        scan.no, scan.at_ms = args.no, min(args.at_ms, codes.TIME_MS_MAX)
        scan.kind, scan.token = args.kind, args.token
        if not link.gateway.proofs.prove(link, args.reader, lot, scan, message):
            return None
        event = engine.read(lot, scan)
    if not isinstance(event, ScanDecided):
        return True, "", {"no": args.no, "verdict": codes.REFUSE, "reason": answers.DECIDED_LONG_AGO}, 0
    return True, "", answers.decision_body(lot, event), event.position


_SPEAKS: dict[str, Speaks] = {
    "read_credential": _read_credential,
    "record_passage": spoken.record_passage,
    "report_lane": spoken.report_lane,
    "record_history": spoken.record_history,
    spoken.HEAR: spoken.hear_reader,
}
"""What a service says for a reader; all else are orders."""


def query(link: "Link", message: m.Query) -> None:
    """Answer from memory. What is seen may be undurable yet, so the ANSWER leaves with the round too."""
    link._count_in_flight()
    if message.name == spoken.ORDERS:
        orders = link.gateway.carrier.orders(link, message.args, link.conn.ref)
        if orders is not None:
            link.send(orders, link.conn.ref)
        return
    ok, code, body = _ask(link, message)
    answer = m.Answer(ok, code, body)
    size = len(m.encode(answer))
    if size > link.conn.frame_bytes_max:
        answer = m.Answer(False, "too_large", {"bytes": size})
    link.send(answer, link.conn.ref)


def _ask(link: "Link", message: m.Query) -> Reply:
    if not _may(link, "query"):
        return False, "not_allowed", {}
    if message.name == "status":
        return True, "", queries.status(link.gateway)
    lot = _lot(link, message.lot)
    if lot is None:
        return False, "no_such_lot", {}
    if message.name == "readers":
        return registry.readers(link.gateway, lot, message.args)
    return queries.answer(lot, message.name, message.args, link.gateway)


def subscribe(link: "Link", message: m.Subscribe) -> None:
    """Begin to feed a subscriber. A name that is not empty has a cursor, which holds the journal for it."""
    if not _may(link, "subscribe"):
        raise PeerError(Fault.NOT_ALLOWED, "may not subscribe", link.conn.ref)
    journal = link.engine.journal
    stored = journal.cursors.get(message.name) if message.name else None
    after = message.after if message.after is not None else (stored or 0)
    try:
        feed = Feed(journal, min(after, journal.durable_position))
    except _UNREADABLE as error:
        raise _unreadable(error, link.conn.ref) from error
    if message.name and stored is None:
        try:
            _set_cursor(link, message.name, min(after, journal.durable_position))
        except PeerError:
            feed.close()
            raise
    unsubscribe(link)
    if link.conn.frame_bytes_max < RECORD_BYTES_WHOLE_MAX + FRAME_OVERHEAD:
        link.engine.seal_bytes = SEAL_BYTES_SMALL
    link.feed, link.cursor_name = feed, message.name
    link.gateway.subscribers[link] = None


def unsubscribe(link: "Link") -> None:
    """Let go of the link's place in the journal, if it has one."""
    link.gateway.subscribers.pop(link, None)
    if link.feed is not None:
        link.feed.close()
        link.feed = None


def _unreadable(error: Exception, ref: int) -> PeerError:
    """What a subscriber is told. Damage in what is history already must not end a running engine."""
    if isinstance(error, PositionGone):
        text = f"position no longer kept; the oldest is {error.oldest}"
        return PeerError(Fault.POSITION_GONE, text, ref)
    log.critical("gateway.journal_unreadable", error=str(error))
    return PeerError(Fault.POSITION_GONE, "the journal cannot be read there: liftgate journal verify", ref)


def cursor(link: "Link", message: m.Cursor) -> None:
    """All up to here is safe where it was going."""
    if not link.cursor_name:
        raise PeerError(Fault.NOT_ALLOWED, "no cursor without a subscription of that name")
    _set_cursor(link, link.cursor_name, message.position)


def _set_cursor(link: "Link", name: str, position: int) -> None:
    try:
        link.engine.journal.move_cursor(name, position)
    except ValueError as error:
        raise PeerError(Fault.BAD_FIELD, str(error), link.conn.ref) from error


def pump(link: "Link") -> None:
    """Pack what is durable and new for a subscriber.

    Whoever is not held by a cursor may find that what comes next was retired: ERROR 15, and no more EVENTS
    until it subscribes again. Records are sent as they stand on disk. A service that takes smaller frames
    than the largest record gets them one by one, and ERROR 3 for one that was written before it came and
    does not fit.
    """
    try:
        _pump(link)
    except _UNREADABLE as error:
        link.refuse(_unreadable(error, 0))
        unsubscribe(link)


def _pump(link: "Link") -> None:
    room = link.conn.frame_bytes_max - FRAME_OVERHEAD
    for _ in range(CHUNKS_PER_ROUND):
        chunk = None
        if link.feed is not None:
            chunk = link.feed.read_nowait(max(room, RECORD_BYTES_WHOLE_MAX))
        if chunk is None:
            return
        if len(chunk.records) <= room:
            link.send(m.Events(chunk.first, chunk.last, chunk.records))
        elif not _send_singly(link, chunk, room):
            return


def _send_singly(link: "Link", chunk: Chunk, room: int) -> bool:
    """Send each record in a frame of its own; False, and an end, where one is too large for the peer."""
    start = 0
    while start < len(chunk.records):
        record = read_record(memoryview(chunk.records), start)
        if record is None:
            raise JournalRotten("", start, chunk.first, "a record went bad between disk and feed")
        if record.end - start > room:
            text = f"a record needs frame_bytes_max {record.end - start + FRAME_OVERHEAD}"
            link.refuse(PeerError(Fault.TOO_LONG, text))
            return False
        link.send(m.Events(record.first, record.last, chunk.records[start : record.end]))
        start = record.end
    return True
