"""REPLAY: a reader's backlog, taken as history, beside the live scans and never before them."""

from collections import deque
from typing import TYPE_CHECKING, Any

from liftgate.codecs import codes
from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, PeerError
from liftgate.engine.core.commands import RecordHistory
from liftgate.engine.core.events import HistoryRecorded
from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.numbering import Numbering
from liftgate.gateways.proofs import Seen

if TYPE_CHECKING:
    from liftgate.gateways.gateway import Gateway
    from liftgate.gateways.link import Link

SLICE_ENTRIES = 4
"""Recorded in one go, some 0.1 ms: that is how long a live scan may find the lane at work."""

ENTRIES_MAX = 250_000
"""Parked of all readers, some 250 bytes each: 1,000 readers with REPLAYs of 250 entries, or one each of the
largest frames of 100 readers. Who comes then is told to try again (ERROR 12): it has its log."""

_FIELDS = {
    m.Scan.TYPE: ("kind", "token"),
    m.Passage.TYPE: ("what", "session"),
    m.LaneStatus.TYPE: ("barrier", "loop", "faults"),
}


class Parked:
    """A REPLAY that waits, or is under way: entries before `at` are recorded, with these findings. seen: what
    is known of the tickets in it.
    """

    __slots__ = ("at", "entries", "findings", "link", "ref", "seen")

    def __init__(
        self, link: "Link", entries: tuple[m.ReplayEntry, ...], ref: int, seen: dict[bytes, Seen]
    ) -> None:
        self.link = link
        self.entries = entries
        self.ref = ref
        self.seen = seen
        self.at = 0
        self.findings: list[tuple[int, int]] = []


class ReplayLane:
    """Backlogs of all readers, first come first served, a slice at a time: whoever moves bytes calls `work`
    when no live scan waits, and a scan waits for one slice at the most.

    entries: of all that are parked. A REPLAY is answered when its last entry is recorded, and is in flight
    until then: a reader that waits for REPLAYED has one here. Who sends when the lane is full gets ERROR 12.
    """

    def __init__(self, gateway: "Gateway") -> None:
        self.gateway = gateway
        self.waiting: deque[Parked] = deque()
        self.entries = 0
        self.entries_max = ENTRIES_MAX
        self._of: dict[Link, int] = {}

    def park(self, link: "Link", message: m.Replay) -> None:
        """Take a REPLAY, to be answered under the ref that the connection has now. Raises PeerError.

        One with tickets that nobody has looked at comes again when their proofs are there.
        """
        ref, parked = link.conn.ref, self._of.get(link, 0)
        if parked >= link.in_flight_max:
            raise PeerError(Fault.TOO_MANY_IN_FLIGHT, ref=ref)
        if self.waiting and self.entries + len(message.entries) > self.entries_max:
            raise PeerError(Fault.UNAVAILABLE, "too much backlog waits already", ref)
        if wait_for(link, link.lot, message.entries, message):
            return
        seen = self.gateway.proofs.seen(_tickets_in(link, link.lot, message.entries))
        self.waiting.append(Parked(link, message.entries, ref, seen))
        self.entries += len(message.entries)
        self._of[link] = parked + 1

    def forget(self, link: "Link") -> None:
        """The link is gone: what was not recorded comes again over another one."""
        if self._of.pop(link, None):
            self.waiting = deque(each for each in self.waiting if each.link is not link)
            self.entries = sum(len(each.entries) - each.at for each in self.waiting)

    def work(self, entries: int = SLICE_ENTRIES) -> bool:
        """Record so many entries, and answer what is done. False: nothing waits any more."""
        while self.waiting and entries > 0:
            first = self.waiting[0]
            if first.link.closing or first.link.closed:
                self.forget(first.link)
                continue
            try:
                entries -= self._slice(first, entries)
            except PeerError as error:
                error.ref = first.ref
                self._done(first)
                self.gateway.own(first.link)
                first.link.refuse(error)
        return bool(self.waiting)

    def _slice(self, parked: Parked, entries: int) -> int:
        """Record at most so many of one REPLAY; how many. Those before a wrong one stay recorded."""
        gateway, link = self.gateway, parked.link
        if not gateway.engine.accepting or gateway.stopping:
            raise PeerError(Fault.UNAVAILABLE)
        batch = parked.entries[parked.at : parked.at + entries]
        with gateway.proofs.holding(parked.seen):
            for entry in batch:
                event = _record(link, entry)
                if isinstance(event, HistoryRecorded) and event.finding:
                    parked.findings.append((event.no, event.finding))
        parked.at += len(batch)
        self.entries -= len(batch)
        if parked.at == len(parked.entries):
            self._done(parked)
            gateway.send(link, _replayed(link, parked), parked.ref)
        return max(1, len(batch))

    def _done(self, parked: Parked) -> None:
        self.waiting.popleft()
        self.entries -= len(parked.entries) - parked.at
        left = self._of[parked.link] - 1
        if left:
            self._of[parked.link] = left
        else:
            del self._of[parked.link]


