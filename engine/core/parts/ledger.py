"""The count of each area as a ledger: what it is made of, recounts, drift, and states that cannot be.

The counters themselves hang on the areas (`engine/core/tally.py`). The count is never clipped: below zero or
above the capacity it stays what was counted, and a finding says which entries led there.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from liftgate.codecs.events.ledger import AreasRecounted, CountReported
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.configs.rules.ledger import Ledger as Rules
from liftgate.engine.core.commands import Order
from liftgate.engine.core.model import Area, Lot
from liftgate.engine.core.order_args import Actor, OrderRefused, Words
from liftgate.engine.core.parts.base import NEVER, Done, Part, Reply
from liftgate.engine.core.parts.ledger_words import entry_words, explained
from liftgate.engine.core.parts.local_time import next_time, zone_of
from liftgate.engine.core.tally import AREA_TOTALS, ENTRIES_MAX

RECOUNTED_MAX = 64
"""Areas in one recount, which is one event; more are counted by another order."""

AREAS_PER_ANSWER = 64
"""Areas in one answer, some 300 bytes each, so that it fits a frame; `after` asks for the next ones."""

NORMAL, BELOW_ZERO, ABOVE_CAPACITY = 0, 1, 2
KINDS = ("count_normal", "below_zero", "above_capacity")

Count = Annotated[int, Meta(ge=0, le=10_000_000)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]


class Recount(msgspec.Struct, forbid_unknown_fields=True):
    """The cars that were counted by hand, by area (inner areas apart): the count from here on."""

    counted: Annotated[dict[Id, Count], Meta(min_length=1, max_length=RECOUNTED_MAX)]
    actor: Actor
    reason: Words = ""


class ReportCount(msgspec.Struct, forbid_unknown_fields=True):
    """A number that a loop counter or a camera has for an area, to find drift by; the count stays."""

    area: Id
    counted: Count
    source: Id
    actor: Actor


class AskLedger(msgspec.Struct, forbid_unknown_fields=True):
    """What an area's count is made of. area: one, with its last entries; else all after the one named."""

    area: Id | None = None
    after: Id | None = None


class Book:
    """What the ledger knows of an area beside its counters.

    told: which impossible state was found last; drift: the drift found last, 0 = none; recounted_at_ms,
    actor: of the last recount; reported: the last number from elsewhere, [at_ms, source, expected, counted].
    """

    def __init__(self) -> None:
        self.told = NORMAL
        self.drift = 0
        self.recounted_at_ms = 0
        self.actor = ""
        self.reported: list[Any] = []

    def dump(self) -> list[Any]:
        return [self.told, self.drift, self.recounted_at_ms, self.actor, self.reported]

    def load(self, data: list[Any]) -> None:
        """Undo `dump`."""
        self.told, self.drift, self.recounted_at_ms, self.actor, self.reported = data


