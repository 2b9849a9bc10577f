"""Whose car it is: plates seen beside credentials, lost and swapped credentials, stays that nobody ended."""

from typing import Any, ClassVar

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.codecs.events.passback import CarNamed, CredentialSwapped, StayClosed, TicketLost
from liftgate.configs.rules.identity import IdentityRules
from liftgate.engine.core.events import ReaderEvent, ScanDecided
from liftgate.engine.core.model import Lane, Lot, Stay
from liftgate.engine.core.moves import end_stay, name_car, rename
from liftgate.engine.core.parts import identity_orders as orders
from liftgate.engine.core.parts.base import NEVER, Part
from liftgate.engine.core.parts.plates import PLATE, normal, note, plate_of

LOST_MAX = 4096
"""Lost credentials that are refused at exits too. Beyond it the oldest stays on the deny list, so it comes in
nowhere, and an exit asks of it what it asks of every credential without a stay."""

CLOSED_PER_TICK = 50
"""Stays that one Tick closes, far below what fits its record; the next comes within a second."""

CLOCKS_MS = 2 * codes.SKEW_MS_MAX
"""How much earlier a credential may seem that came after the plate: a reader's clock was set in between."""

PRESUMED_GONE = "presumed gone"

Seen = tuple[str, int]
"""A plate and when it was read, Unix ms."""


class Identity(Part):
    """What the rules of `rules/identity.py` ask.

    seen: by lane, the plate that waits for its credential; lost: credentials reported lost, with when. The
    rules hold on to these very dicts.
    """

    THEME = "identity"
    ORDERS: ClassVar[Any] = orders.ORDERS
    QUERIES: ClassVar[Any] = orders.QUERIES
    APPLIERS: ClassVar[Any] = {}

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.rules: IdentityRules | None = None
        self.exit_without_entry: str | None = None
        self.seen: dict[Lane, Seen] = {}
        self.lost: dict[bytes, int] = {}
        self.every_scan = False

    def configure(self, rules: msgspec.Struct | None) -> None:
        self.rules = rules if isinstance(rules, IdentityRules) else None
        self.exit_without_entry = None if self.rules is None else self.rules.exit_without_entry
        self.on = self.uses_witnesses()
        self.look_at_once(self.rules is not None and self.rules.close_after_s > 0)

    def uses_witnesses(self) -> bool:
        """Whether any lane takes plates as witnesses."""
        rules = self.rules
        return rules is not None and "witness" in (rules.plates, *rules.lanes.values())

    def is_witnessed(self, lane: Lane) -> bool:
        """Whether a plate at this lane opens nothing and is noted."""
        rules = self.rules
        return rules is not None and rules.lanes.get(_name(lane), rules.plates) == "witness"

    def plate_at(self, lane: Lane, at_ms: int) -> str | None:
        """The plate that was read here shortly before, if one was; history may be older than the plate."""
        found = self.seen.get(lane)
        if found is None or self.rules is None:
            return None
        waited_ms = at_ms - found[1]
        return found[0] if -CLOCKS_MS <= waited_ms <= self.rules.witness_s * 1000 else None

    # -- what happens

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        marks = self.lot.marks
        if marks is None or not isinstance(event, ScanDecided):
            return
        if "witness" in marks:
            self.seen[self._lane(event)] = (marks["witness"], event.at_ms)
        elif "plate" in marks and event.verdict == codes.OPEN:
            self.seen.pop(self._lane(event), None)
            if event.way == codes.IN and stay is not None:
                note(stay, "plate", marks["plate"])

    def _lane(self, event: ScanDecided) -> Lane:
        lane: Lane = self.lot.readers[event.reader].lanes[event.lane]
        return lane

    def relinked(self) -> None:
        kept = {}
        for lane, seen in self.seen.items():
            now = self.lot.readers[lane.reader.id].lanes.get(lane.number)
            if now is not None:
                kept[now] = seen
        self.seen.clear()
        self.seen.update(kept)

    def take_lost(self, event: TicketLost) -> None:
        """The credential is refused from here on, and its stay is the replacement's or over."""
        stay = self.lot.stays[event.credential]
        self.lost[event.credential] = event.at_ms
        if len(self.lost) > LOST_MAX:
            del self.lost[next(iter(self.lost))]
        if event.replacement is not None:
            _go_on(self.lot, stay, event.replacement)
        else:
            _end(self.lot, stay, "lost", event.at_ms, event.actor)

    # -- what time brings

    def due(self, now_ms: int) -> list[OperatorEvent]:
        """Stays are kept in the order in which they began, but for those renamed or out of history since:

        these are met later, so they may be closed later than the rule says, and never earlier.
        """
        if self.rules is None or not self.rules.close_after_s:
            return []
        found: list[OperatorEvent] = []
        next_ms = NEVER
        for stay in self.lot.stays.values():
            over_ms = stay.entered_at_ms + self.rules.close_after_s * 1000
            if over_ms > now_ms or len(found) == CLOSED_PER_TICK:
                next_ms = over_ms
                break
            if not stay.moving:
                found.append(orders.closed(self.lot, stay, 0, now_ms, PRESUMED_GONE, ""))
        if not found:
            self.look_at_changes(now_ms, next_ms)
            return []
        return [*found, self._finding(now_ms, len(found))]

    def _finding(self, now_ms: int, count: int) -> FindingMade:
        text = f"{count} stays were closed: presumed gone, as nobody saw them leave"
        return FindingMade(self.lot.id, 0, now_ms, "presumed gone", text, {"stays": count})

    # -- snapshots

    def dump(self) -> Any:
        if not (self.seen or self.lost):
            return None
        seen = [[lane.reader.id, lane.number, *seen] for lane, seen in self.seen.items()]
        return [seen, self.lost]

    def load(self, data: Any) -> None:
        readers = self.lot.readers
        self.seen.update({readers[id].lanes[number]: (plate, at_ms) for id, number, plate, at_ms in data[0]})
        self.lost.update(data[1])


def _name(lane: Lane) -> str:
    return f"{lane.reader.id}/{lane.number}"


def _part(lot: Lot) -> Identity:
    part: Identity = lot.parts[Identity.THEME]
    return part


def _end(lot: Lot, stay: Stay, cause: str, at_ms: int, who: str) -> None:
    """End a stay without an exit, with an entry in the ledger that says why."""
    if stay.area is not None:
        stay.area.tally.note(at_ms, cause[:32], -1, who)
    end_stay(lot, stay)


def _go_on(lot: Lot, stay: Stay, credential: bytes) -> None:
    """The stay goes on under another credential; its car keeps its plate, or has the one named now."""
    known = plate_of(stay)
    rename(lot, stay, credential)
    now = normal(credential[1:]) if credential[0] == PLATE else known
    if now is not None:
        note(stay, "plate", now)


def _apply_swapped(lot: Lot, event: CredentialSwapped, position: int) -> None:
    _go_on(lot, lot.stays[event.before], event.after)


def _apply_closed(lot: Lot, event: StayClosed, position: int) -> None:
    _end(lot, lot.stays[event.credential], event.cause, event.at_ms, event.actor or "rule")


def _apply_named(lot: Lot, event: CarNamed, position: int) -> None:
    stay = Stay(event.session, event.credential, event.entered_at_ms)
    stay.notes = {"identity": event.notes}
    name_car(lot, stay, lot.areas[event.area])


# Filled, not set: in the compiled build the class is C.
Identity.APPLIERS.update(
    {
        TicketLost: lambda lot, event, position: _part(lot).take_lost(event),
        CredentialSwapped: _apply_swapped,
        StayClosed: _apply_closed,
        CarNamed: _apply_named,
    }
)
