"""Each hour, lane by lane: does what the reader told, the loop saw and the ledger counted come to the same?

A row covers what was journalled of a lane between its row before and this one; it is made with the first look
after the full hour (Unix hours) in which its first live event happened. So the journal itself says what
belongs to a row, whatever clocks say. Entries of a REPLAY belong to the row of the hour in which they
arrive, apart as "late". A lane of which nothing was heard has no row.
"""

from collections import Counter, deque
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from liftgate.codecs.events.ledger import LaneReconciled
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.configs.rules.reconciliation import Reconciliation as Rules
from liftgate.engine.core.model import Lot, Reader
from liftgate.engine.core.parts.base import Part, Reply
from liftgate.engine.core.parts.reconciliation_words import difference_of
from liftgate.engine.core.tally import LANE_COUNTS, LaneTally

HOUR_MS = 3_600_000
HOURS_KEPT = 48
"""Two days: what the night shift left for the day after a holiday."""

ROWS_MAX = 4096
"""Rows kept of a lot, some 150 bytes each: 85 lanes for all 48 hours. The oldest go first; all are in the
journal."""

EVENTS_PER_LOOK = 60
"""Rows and their findings of one look, up to 500 bytes each: a Tick's events share a record with those of
other parts. The other lanes come with the next look."""

ROWS_PER_ANSWER = 100
"""Rows of one answer, up to 600 bytes each, so that it fits a frame; the latest ones."""


class AskReconciliation(msgspec.Struct, forbid_unknown_fields=True):
    """Rows of the last hours, the latest first. differing: only those that do not agree."""

    hours: Annotated[int, Meta(ge=1, le=HOURS_KEPT)] = HOURS_KEPT
    reader: str | None = None
    lane: int | None = None
    differing: bool = False


Row = tuple[int, str, int, tuple[int, ...], int, int, str]
Key = tuple[str, int]
"""A reader and one of its lanes."""


class Reconciliation(Part):
    """The theme "reconciliation". rows: (hour, reader, lane, counts, waiting, missing, difference), oldest
    first.
    """

    THEME = "reconciliation"

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.on = False
        self.findings = True
        self.rows: deque[Row] = deque()

    def configure(self, rules: msgspec.Struct | None) -> None:
        """Without rules nothing is kept; with rules again all lanes begin from nothing, gone ones do not."""
        before, self.on = self.on, isinstance(rules, Rules)
        self.look_at_once(self.on)
        if isinstance(rules, Rules):
            self.findings = rules.findings
        else:
            self.rows.clear()
        if self.on and not before:
            for reader in self.lot.readers.values():
                reader.tallies.clear()
                for number, lane in reader.lanes.items():
                    lane.tally = reader.tallies[number] = LaneTally()

    def dump(self) -> Any:
        if not self.on:
            return None
        tallies = [  # by number: the order in which lanes came to a reader is not kept
            [reader.id, number, _dump_tally(tally)]
            for reader in self.lot.readers.values()
            for number, tally in sorted(reader.tallies.items())
        ]
        return [list(self.rows), tallies]

    def load(self, data: Any) -> None:
        for hour, reader, lane, counts, *rest in data[0]:
            self.rows.append((hour, reader, lane, tuple(counts), *rest))
        for id, number, counts in data[1]:
            _load_tally(self.lot.readers[id].tallies.setdefault(number, LaneTally()), counts)

    def due(self, now_ms: int) -> list[OperatorEvent]:
        hour = now_ms // HOUR_MS
        on_the_hour = 0 < self.next_ms <= now_ms
        waiting, lapsing = self._waiting(now_ms)
        events: list[OperatorEvent] = []
        for reader in self.lot.readers.values():
            for number, tally in reader.tallies.items():
                key = reader.id, number
                of = hour_of(tally, hour, on_the_hour)
                if of < hour and len(events) < EVENTS_PER_LOOK and key not in lapsing:
                    events += self._row(reader, number, of, waiting[key], now_ms)
        if not events and not lapsing:
            # A lane's first event since may lie in an hour that is over, by a slow clock: its row is due.
            self.look_at_changes(now_ms, (hour + 1) * HOUR_MS)
        return events

    def _waiting(self, now_ms: int) -> tuple[Counter[Key], set[Key]]:
        """How many wait at each lane, and at which of them one lapses in this very Tick.

        That stands in the journal before a row of the same Tick, which would not have it: such a lane's row
        comes with the next look.
        """
        waiting: Counter[Key] = Counter()
        lapsing: set[Key] = set()
        for stay in self.lot.moving.values():
            if stay.lane is not None:
                key = stay.lane.reader.id, stay.lane.number
                waiting[key] += 1
                if stay.since_ms + self.lot.confirm_ms <= now_ms:
                    lapsing.add(key)
        return waiting, lapsing

    def _row(self, reader: Reader, number: int, hour: int, waiting: int, now_ms: int) -> list[OperatorEvent]:
        tally = reader.tallies[number]
        lane = reader.lanes.get(number)
        missing = 0 if reader.latest is None else missing_of(reader)
        confirm = lane is not None and lane.confirm
        difference = difference_of(tally, confirm, waiting, missing)
        counts = tuple(tally.counts().values())
        row = LaneReconciled(
            self.lot.id, 0, now_ms, reader.id, number, hour, counts, waiting, missing, difference
        )
        if not difference or not self.findings:
            return [row]
        text = f"lane {number} of {reader.id}: {difference}"[:512]
        about = {"reader": reader.id, "lane": number, "hour": hour}
        return [FindingMade(self.lot.id, 0, now_ms, "reconciliation", text, about), row]


