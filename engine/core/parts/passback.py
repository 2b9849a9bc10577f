"""Anti-passback's memory: what cannot be known since cars went unseen, and until when.

What is known stays in the stays themselves: one whose place is not believed is `forgiven`, counts on where it
was, and is healed by its next sighting in either direction. Here is what no stay can hold: areas that
somebody may have come into unseen, and cars that went through a lane without a name.
"""

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.codecs.events.passback import DoubtCast, PassbacksReset
from liftgate.configs.rules.passback import PassbackRules
from liftgate.engine.core.events import HistoryRecorded, PassageRecorded, ReaderEvent, ScanDecided
from liftgate.engine.core.model import Area, Lane, Lot, Stay
from liftgate.engine.core.moves import count_nameless
from liftgate.engine.core.parts.base import NEVER, Done, Part, Reply
from liftgate.engine.core.parts.passback_orders import ResetPassbacks, reset_events

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order

HELD_OPEN = 2
FOLLOWED = 3
FORCED = 4
CASTS_PER_TICK = 40
"""Two events each; what is left comes with the next Tick."""

CAME_IN, WENT_OUT, UNTIL_MS = 0, 1, 2


class Passback(Part):
    """What the rules of `rules/passback.py` ask.

    unseen_until: by area, until when an exit without an entry is taken for a car that came in unseen;
    unnamed: by area, cars that went in and out without a name and were not seen since, and until when that
    matters; casts: doubt that is in force, and not yet told: (reader, lane, area, cause, whether
    cars may have come in) -> stays.
    """

    THEME = "passback"
    ORDERS: ClassVar[Any] = {}
    QUERIES: ClassVar[Any] = {}
    APPLIERS: ClassVar[Any] = {}

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.rules: PassbackRules | None = None
        self.timed_inside: frozenset[str] = frozenset()
        self.unseen_until: dict[str, int] = {}
        self.unnamed: dict[str, list[int]] = {}
        self.casts: dict[tuple[str, int, str, str, bool], int] = {}

    def configure(self, rules: msgspec.Struct | None) -> None:
        self.rules = rules if isinstance(rules, PassbackRules) else None
        inner = [area.id for area in self.lot.areas.values() if area.parent is not None]
        self.timed_inside = frozenset(id for id in inner if self.mode_of(id) == "timed")
        self.every_scan = bool(self.timed_inside)
        self.on = self.rules is not None

    def mode_of(self, area: str) -> str:
        """How an area's lanes take a credential on the wrong side."""
        rules = self.rules
        return "hard" if rules is None else rules.areas.get(area, rules.mode)

    def may_be_in(self, area: Area, at_ms: int) -> bool:
        """Whether somebody may have come into the area, or one around it, unseen."""
        at: Area | None = area
        while at is not None:
            if self.unseen_until.get(at.id, 0) >= at_ms or self._untold(at.id):
                return True
            at = at.parent
        return False

    def _untold(self, area: str) -> bool:
        return any(key[4] and key[2] == area for key in self.casts) if self.casts else False

    def has_unnamed(self, area: Area, way: int, at_ms: int) -> bool:
        """Whether a car that went through the area's lanes without a name was not seen since."""
        found = self.unnamed.get(area.id)
        return found is not None and found[way] > 0 and at_ms <= found[UNTIL_MS]

    def last_entry_ms(self, stay: Stay, area: Area) -> int:
        """When the car last came into the area, as far as that is kept: the stay's beginning otherwise."""
        note = stay.notes.get("passback") if stay.notes is not None else None
        return int(note[1]) if note is not None and note[0] == area.id else stay.entered_at_ms

    # -- what happens

    def mode_changed(self, lane: Lane, before: int) -> None:
        if before == HELD_OPEN and lane.mode != HELD_OPEN and self._doubts("held_open"):
            self._doubt(lane, "held open")

    def _doubts(self, cause: str) -> bool:
        return self.rules is not None and cause in self.rules.doubt

    def _doubt(self, lane: Lane, cause: str) -> None:
        """Stays that the lane could have moved unseen are unknown from here on. They count as they did."""
        stays = 0
        for stay in self.lot.stays.values():
            if not stay.forgiven and _could_use(stay, lane):
                stay.forgiven = True
                stays += 1
        key = (lane.reader.id, lane.number, lane.area.id, cause, lane.direction != "exit")
        self.casts[key] = self.casts.get(key, 0) + stays
        self.next_ms = 0

    def passed(self, event: PassageRecorded | HistoryRecorded, what: int, lane: Lane) -> None:
        if what == FORCED and self._doubts("forced"):
            self._doubt(lane, "forced")
        rules = self.rules
        if rules is None or event.effect != "adrift":
            return
        cause = "followed" if what == FOLLOWED else "held_open" if lane.mode == HELD_OPEN else ""
        if cause in rules.doubt:
            found = self.unnamed.setdefault(lane.area.id, [0, 0, 0])
            if found[UNTIL_MS] < event.at_ms:  # those before are over, and this one does not bring them back
                found[:] = [0, 0, 0]
            found[CAME_IN if event.way == codes.IN else WENT_OUT] += 1
            found[UNTIL_MS] = max(found[UNTIL_MS], event.at_ms + rules.doubt_s * 1000)

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        if isinstance(event, ScanDecided):
            scan = event
            if scan.verdict != codes.OPEN:
                return
            marks = self.lot.marks
            if marks is not None and "unnamed" in marks:
                self._heal(marks)
            if self.timed_inside and scan.way == codes.IN and scan.area in self.timed_inside:
                _note_entry(stay, scan.area, scan.at_ms)
        elif isinstance(event, HistoryRecorded) and event.what == ScanDecided.TYPE:
            if event.effect == "adrift" and event.area in self.unnamed:
                self._seen(event.area, CAME_IN)
            if event.effect and event.way == codes.IN and event.area in self.timed_inside:
                _note_entry(stay, event.area, event.at_ms)

    def _heal(self, marks: dict[str, Any]) -> None:
        """A car that went without a name was seen: what was counted without a name is its stay's now."""
        healed = marks["unnamed"]
        area = self.lot.areas.get(healed[0])
        if area is None:
            return
        self._seen(area.id, healed[1])
        if "unknown_entry" not in marks:  # else the stay that it was given has put the count right
            change = -1 if healed[1] == CAME_IN else 1
            count_nameless(self.lot, area, change)
            if area.parent is not None:
                count_nameless(self.lot, area.parent, -change)

    def _seen(self, area: str, way: int) -> None:
        found = self.unnamed[area]
        found[way] = max(0, found[way] - 1)
        if not found[CAME_IN] and not found[WENT_OUT]:
            del self.unnamed[area]

    def recounted(self, area: Area) -> None:
        self.unnamed.pop(area.id, None)

    # -- what time brings

    def due(self, now_ms: int) -> list[OperatorEvent]:
        later_ms = now_ms + (self.rules.doubt_s if self.rules is not None else 0) * 1000
        events: list[OperatorEvent] = []
        for (reader, lane, area, cause, way_in), stays in list(self.casts.items())[:CASTS_PER_TICK]:
            until_ms = later_ms if way_in else 0
            events.append(DoubtCast(self.lot.id, 0, now_ms, reader, lane, area, cause, stays, until_ms))
            text = f"lane {lane} of {reader} was {cause}: {stays} stays are unknown until they are seen again"
            about = {"reader": reader, "lane": lane, "area": area, "cause": cause, "stays": stays}
            events.append(FindingMade(self.lot.id, 0, now_ms, "doubtful", text, about))
        return events

    def cast(self, event: DoubtCast) -> None:
        """The doubt is told: from here on time bounds it."""
        for way_in in (False, True):
            self.casts.pop((event.reader, event.lane, event.area, event.cause, way_in), None)
        self.next_ms = 0 if self.casts else NEVER
        if event.until_ms:
            self._unseen(event.area, event.until_ms, event.at_ms)

    def _unseen(self, area: str, until_ms: int, now_ms: int) -> None:
        """Past ones go, so that areas which left the file are not kept for ever."""
        self.unseen_until[area] = max(until_ms, self.unseen_until.get(area, 0))
        self.unseen_until = {id: until for id, until in self.unseen_until.items() if until >= now_ms}
        self.unnamed = {id: found for id, found in self.unnamed.items() if found[UNTIL_MS] >= now_ms}

    def reset(self, event: PassbacksReset) -> None:
        """Nobody named is believed to be where it is; for the whole lot, nobody at all."""
        lot = self.lot
        for credential in lot.stays if event.whole else event.credentials:
            stay = lot.stays.get(credential)
            if stay is not None:
                stay.forgiven = True
            else:
                lot.forgiven[credential] = None
        if event.until_ms:
            self._unseen(lot.outermost.id, event.until_ms, event.at_ms)

    # -- snapshots

    def dump(self) -> Any:
        if not (self.unseen_until or self.unnamed or self.casts):
            return None
        return [self.unseen_until, self.unnamed, [[*key, stays] for key, stays in self.casts.items()]]

    def load(self, data: Any) -> None:
        self.unseen_until, self.unnamed = data[0], data[1]
        self.casts = {tuple(key): stays for *key, stays in data[2]}
        self.next_ms = 0 if self.casts else NEVER


