"""REPLAY: what readers did while they were alone, taken into the state as it happened.

Nothing here opens or refuses. Where the rules would have decided otherwise the event carries a finding.
"""

from liftgate.codecs import codes, raw
from liftgate.engine.core.commands import ReadCredential, RecordHistory
from liftgate.engine.core.events import HistoryRecorded, PassageRecorded, ScanDecided
from liftgate.engine.core.model import Lane, Lot, Stay
from liftgate.engine.core.parts.passes import THEME
from liftgate.engine.core.passages import BACKED_OUT, PASSED, passage_effect, passing_way, stay_before
from liftgate.engine.core.reads import new_session, way_through
from liftgate.engine.core.rules.place import HasSpace

LOOK = 500
"""Reason: the reader refused what the rules would have let through; a human should look."""


def record_history(lot: Lot, command: RecordHistory) -> tuple[HistoryRecorded, ...]:
    """One event, or none for a number that is known."""
    if command.numbering.has(command.no):
        return ()
    lane = command.lane
    event = HistoryRecorded()
    event.name(lot, lane, command.numbering, command.no, min(command.at_ms, command.now_ms))
    event.what, event.area = command.what, lane.area.id
    event.verdict_given, event.detail = command.verdict_given, command.fields
    if command.what == ScanDecided.TYPE:
        _scan(lot, command, event)
    elif command.what == PassageRecorded.TYPE:
        _passage(lot, command, event)
    return (event,)


def _scan(lot: Lot, command: RecordHistory, event: HistoryRecorded) -> None:
    read = _as_scan(lot, command, event)
    reason = next(
        (
            found
            for rule in (lot.entry if read.way == codes.IN else lot.exit)
            if (found := rule.check(lot, read))
        ),
        0,
    )
    if command.verdict_given != codes.OPEN:
        event.finding = 0 if reason else LOOK
        return
    event.finding = reason or read.soft_reason
    event.effect = "promised" if command.lane.confirm else "moved"
    if read.way == codes.IN:
        _came_in(lot, read, event)
    elif read.stay is not None:
        event.session = read.stay.session
    else:  # nobody knew it was in; where the lane confirms, its PASSAGE counts it
        event.effect = "" if command.lane.confirm else "adrift"


def _as_scan(lot: Lot, command: RecordHistory, event: HistoryRecorded) -> ReadCredential:
    read = ReadCredential(command.lane, command.numbering)
    read.kind, read.token = command.fields
    proof = read.proof = command.proof
    if proof is not None:
        read.token = proof.identity or read.token
        event.detail = (read.kind, read.token, proof.marks())
    read.credential = raw.credential(read.kind, read.token)
    read.now_ms, read.time_ms = command.now_ms, event.at_ms
    read.stay = lot.stays.get(read.credential)
    event.way = read.way = way_through(command.lane, read.stay)
    return read


def _came_in(lot: Lot, read: ReadCredential, event: HistoryRecorded) -> None:
    """A car that is in is in. If it was in before, it left unseen in between: the old stay gives way."""
    continues = read.stay is not None and read.stay.area is read.lane.area.parent
    event.session = read.stay.session if continues and read.stay else new_session(lot, event.at_ms)
    if not continues:
        _note_pass(lot, read)
    space = next((rule for rule in lot.entry if isinstance(rule, HasSpace)), HasSpace())
    if space.check(lot, read) == 0 and read.block is not None:
        event.spot = read.block.name(read.number) if read.number else read.block.key


def _note_pass(lot: Lot, read: ReadCredential) -> None:
    """Its spot is of a class of the pass that the stay will be counted for, whatever was found on the way."""
    part = lot.ruled(THEME)
    if part is not None:
        found = part.came_by(read.credential, read.time_ms)
        read.marks, read.said = (None if found is None else {"pass": found}), None


def _passage(lot: Lot, command: RecordHistory, event: HistoryRecorded) -> None:
    what, session = command.fields
    stay = None
    if what in (PASSED, BACKED_OUT):
        stay = stay_before(lot, command.lane, session) if session is not None else None
        stay = stay or _before_barrier(lot, command.lane, event.at_ms)
    event.way = passing_way(command.lane, stay)
    event.effect = passage_effect(command.lane, what, stay)
    event.session = stay.session if stay is not None else session


def _before_barrier(lot: Lot, lane: Lane, at_ms: int) -> Stay | None:
    """Whose passage it was at that time: a reader that is alone knows no sessions.

    Not simply the one longest waiting, as live: live cars may wait there now, and the hold of an entry out
    of the past lapses with the next Tick, often before its passage comes with the next REPLAY.
    """
    waited = [
        stay
        for stay in [*lot.moving.values(), *lot.lapsed.values()]
        if stay.lane is lane and stay.since_ms <= at_ms <= stay.since_ms + lot.confirm_ms
    ]
    return min(waited, key=lambda stay: stay.since_ms, default=None)