class Ledger(Part):
    """The theme "ledger". books: by area; due_told_ms: when a recount was last said to be due."""

    THEME = "ledger"

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.on = False
        self.rules = Rules()
        self.books: dict[str, Book] = {}
        self.due_told_ms = 0
        self._areas: dict[str, Area] = {}
        self._due = (-1, NEVER)

    def configure(self, rules: msgspec.Struct | None) -> None:
        """Without rules the ledger is closed; with rules again it begins with the cars that are there
        then.
        """
        before, self.on = self.on, rules is not None
        self.look_at_once(self.on)
        if not isinstance(rules, Rules):
            self.books, self.due_told_ms, self._areas = {}, 0, {}
            return
        self.rules = rules
        self._due = (-1, NEVER)
        self.books = {id: self.books.get(id) or Book() for id in self.lot.areas}
        if not before:
            for area in self.lot.areas.values():
                area.tally.entries = []
                area.tally.begin(area.inside + area.adrift)
        elif self._areas is not self.lot.areas:
            self._take_over()
        self._areas = self.lot.areas

    def _take_over(self) -> None:
        """The file was changed: what was counted in an area that is gone counts in what is left."""
        for area in self.lot.areas.values():
            change = area.inside + area.adrift - area.tally.sum()
            if change:
                area.tally.configured += change
                area.tally.note(self.lot.at_ms, "areas changed", change, "configuration")

    def dump(self) -> Any:
        if not self.on:
            return None
        areas = {}
        for area in self.lot.areas.values():
            totals = [getattr(area.tally, name) for name in AREA_TOTALS]
            areas[area.id] = [totals, area.tally.entries, self.books[area.id].dump()]
        return [self.due_told_ms, areas]

    def load(self, data: Any) -> None:
        self.due_told_ms = data[0]
        for id, (totals, entries, book) in data[1].items():
            tally = self.lot.areas[id].tally
            for name, value in zip(AREA_TOTALS, totals, strict=True):
                setattr(tally, name, value)
            tally.entries = entries
            self.books[id].load(book)

    def due(self, now_ms: int) -> list[OperatorEvent]:
        found: list[OperatorEvent] = []
        for area in self.lot.areas.values():
            state = state_of(area)
            if state != self.books[area.id].told:
                about = {"area": area.id, "occupancy": area.inside + area.adrift, "capacity": area.capacity}
                found.append(FindingMade(self.lot.id, 0, now_ms, KINDS[state], explained(area), about))
        if self.recount_due_ms() <= now_ms:
            found.append(FindingMade(self.lot.id, 0, now_ms, "recount_due", self._due_words(), {}))
        if not found:
            self.look_at_changes(now_ms, self.recount_due_ms())
        return found

    def recount_due_ms(self) -> int:
        """When a recount falls due: after the last one of the area counted longest ago, or the last reminder.

        A lot that was never counted is due at once.
        """
        counted = min((book.recounted_at_ms for book in self.books.values()), default=0)
        last = max(counted, self.due_told_ms)
        if self._due[0] != last:
            self._due = (last, self._due_after(last))
        return self._due[1]

    def _due_after(self, last: int) -> int:
        times = [NEVER]
        if self.rules.recount_every_s:
            times.append(last + self.rules.recount_every_s * 1000)
        if self.rules.recount_at:
            times.append(next_time(self.rules.recount_at, last, zone_of(self.lot.timezone)))
        return min(times)

    def _due_words(self) -> str:
        never = sum(not book.recounted_at_ms for book in self.books.values())
        areas = len(self.books)
        return f"recount due: {areas} areas, {never} of them never counted since the ledger began"

    def found(self, event: FindingMade) -> None:
        if not self.on:
            return
        if event.kind == "recount_due":
            self.due_told_ms = event.at_ms
        elif event.kind in KINDS and event.about.get("area") in self.books:
            self.books[event.about["area"]].told = KINDS.index(event.kind)

    def exceeds(self, area: Area, drift: int) -> bool:
        """Whether a drift is beyond what the rules let pass."""
        rules, size = self.rules, abs(drift)
        by_count = 0 < rules.drift_cars < size
        return by_count or 0 < rules.drift_percent * area.capacity < size * 100

    def note_drift(self, id: str, drift: int) -> None:
        """Remember what was said of an area's drift, so that it is said once."""
        self.books[id].drift = drift if self.exceeds(self.lot.areas[id], drift) else 0

    def drift_findings(self, drifts: dict[str, int], seq: int, at_ms: int) -> list[OperatorEvent]:
        """One finding for the drifts that are beyond the threshold and new, or gone; none where neither
        is.
        """
        news = {}
        for id, drift in drifts.items():
            said = drift if self.exceeds(self.lot.areas[id], drift) else 0
            if said != self.books[id].drift:
                news[id] = said
        if not news:
            return []
        words = "; ".join(f"{id}: {drift:+d}" if drift else f"{id}: gone" for id, drift in news.items())
        text = f"drift, ledger against counted: {words}"[:512]
        return [FindingMade(self.lot.id, seq, at_ms, "drift", text, {"areas": news})]


def state_of(area: Area) -> int:
    """NORMAL, BELOW_ZERO or ABOVE_CAPACITY, by the area's own cars and spots."""
    count = area.inside + area.adrift
    if count < 0:
        return BELOW_ZERO
    return ABOVE_CAPACITY if count > area.capacity else NORMAL