def _could_use(stay: Stay, lane: Lane) -> bool:
    """Whether the car may be on the other side of the lane by now."""
    area = stay.area
    if area is None:
        return False
    if lane.direction != "entry" and area.within(lane.area):
        return True
    return lane.direction != "exit" and area is lane.area.parent


def _note_entry(stay: Stay | None, area: str, at_ms: int) -> None:
    if stay is not None:
        stay.notes = {**(stay.notes or {}), "passback": [area, at_ms]}


def _part(lot: Lot) -> Passback:
    part: Passback = lot.parts[Passback.THEME]
    return part


def _reset_passbacks(lot: Lot, order: "Order", args: ResetPassbacks) -> Done:
    """Rules of identity alone judge strangers, too: by the defaults of these."""
    rules = _part(lot).rules or (PassbackRules() if "identity" in lot.rules else None)
    return reset_events(lot, order, args, 0 if rules is None else order.now_ms + rules.doubt_s * 1000)


class NoArgs(msgspec.Struct, forbid_unknown_fields=True):
    """No args."""


def doubtful(lot: Lot, args: NoArgs) -> Reply:
    """How many stays are not believed to be where they were last seen, in all and by area."""
    areas: dict[str, int] = {}
    for stay in lot.stays.values():
        if stay.forgiven and stay.area is not None:
            areas[stay.area.id] = areas.get(stay.area.id, 0) + 1
    part = _part(lot)
    unnamed = {id: {"in": found[CAME_IN], "out": found[WENT_OUT]} for id, found in part.unnamed.items()}
    body = {"doubtful": sum(areas.values()), "areas": areas, "unseen_until_ms": part.unseen_until}
    return True, "", body | {"unnamed": unnamed}


# Filled, not set: in the compiled build the class is C.
Passback.ORDERS["reset_passbacks"] = (ResetPassbacks, _reset_passbacks)
Passback.QUERIES["doubtful"] = (NoArgs, doubtful)
Passback.APPLIERS.update(
    {
        DoubtCast: lambda lot, event, position: _part(lot).cast(event),
        PassbacksReset: lambda lot, event, position: _part(lot).reset(event),
    }
)
