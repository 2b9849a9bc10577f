"""REPLAY: what readers did while they were alone, taken into the state as it happened.

Nothing here opens or refuses. Where the rules would have decided otherwise the event carries a finding: the
first that is true, as a live scan is given one reason. Where `[lot.rules.offline]` lets readers decide alone
it may also be one of its limits, and what else is wrong with an entry is a finding of its own beside it.
"""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from liftgate.codecs import codes, raw
from liftgate.codecs.events.lanes import AloneReported
from liftgate.codecs.events.operators import FindingMade
from liftgate.engine.core.commands import ReadCredential, RecordHistory
from liftgate.engine.core.events import Event, HistoryRecorded, PassageRecorded, ScanDecided
from liftgate.engine.core.model import Lane, Lot, Stay
from liftgate.engine.core.parts.offline import TOO_LONG, TOO_MANY, OfflinePart, offline_of, opens_entry
from liftgate.engine.core.parts.passes import THEME
from liftgate.engine.core.passages import BACKED_OUT, PASSED, passage_effect, passing_way, stay_before
from liftgate.engine.core.reads import new_session, way_through
from liftgate.engine.core.rules.place import HasSpace

LOOK = 500
"""Reason: the reader refused what the rules would have let through; a human should look."""

DENIED, USED_BEFORE, INSIDE, NOT_INSIDE, FULL = 201, 204, 210, 211, 300
WORDS = {
    DENIED: "is on the deny list",
    USED_BEFORE: "was used before",
    INSIDE: "was inside already",
    NOT_INSIDE: "left and was never seen coming in",
    FULL: "came in above capacity",
    TOO_MANY: "came in after the reader had opened as often as it may",
    TOO_LONG: "came in when the reader had been alone for longer than it may decide",
}
"""What is found beside an entry's first finding: by reason, in words about its car."""


def record_history(lot: Lot, command: RecordHistory) -> tuple[Event, ...]:
    """HistoryRecorded, in a lot whose readers may decide alone with what goes before and after it; none for a
    number that is known.
    """
    if command.numbering.has(command.no):
        return ()
    part = offline_of(lot)
    event, found = _recorded(lot, command, part is not None)
    return (event,) if part is None else _with_limits(lot, command, part, event, found)


def _with_limits(
    lot: Lot, command: RecordHistory, part: OfflinePart, event: HistoryRecorded, found: list[int]
) -> tuple[Event, ...]:
    reader = event.reader
    since_ms = part.begins(reader, event.at_ms, command.alone_ms, command.restarted)
    before = (AloneReported(lot.id, event.seq, command.now_ms, reader, since_ms),) if since_ms else ()
    event.seq += len(before)
    if opens_entry(event):
        found += part.exceeded(reader, event.at_ms, since_ms)
    if not event.finding and found:
        event.finding = found[0]
    beside = [reason for reason in found if reason != event.finding]
    made = (_finding(event, reason, command.now_ms) for reason in beside)
    return (*before, event, *(replace(each, seq=event.seq + place) for place, each in enumerate(made, 1)))


def _finding(event: HistoryRecorded, reason: int, now_ms: int) -> FindingMade:
    about = {"reader": event.reader, "lane": event.lane, "boot": event.boot, "no": event.no, "reason": reason}
    text = f"a car that {event.reader} let through alone {WORDS[reason]}"
    return FindingMade(event.lot, 0, now_ms, "alone", text, about)


def _recorded(lot: Lot, command: RecordHistory, all: bool) -> tuple[HistoryRecorded, list[int]]:
    """The event, and where `all` are asked for every reason of WORDS by which the rules object."""
    lane = command.lane
    event = HistoryRecorded()
    event.name(lot, lane, command.numbering, command.no, min(command.at_ms, command.now_ms))
    event.what, event.area = command.what, lane.area.id
    event.verdict_given, event.detail = command.verdict_given, command.fields
    found: list[int] = []
    if command.what == ScanDecided.TYPE:
        found = _scan(lot, command, event, all)
    elif command.what == PassageRecorded.TYPE:
        _passage(lot, command, event)
    return event, found


def _scan(lot: Lot, command: RecordHistory, event: HistoryRecorded, all: bool) -> list[int]:
    read = _as_scan(lot, command, event)
    rules = iter(lot.entry if read.way == codes.IN else lot.exit)
    reason = next((found for rule in rules if (found := rule.check(lot, read))), 0)
    if command.verdict_given != codes.OPEN:
        event.finding = 0 if reason else LOOK
        return []
    more = _more(lot, read, rules, reason) if all and reason else []
    event.finding = reason or read.soft_reason
    event.effect = "promised" if command.lane.confirm else "moved"
    if read.way == codes.IN:
        _came_in(lot, read, event)
    elif read.stay is not None:
        event.session = read.stay.session
    else:  # nobody knew it was in; where the lane confirms, its PASSAGE counts it
        event.effect = "" if command.lane.confirm else "adrift"
    return more


def _more(lot: Lot, read: ReadCredential, rules: Iterator[Any], reason: int) -> list[int]:
    """What else the rules object to. A car that was inside already came in to a place that it had left."""
    found = [more for rule in rules if (more := rule.check(lot, read)) in WORDS]
    moved = INSIDE in (reason, *found)
    return [more for more in dict.fromkeys(found) if more != FULL or not moved]


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
