"""How long a car may stay, when none may come in, and who only turned round."""

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import islice

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.configs.rules.limits import Limits as Rules
from liftgate.engine.core.events import HistoryRecorded, ReaderEvent, ScanDecided
from liftgate.engine.core.marks import TURNED_ROUND
from liftgate.engine.core.model import Area, Lot, Stay
from liftgate.engine.core.parts.base import NEVER, Part
from liftgate.engine.core.parts.hours import ClosedHours
from liftgate.engine.core.parts.local_time import zone_of

SHOWN_MAX = 20
"""Cars named in the finding at closing; an attendant who has more to look for walks through the house."""

STALE_MIN = 256
"""The queue is made anew when more than half of it, and this many, are cars that left."""


class Limits(Part):
    """The theme "limits". What it keeps is in the stays' notes: {since: ms, where the car came to an area
    with a limit of its own from another one; overstay: ms, when that was found; turned: it is on its way
    out, within the grace}.

    same_ms: the limit where all stays have the same one, else 0: then the lot's own stays are the queue,
    since they stand there as they came in. queue: (when it is over, session, stay) of the cars that have a
    limit and do not stand in that order, a heap; aside: those of them that stand among others, by session.
    Cars that left stay in both until their time: to take them out would cost each exit a search. ripe: those
    whose time is over, until the finding is journalled. All are made from the stays, and are no part of the
    state.
    """

    THEME = "limits"

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.on = False
        self.rules = Rules()
        self.hours: ClosedHours | None = None
        self.limited = False
        self.same_ms = 0
        self.queue: list[tuple[int, bytes, Stay]] = []
        self.ripe: dict[bytes, Stay] = {}
        self.aside: dict[bytes, None] = {}
        self.closing_told_ms = 0
        self._last_ms = 0
        self._left = b""
        self._left_from: Area | None = None

    def configure(self, rules: msgspec.Struct | None) -> None:
        """Without rules what was found is forgotten, but for what the stays have noted."""
        self.on = isinstance(rules, Rules)
        self.rules = rules if isinstance(rules, Rules) else Rules()
        closed = self.rules.closed
        self.hours = ClosedHours(closed, zone_of(self.lot.timezone)) if closed else None
        if not closed:
            self.closing_told_ms = 0
        rules_now = self.rules
        apart = bool(rules_now.longest_by_class or rules_now.longest_by_area)
        self.limited = bool(rules_now.longest_stay_s) or apart
        self.same_ms = 0 if apart else rules_now.longest_stay_s * 1000
        self.listens = rules_now.turn_round_s > 0
        self.watches = self.limited or self.listens
        self._make_queue()

    def dump(self) -> int | None:
        return self.closing_told_ms or None

    def load(self, data: int) -> None:
        self.closing_told_ms = data
        self._make_queue()

    def adopt(self) -> None:
        self._make_queue()

    def _make_queue(self) -> None:
        self.queue, self.ripe, self.aside = [], {}, {}
        self._last_ms = 0
        self.next_ms = 0 if self.on else NEVER
        if self.limited:
            for stay in self.lot.stays.values():
                if not self.same_ms:
                    self._expect(stay)
                elif self.over_ms(stay) != NEVER:
                    self._stand(stay)

    def limit_s(self, stay: Stay) -> int:
        """How long the car may stay where it is, s; 0 = as long as it likes. Area before class before lot."""
        rules, area = self.rules, stay.area
        if area is None:
            return 0
        if area.id in rules.longest_by_area:
            return rules.longest_by_area[area.id]
        if stay.block is not None and stay.block.spot_class in rules.longest_by_class:
            return rules.longest_by_class[stay.block.spot_class]
        return rules.longest_stay_s

    def over_ms(self, stay: Stay) -> int:
        """When its time is over; NEVER without a limit, and when that was found already."""
        limit_s = self.limit_s(stay)
        notes = _notes(stay)
        if not limit_s or "overstay" in notes:
            return NEVER
        own = stay.area is not None and stay.area.id in self.rules.longest_by_area
        since: int = notes.get("since", stay.entered_at_ms) if own else stay.entered_at_ms
        return since + limit_s * 1000

    def moved(self, stay: Stay, before: Area | None) -> None:
        area = stay.area
        if area is None:
            self._left, self._left_from = stay.session, before
            return
        if self.same_ms:
            if before is None:
                self._line_up(stay)
            return
        if not self.limited:
            return
        if before is not None and area.id in self.rules.longest_by_area:
            _note(stay, "since", self.lot.at_ms)
        self._expect(stay)

    def shifted(self, stay: Stay) -> None:
        """Another class of spot may have another limit."""
        if self.limited and not self.same_ms:
            self._expect(stay)

    def _line_up(self, stay: Stay) -> None:
        """The last one in is the last one whose time is over, but for those who stood before a barrier while
        others came in, and what a REPLAY tells.
        """
        if stay.since_ms and not self._is_last(stay):
            self._put_aside(stay.entered_at_ms + self.same_ms, stay)
        else:
            self._stand(stay)

    def _is_last(self, stay: Stay) -> bool:
        return next(reversed(self.lot.stays.values())) is stay

    def _put_aside(self, over_ms: int, stay: Stay) -> None:
        self.aside[stay.session] = None
        self._push(over_ms, stay)

    def _stand(self, stay: Stay) -> None:
        """All who are in the line stand behind it from here on."""
        over_ms = stay.entered_at_ms + self.same_ms
        if stay.entered_at_ms < self._last_ms:
            self._put_aside(over_ms, stay)
            return
        self._last_ms = stay.entered_at_ms
        if over_ms < self.next_ms:
            self.next_ms = over_ms

    def renamed(self, stay: Stay) -> None:
        if self.same_ms and stay.area is not None:
            self._put_aside(stay.entered_at_ms + self.same_ms, stay)

    def _expect(self, stay: Stay) -> None:
        """Queue the stay, if it has a limit; where all have the same one there is the line instead."""
        over_ms = self.over_ms(stay)
        if over_ms != NEVER:
            self._push(over_ms, stay)

    def _push(self, over_ms: int, stay: Stay) -> None:
        queue = self.queue
        heappush(queue, (over_ms, stay.session, stay))
        if over_ms < self.next_ms:
            self.next_ms = over_ms
        if len(queue) > STALE_MIN and len(queue) > 2 * len(self.lot.stays):
            ripe = self.ripe
            self._make_queue()
            self.ripe = ripe

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        """Turning round is marked on the scan at the exit; it counts when the car is out by that scan or by
        the passage after it. Who backs out, or goes by what a REPLAY tells, has not turned round.
        """
        if isinstance(event, ScanDecided):
            scan, said, marks = event, self.lot.said, self.lot.marks
            if scan.way == codes.OUT and scan.verdict == codes.OPEN:
                turned = said.turned if said is not None else marks is not None and TURNED_ROUND in marks
                self._let_out(scan, stay, turned)
        elif stay is not None and stay.notes is not None and "turned" in _notes(stay):
            self._seen_again(event, stay)

    def _let_out(self, event: ScanDecided, stay: Stay | None, turned: bool) -> None:
        if stay is None:
            if turned and event.session is not None:
                self._turned_round(event.session)
        elif turned:
            _note(stay, "turned", True)
        elif stay.notes is not None:
            _unnote(stay, "turned")

    def _seen_again(self, event: ReaderEvent, stay: Stay) -> None:
        """What was told of a car that was let out within the grace."""
        told = type(event) is HistoryRecorded and event.what == ScanDecided.TYPE
        if told or event.effect == "withdrawn":  # type: ignore[attr-defined]
            _unnote(stay, "turned")
        elif stay.area is None and event.effect == "moved":  # type: ignore[attr-defined]
            self._turned_round(stay.session)

    def _turned_round(self, session: bytes) -> None:
        """It counts where the car left, which may be an inner area."""
        before = self._left_from
        if before is not None and self._left == session:
            before.tally.turned_round += 1

    def due(self, now_ms: int) -> list[OperatorEvent]:
        found: list[OperatorEvent] = []
        if self.hours is not None:
            begin, end, shut = self.hours.span(now_ms)
            if shut and begin > self.closing_told_ms:
                found.append(self._closing(now_ms, begin, end))
        for stay in self._ripened(now_ms):
            self.ripe[stay.session] = stay
        found += [self._overstay(stay, now_ms) for stay in self._over(now_ms)]
        if not found:
            self.next_ms = self._next(now_ms)
        return found

    def _ripened(self, now_ms: int) -> list[Stay]:
        """Those whose time was over since the last look, in the order in which it was."""
        queue, found = self.queue, []
        while queue and queue[0][0] <= now_ms:
            first = heappop(queue)
            found.append(first)
            self.aside.pop(first[1], None)
        for stay in self._line():
            over_ms = stay.entered_at_ms + self.same_ms
            if over_ms > now_ms:
                break
            found.append((over_ms, stay.session, stay))
        found.sort(key=_order)
        return [stay for _, _, stay in found]

    def _line(self) -> Iterator[Stay]:
        """Where all have the same limit, those that have not used it up as far as is known, oldest first. Who
        did stands before them until he leaves: there are few of those, or the limit is none.
        """
        stays, aside = self.lot.stays.values() if self.same_ms else (), self.aside
        inside = (stay for stay in stays if stay.area is not None and stay.session not in aside)
        return (stay for stay in inside if "overstay" not in _notes(stay))

    def _over(self, now_ms: int) -> list[Stay]:
        """Those of the ripe that are still there and still over their time; the others are let go."""
        stays = self.lot.stays
        ripe = self.ripe
        self.ripe = {}
        for session, stay in ripe.items():
            if stays.get(stay.credential) is stay and self.over_ms(stay) <= now_ms:
                self.ripe[session] = stay
        return list(self.ripe.values())[:SHOWN_MAX]

    def _next(self, now_ms: int) -> int:
        times = [self.queue[0][0] if self.queue else NEVER]
        times += [stay.entered_at_ms + self.same_ms for stay in islice(self._line(), 1)]
        if self.hours is not None:
            times.append(self.hours.span(now_ms)[1])
        return min(times)

    def _overstay(self, stay: Stay, now_ms: int) -> FindingMade:
        limit_s = self.limit_s(stay)
        spot = stay.spot_name()
        area = "" if stay.area is None else stay.area.id
        minutes = (now_ms - stay.entered_at_ms) // 60_000
        text = (
            f"in {area}{'' if spot is None else f' on {spot}'} for {minutes} min, {limit_s // 60} min allowed"
        )
        about = {
            "session": stay.session.hex(),
            "credential": stay.credential.hex(),
            "area": area,
            "spot": spot,
            "entered_at_ms": stay.entered_at_ms,
            "limit_s": limit_s,
        }
        return FindingMade(self.lot.id, 0, now_ms, "overstay", text, about)

    def _closing(self, now_ms: int, begin: int, end: int) -> FindingMade:
        inside = [stay for stay in self.lot.stays.values() if stay.area is not None]
        counted = self.lot.counts()["occupancy"]
        named = [stay.session.hex() for stay in inside[:SHOWN_MAX]]
        text = f"closed for entry; {len(inside)} stays are still in, {counted} cars by count"
        about = {
            "from_ms": begin,
            "to_ms": end,
            "stays": len(inside),
            "occupancy": counted,
            "sessions": named,
        }
        return FindingMade(self.lot.id, 0, now_ms, "closing", text, about)

    def found(self, event: FindingMade) -> None:
        if event.kind == "closing" and "from_ms" in event.about:
            self.closing_told_ms = event.about["from_ms"]
        elif event.kind == "overstay" and "session" in event.about:
            stay = self.lot.stays.get(bytes.fromhex(event.about["credential"]))
            if stay is not None and stay.session.hex() == event.about["session"]:
                _note(stay, "overstay", event.at_ms)
            self.ripe.pop(bytes.fromhex(event.about["session"]), None)


def _order(expected: tuple[int, bytes, Stay]) -> tuple[int, bytes]:
    return expected[:2]


def _notes(stay: Stay) -> dict[str, int]:
    notes = stay.notes
    found: dict[str, int] = {} if notes is None else notes.get(Limits.THEME, {})
    return found


def _note(stay: Stay, name: str, value: int) -> None:
    stay.notes = {**(stay.notes or {}), Limits.THEME: {**_notes(stay), name: value}}


def _unnote(stay: Stay, name: str) -> None:
    notes = _notes(stay)
    if name in notes:
        own = {each: notes[each] for each in notes if each != name}
        stay.notes = {**(stay.notes or {}), Limits.THEME: own}
