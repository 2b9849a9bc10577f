"""apply(lot, event): the fold. It never refuses: what stands in the journal happened.

The same code runs behind `decide` and in replay, so replay equals memory. What an event names and the
state does not hold is a broken journal or a bug, and raises BrokenState: going on would make it worse.
"""

from collections.abc import Callable
from typing import Any

from liftgate.codecs import codes, raw
from liftgate.codecs.events import operators as op
from liftgate.engine.core import moves, names
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.configure import apply_lot_configured, apply_reader_configured
from liftgate.engine.core.events import (
    Event,
    HistoryRecorded,
    LaneReported,
    PassageRecorded,
    ReaderEvent,
    ScanDecided,
)
from liftgate.engine.core.model import LAPSED_MAX, OUTCOMES_MAX, Area, Block, Lane, Lot, Stay
from liftgate.engine.core.names import BrokenState
from liftgate.engine.core.parts import PARTS
from liftgate.engine.core.parts.setup import set_rules
from liftgate.engine.core.passages import FOLLOWED, PASSED


def apply(lot: Lot, event: Event, position: int) -> None:
    """Fold one event into `lot`. position: where the journal holds it, repeated in answers."""
    if isinstance(event, ScanDecided):
        apply_scan(lot, event, position, names.resolve(lot, event, None))
        return
    _advance(lot, event.seq)
    lot.at_ms = event.at_ms
    _APPLIERS[type(event)](lot, event, position)


def _advance(lot: Lot, seq: int) -> None:
    if seq != lot.seq + 1:
        raise BrokenState(f"lot {lot.id}: event {seq} after {lot.seq}")
    lot.seq = seq


def apply_scan(lot: Lot, event: ScanDecided, position: int, read: ReadCredential) -> None:
    """Fold a scan. read: what it names in the model, as `decide_read` left it or `names.resolve` found it."""
    _advance(lot, event.seq)
    lot.at_ms = event.at_ms
    event.position = position
    read.lane.tally.scanned(event.at_ms, event.verdict == codes.OPEN)
    read.lane.reader.keep(read.numbering)
    read.numbering.note(event.no, event)
    if event.verdict == codes.OPEN and event.effect != codes.NOTHING:
        _take_effect(lot, event, read)
    if lot.listeners:
        _tell_scan(lot, event, read)


def _tell_scan(lot: Lot, event: ScanDecided, read: ReadCredential) -> None:
    """Most scans have no marks or usual ones, of which few parts want to know."""
    usual = read.marks is None or read.said is not None
    listeners = lot.scan_listeners if usual else lot.listeners
    if listeners:
        lot.marks, lot.said = read.marks, read.said
        stay = read.stay if event.way == codes.IN else moves.still_there(lot, read.stay, read.credential)
        for part in listeners:
            part.heard(event, stay)
        lot.marks = lot.said = None


def _tell(lot: Lot, event: ReaderEvent, stay: Stay | None) -> None:
    """Parts hear of every event of a reader."""
    for part in lot.listeners:
        part.heard(event, stay)


def _take_effect(lot: Lot, event: ScanDecided, read: ReadCredential) -> None:
    lane = read.lane
    stay = read.stay
    now = event.effect == codes.MOVED
    if event.way == codes.IN:
        stay = read.stay = _entering(lot, stay, read.credential, event.session, event.at_ms)
        _go(lot, stay, lane, lane.area, read.block, read.number, now)
    elif stay is not None:
        _go(lot, stay, lane, lane.area.parent, None, 0, now)
    elif event.session is not None:
        _leave_named(lot, event, read, event.session)
    else:  # its entry nobody saw: where the lane confirms, its PASSAGE will count it
        lot.forgiven.pop(read.credential, None)
        if now:
            _count_adrift(lane, codes.OUT, False, event.at_ms)


def _go(
    lot: Lot, stay: Stay, lane: Lane, to: Area | None, block: Block | None, number: int, now: bool
) -> None:
    """The lane was opened for the stay; now: it counts in `to` at once."""
    before = stay.area
    if not now:
        if stay.moving and stay.lane is lane:
            lane.tally.again += 1
        moves.promise_move(lot, stay, lane, to, block, number, lot.at_ms)
        return
    moves.move_now(lot, stay, to, block, number)
    if stay.area is not before:
        lane.tally.moved += 1


