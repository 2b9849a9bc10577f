"""REPLAY: a reader's backlog, taken as history."""

from typing import TYPE_CHECKING, Any

from liftgate.codecs import codes
from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, PeerError
from liftgate.engine.core.commands import RecordHistory
from liftgate.engine.core.events import HistoryRecorded

if TYPE_CHECKING:
    from liftgate.gateways.link import Link

_FIELDS = {
    m.Scan.TYPE: ("kind", "token"),
    m.Passage.TYPE: ("what", "session"),
    m.LaneStatus.TYPE: ("barrier", "loop", "faults"),
}


def wait(link: "Link", message: m.Replay) -> bool:
    """Whether the REPLAY has to wait for proofs of tickets in it, or was refused as there are too many."""
    proofs = link.gateway.proofs
    if proofs.keyring.of(link.lot) is None:
        return False
    tokens = [token for entry in message.entries if (token := _ticket_of(entry)) is not None]
    return bool(tokens) and proofs.wait(link, "", message, link.lot, tokens)


def _ticket_of(entry: m.ReplayEntry) -> tuple[int, bytes] | None:
    """Kind and token of a QR code's scan. An entry that is wrong is refused in its turn, not here."""
    if entry.type != m.Scan.TYPE:
        return None
    try:
        told: Any = m.decode(entry.type, bytes(entry.body))
    except PeerError:
        return None
    return (told.kind, told.token) if told.kind == codes.QR else None


def replay(link: "Link", message: m.Replay) -> m.Replayed:
    """Record every entry, and say what of it the rules would have decided otherwise.

    Entries before a wrong one stay recorded; the wrong one raises PeerError.
    """
    findings = []
    numbering = link.own_numbering()
    for entry in message.entries:
        event = _record(link, entry)
        if isinstance(event, HistoryRecorded) and event.finding:
            findings.append((event.no, event.finding))
    gateway = link.gateway
    numbering = link.own_numbering()
    gaps = tuple((low, high) for low, high in numbering.ranges)
    pause_ms = gateway.pause_ms(len(message.entries))
    return m.Replayed(numbering.done_to, gaps, tuple(findings), gateway.engine.position, pause_ms)


def _record(link: "Link", entry: m.ReplayEntry) -> Any:
    """The event that the entry became now or before; None if that is no longer kept."""
    fields = _FIELDS.get(entry.type)
    if fields is None:
        raise PeerError(Fault.BAD_FIELD, f"type 0x{entry.type:02x} is not replayed", link.conn.ref)
    told: Any = m.decode(entry.type, bytes(entry.body))
    numbering = link.own_numbering()
    if numbering.has(told.no):
        return numbering.answer(told.no)
    lane = link.lane(told.lane)
    link.check_fits(numbering, told.no)
    engine = link.engine
    detail = tuple(getattr(told, field) for field in fields)
    at_ms = min(told.at_ms, codes.TIME_MS_MAX)
    proof = None
    if entry.type == m.Scan.TYPE:
        proof = link.gateway.proofs.of(link.lot, told.kind, told.token)
    away = link.gateway.away.get(link.id)
    command = RecordHistory(
        lane,
        numbering,
        told.no,
        at_ms,
        engine.now_ms,
        entry.type,
        entry.verdict_given,
        detail,
        proof,
        engine.began_ms if away is None else away,
        away is None,
    )
    events = engine.do(link.lot, command)
    return next(event for event in events if isinstance(event, HistoryRecorded))