def _of(lot: Lot) -> Ledger:
    ledger: Ledger = lot.parts[Ledger.THEME]
    if not ledger.on:
        raise OrderRefused("not_configured", "this lot has no rules for a ledger")
    return ledger


def _area(lot: Lot, id: str) -> Area:
    if id not in lot.areas:
        raise OrderRefused("no_such_area", f"no area {id!r} in this lot")
    return lot.areas[id]


def _recount(lot: Lot, order: Order, args: Recount) -> Done:
    ledger = _of(lot)
    rows = []
    for id, after in args.counted.items():
        area = _area(lot, id)
        rows.append((id, area.inside + area.adrift, after))
    drifts = {id: before - after for id, before, after in rows}
    event = AreasRecounted(lot.id, lot.seq + 1, order.now_ms, tuple(rows), args.actor, args.reason)
    body = {id: {"before": before, "after": after, "drift": before - after} for id, before, after in rows}
    return [event, *ledger.drift_findings(drifts, lot.seq + 2, order.now_ms)], {"areas": body}


def _report(lot: Lot, order: Order, args: ReportCount) -> Done:
    ledger = _of(lot)
    area = _area(lot, args.area)
    expected = area.inside + area.adrift
    event = CountReported(
        lot.id, lot.seq + 1, order.now_ms, area.id, expected, args.counted, args.source, args.actor
    )
    drift = expected - args.counted
    findings = ledger.drift_findings({area.id: drift}, lot.seq + 2, order.now_ms)
    return [event, *findings], {"expected": expected, "counted": args.counted, "drift": drift}


def _apply_recounted(lot: Lot, event: AreasRecounted, position: int) -> None:
    ledger: Ledger = lot.parts[Ledger.THEME]
    for id, before, after in event.areas:
        area = lot.areas[id]
        area.adrift += after - before
        area.tally.begin(after)
        area.tally.note(event.at_ms, "recount", after - before, event.actor)
        for part in lot.parts.values():
            part.recounted(area)
        book = ledger.books[id]
        book.recounted_at_ms, book.actor = event.at_ms, event.actor
        ledger.note_drift(id, before - after)
    ledger.look_at_once(is_on=True)


def _apply_reported(lot: Lot, event: CountReported, position: int) -> None:
    ledger: Ledger = lot.parts[Ledger.THEME]
    book = ledger.books[event.area]
    book.reported = [event.at_ms, event.source, event.expected, event.counted]
    ledger.note_drift(event.area, event.expected - event.counted)


def _ask(lot: Lot, args: AskLedger) -> Reply:
    ledger: Ledger = lot.parts[Ledger.THEME]
    if not ledger.on:
        return False, "not_configured", {}
    if args.area is not None:
        if args.area not in lot.areas:
            return False, "no_such_area", {}
        area = lot.areas[args.area]
        entries = [entry_words(entry) for entry in area.tally.entries[-ENTRIES_MAX:]]
        return True, "", _row(ledger, area) | {"entries": entries, "words": explained(area)}
    ids = list(lot.areas)
    begin = ids.index(args.after) + 1 if args.after in lot.areas else 0
    shown = ids[begin : begin + AREAS_PER_ANSWER]
    rows = {id: _row(ledger, lot.areas[id]) for id in shown}
    due = ledger.recount_due_ms()
    return (
        True,
        "",
        {
            "areas": rows,
            "left_out": len(ids) - begin - len(shown),
            "recount_due_ms": None if due == NEVER else due,
        },
    )


def _row(ledger: Ledger, area: Area) -> dict[str, Any]:
    book = ledger.books[area.id]
    return area.tally.totals() | {
        "occupancy": area.inside + area.adrift,
        "capacity": area.capacity,
        "recounted_at_ms": book.recounted_at_ms or None,
        "recounted_by": book.actor or None,
        "reported": book.reported or None,
        "drift": book.drift,
    }


Ledger.ORDERS = {"recount": (Recount, _recount), "report_count": (ReportCount, _report)}
Ledger.QUERIES = {"ledger": (AskLedger, _ask)}
Ledger.APPLIERS = {AreasRecounted: _apply_recounted, CountReported: _apply_reported}