def _leave_named(lot: Lot, event: ScanDecided, read: ReadCredential, session: bytes) -> None:
    """An exit whose entry nobody saw, and the car gets a name for it: a stay of unknown entry."""
    lane = read.lane
    lot.forgiven.pop(read.credential, None)
    stay = Stay(session, read.credential, event.at_ms)
    stay.notes = {"identity": {"unknown_entry": True}}
    moves.name_car(lot, stay, lane.area)
    _go(lot, stay, lane, lane.area.parent, None, 0, event.effect == codes.MOVED)


def _entering(lot: Lot, stay: Stay | None, credential: bytes, session: bytes | None, at_ms: int) -> Stay:
    """The stay that an entry goes on with. One of another session gives way: its car left unseen."""
    if session is None:
        raise BrokenState(f"lot {lot.id}: an entry without a session")
    if stay is not None and stay.session == session:
        return stay
    if stay is not None:
        moves.end_stay(lot, stay)
    if lot.forgiven:
        lot.forgiven.pop(credential, None)
    stay = Stay(session, credential, at_ms)
    lot.stays[credential] = stay
    return stay


def _note(lot: Lot, event: ReaderEvent, position: int) -> Lane:
    """What all events of readers share: their number is known from here on."""
    lane = names.lane_of(lot, event.reader, event.lane)
    event.position = position
    numbering = lane.reader.numbering(event.boot)
    lane.reader.keep(numbering)
    numbering.note(event.no, event)
    return lane


def _apply_passage(lot: Lot, event: PassageRecorded, position: int) -> None:
    lane = _note(lot, event, position)
    stay = _of_session(lot, event.session)
    lane.tally.saw(event.at_ms, event.what)
    _pass(lot, lane, event, event.what)
    for part in lot.lane_listeners:
        part.passed(event, event.what, lane)
    if lot.listeners:
        _tell(lot, event, stay)


def _of_session(lot: Lot, session: bytes | None) -> Stay | None:
    if session is None:
        return None
    return lot.moving.get(session) or lot.lapsed.get(session)


def _pass(lot: Lot, lane: Lane, event: PassageRecorded | HistoryRecorded, what: int) -> None:
    session, effect = event.session, event.effect
    if effect == "adrift":
        _count_adrift(lane, event.way, what == FOLLOWED, event.at_ms)
    elif session is not None and effect == "moved":
        stay = _moving_or_lapsed(lot, session)
        before = stay.area
        moves.finish_move(lot, stay)
        lane.tally.moved += stay.area is not before
    elif session is not None and effect == "withdrawn":
        moves.cancel_move(lot, _moving_or_lapsed(lot, session))


def _count_adrift(lane: Lane, way: int, followed: bool, at_ms: int) -> None:
    lane.tally.unnamed += 1
    moves.count_adrift(lane.area, way, followed, at_ms, f"{lane.reader.id}/{lane.number}")


def _moving_or_lapsed(lot: Lot, session: bytes) -> Stay:
    stay = lot.moving.get(session) or lot.lapsed.get(session)
    if stay is None:
        raise BrokenState(f"lot {lot.id}: no stay {session.hex()} is moving")
    return stay


def _apply_lane(lot: Lot, event: LaneReported, position: int) -> None:
    lane = _note(lot, event, position)
    lane.tally.begun(event.at_ms)
    lane.tally.numbers += 1
    lane.barrier, lane.loop, lane.faults = event.barrier, event.loop, event.faults
    if lot.listeners:
        _tell(lot, event, None)


def _apply_history(lot: Lot, event: HistoryRecorded, position: int) -> None:
    lane = _note(lot, event, position)
    stay, detail = _of_session(lot, event.session), event.detail
    passage = detail[0] if event.what == PassageRecorded.TYPE else 0
    opened = event.what == ScanDecided.TYPE and event.verdict_given == codes.OPEN
    lane.tally.was_told(passage == PASSED, passage == FOLLOWED, opened)
    if event.what == PassageRecorded.TYPE:
        before = None if stay is None else stay.area
        _pass(lot, lane, event, passage)
        if stay is not None:
            _note_late(before, stay.area)
        for part in lot.lane_listeners:
            part.passed(event, passage, lane)
    elif event.what == LaneReported.TYPE:
        lane.barrier, lane.loop, lane.faults = detail[0], detail[1], tuple(detail[2])
    elif event.verdict_given == codes.OPEN:
        credential = raw.credential(detail[0], detail[1])
        _apply_history_scan(lot, lane, event, credential)
        stay = lot.stays.get(credential)
    if lot.listeners:
        _tell(lot, event, stay)