def hour_of(tally: LaneTally, now_hour: int, on_the_hour: bool) -> int:
    """The hour that the lane's counts belong to; now_hour or later: not yet to be reconciled, or nothing
    there.

    No hour gets a second row: what a fast clock or a late look brings after it counts in the next one. What
    is all late has no time of its own and waits for a full hour.
    """
    if tally.since_ms:
        return max(tally.since_ms // HOUR_MS, tally.hour + 1)
    if tally.late and on_the_hour and tally.hour < now_hour - 1:
        return now_hour - 1
    return now_hour


def missing_of(reader: Reader) -> int:
    """How many numbers the reader owes below the highest that it sent, in the boot that it uses."""
    numbering = reader.latest
    if numbering is None or not numbering.ranges:
        return 0
    known = sum(high - low + 1 for low, high in numbering.ranges)
    return int(numbering.ranges[-1][1]) - int(numbering.done_to) - known


def _dump_tally(tally: LaneTally) -> list[int]:
    counts = list(tally.counts().values())
    return [tally.since_ms, tally.waiting, tally.hour, tally.missing, *counts]


def _load_tally(tally: LaneTally, data: list[int]) -> None:
    tally.since_ms, tally.waiting, tally.hour, tally.missing = data[:4]
    for name, value in zip(LANE_COUNTS, data[4:], strict=True):
        setattr(tally, name, value)


def _apply_reconciled(lot: Lot, event: LaneReconciled, position: int) -> None:
    part: Reconciliation = lot.parts[Reconciliation.THEME]
    reader = lot.readers[event.reader]
    tally = reader.tallies[event.lane]
    tally.begin()
    tally.waiting, tally.hour, tally.missing = event.waiting, event.hour, event.missing
    if event.lane not in reader.lanes:
        del reader.tallies[event.lane]
    rows = part.rows
    rows.append(
        (event.hour, event.reader, event.lane, event.counts, event.waiting, event.missing, event.difference)
    )
    while len(rows) > ROWS_MAX or rows[0][0] <= event.hour - HOURS_KEPT:
        rows.popleft()


def _ask(lot: Lot, args: AskReconciliation) -> Reply:
    part: Reconciliation = lot.parts[Reconciliation.THEME]
    if not part.on:
        return False, "not_configured", {}
    after = max((row[0] for row in part.rows), default=0) - args.hours
    rows = [row for row in reversed(part.rows) if row[0] > after and _asked_for(row, args)]
    shown = [_in_words(row) for row in rows[:ROWS_PER_ANSWER]]
    return True, "", {"rows": shown, "left_out": len(rows) - len(shown)}


def _asked_for(row: Row, args: AskReconciliation) -> bool:
    reader = args.reader is None or row[1] == args.reader
    lane = args.lane is None or row[2] == args.lane
    return reader and lane and (bool(row[6]) or not args.differing)


def _in_words(row: Row) -> dict[str, Any]:
    hour, reader, lane, counts, waiting, missing, difference = row
    head = {"hour_ms": hour * HOUR_MS, "reader": reader, "lane": lane}
    tail = {"waiting": waiting, "missing": missing, "difference": difference}
    return head | dict(zip(LANE_COUNTS, counts, strict=True)) | tail


Reconciliation.QUERIES = {"reconciliation": (AskReconciliation, _ask)}
Reconciliation.APPLIERS = {LaneReconciled: _apply_reconciled}