def wait_for(link: "Link", lot: Lot, entries: tuple[m.ReplayEntry, ...], message: m.Message) -> bool:
    """Whether `message`, which brought these entries, has to wait for proofs of tickets in them: then it is
    taken up again when they are there, or was refused as there are too many.
    """
    tickets = _tickets_in(link, lot, entries)
    return bool(tickets) and link.gateway.proofs.wait(link, "", message, lot, tickets)


def _tickets_in(link: "Link", lot: Lot, entries: tuple[m.ReplayEntry, ...]) -> list[tuple[int, bytes]]:
    """(kind, token) of the scans of QR codes among the entries, in a lot that takes tickets."""
    if link.gateway.proofs.keyring.of(lot) is None:
        return []
    return [found for entry in entries if (found := _ticket_of(entry)) is not None]


def _ticket_of(entry: m.ReplayEntry) -> tuple[int, bytes] | None:
    """Kind and token of a QR code's scan. An entry that is wrong is refused in its turn, not here."""
    if entry.type != m.Scan.TYPE:
        return None
    try:
        told: Any = m.decode(entry.type, bytes(entry.body))
    except PeerError:
        return None
    return (told.kind, told.token) if told.kind == codes.QR else None


def _replayed(link: "Link", parked: Parked) -> m.Replayed:
    """What is known of the reader's numbers now, and what the rules would have decided otherwise."""
    gateway, numbering = link.gateway, link.own_numbering()
    gaps = tuple((low, high) for low, high in numbering.ranges)
    pause_ms = gateway.pause_ms(len(parked.entries))
    return m.Replayed(numbering.done_to, gaps, tuple(parked.findings), gateway.engine.position, pause_ms)


def _record(link: "Link", entry: m.ReplayEntry) -> Any:
    """The event that the entry became now or before; None if that is no longer kept."""
    if entry.type not in _FIELDS:
        raise PeerError(Fault.BAD_FIELD, f"type 0x{entry.type:02x} is not replayed", link.conn.ref)
    told: Any = m.decode(entry.type, bytes(entry.body))
    numbering = link.own_numbering()
    if numbering.has(told.no):
        return numbering.answer(told.no)
    lane = link.lane(told.lane)
    link.check_fits(numbering, told.no)
    return record_told(link.gateway, link.lot, lane, numbering, entry, told)


def record_told(
    gateway: "Gateway", lot: Lot, lane: Lane, numbering: Numbering, entry: m.ReplayEntry, told: Any
) -> HistoryRecorded:
    """Record one entry, of which `told` is the message, under a number that is new."""
    engine = gateway.engine
    detail = tuple(getattr(told, field) for field in _FIELDS[entry.type])
    at_ms = min(told.at_ms, codes.TIME_MS_MAX)
    proof = gateway.proofs.of(lot, told.kind, told.token) if entry.type == m.Scan.TYPE else None
    away = gateway.away.get(lane.reader.id)
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
    return next(event for event in engine.do(lot, command) if isinstance(event, HistoryRecorded))