def _apply_history_scan(lot: Lot, lane: Lane, event: HistoryRecorded, credential: bytes) -> None:
    lot.forgiven.pop(credential, None)
    if event.effect == "adrift":
        _count_adrift(lane, codes.OUT, False, event.at_ms)
    elif event.effect:
        _move_by_history(lot, lane, event, credential)


def _move_by_history(lot: Lot, lane: Lane, event: HistoryRecorded, credential: bytes) -> None:
    stay = lot.stays.get(credential)
    read = ReadCredential(lane, lane.reader.numbering(event.boot))
    names.find(lot, event.spot, read)
    if event.way == codes.IN:
        stay = _entering(lot, stay, credential, event.session, event.at_ms)
        target: Area | None = lane.area
    else:
        target = lane.area.parent
    if stay is None:
        raise BrokenState(f"lot {lot.id}: nobody to let out at event {event.seq}")
    before = stay.area
    _go(lot, stay, lane, target, read.block, read.number, event.effect == "moved")
    _note_late(before, stay.area)


def _note_late(before: Area | None, after: Area | None) -> None:
    """A stay went from `before` to `after` by what a REPLAY told."""
    if before is after:
        return
    if before is not None:
        before.tally.late_out += 1
    if after is not None:
        after.tally.late_in += 1


def _apply_lapsed(lot: Lot, event: op.MoveLapsed, position: int) -> None:
    stay = lot.moving.get(event.session)
    if stay is None:
        raise BrokenState(f"lot {lot.id}: nothing to lapse at event {event.seq}")
    lane = stay.lane
    if lane is not None:
        lane.tally.begun(event.at_ms)
        lane.tally.lapsed += 1
        lane.area.tally.lapsed += 1
    moves.cancel_move(lot, stay)
    stay.lane = lane
    lot.lapsed[stay.session] = stay
    if len(lot.lapsed) > LAPSED_MAX:
        lot.lapsed.pop(next(iter(lot.lapsed))).lane = None


def _apply_done(lot: Lot, event: op.CommandDone, position: int) -> None:
    lot.outcomes[event.id] = (event.ok, event.code, event.body, position)
    if len(lot.outcomes) > OUTCOMES_MAX:
        del lot.outcomes[next(iter(lot.outcomes))]


def _apply_corrected(lot: Lot, event: op.CountCorrected, position: int) -> None:
    area, change = lot.areas[event.area], event.after - event.before
    area.adrift += change
    area.tally.corrected += change
    area.tally.note(event.at_ms, "corrected", change, event.actor)
    for part in lot.parts.values():
        part.recounted(area)


def _apply_rules(lot: Lot, event: op.RulesSet, position: int) -> None:
    set_rules(lot, event.rules)


def _apply_finding(lot: Lot, event: op.FindingMade, position: int) -> None:
    for part in lot.parts.values():
        part.found(event)


def _apply_nothing(lot: Lot, event: Event, position: int) -> None:
    """What was done at a barrier or a display leaves no trace in the state but its seq."""


def _apply_denied(lot: Lot, event: op.CredentialDenied, position: int) -> None:
    lot.denied[event.credential] = event.reason


def _apply_allowed(lot: Lot, event: op.CredentialAllowed, position: int) -> None:
    lot.denied.pop(event.credential, None)


def _apply_registered(lot: Lot, event: op.CredentialRegistered, position: int) -> None:
    lot.known[event.credential] = event.classes


def _apply_forgotten(lot: Lot, event: op.CredentialForgotten, position: int) -> None:
    lot.known.pop(event.credential, None)


def _apply_reset(lot: Lot, event: op.PassbackReset, position: int) -> None:
    stay = lot.stays.get(event.credential)
    if stay is not None:
        stay.forgiven = True
    else:
        lot.forgiven[event.credential] = None


_APPLIERS: dict[type, Callable[[Lot, Any, int], None]] = {
    PassageRecorded: _apply_passage,
    LaneReported: _apply_lane,
    HistoryRecorded: _apply_history,
    op.LotConfigured: apply_lot_configured,
    op.ReaderConfigured: apply_reader_configured,
    op.MoveLapsed: _apply_lapsed,
    op.CommandDone: _apply_done,
    op.CountCorrected: _apply_corrected,
    op.TextShown: _apply_nothing,
    op.CredentialDenied: _apply_denied,
    op.CredentialAllowed: _apply_allowed,
    op.CredentialRegistered: _apply_registered,
    op.CredentialForgotten: _apply_forgotten,
    op.PassbackReset: _apply_reset,
    op.RulesSet: _apply_rules,
    op.FindingMade: _apply_finding,
}
for _part in PARTS:
    _APPLIERS.update(_part.APPLIERS)
