"""A feed's events into a store: fold, add up, write, and a checkpoint now and then."""

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import msgspec
import structlog

from liftgate.codecs.events import Event
from liftgate.history import fold as folds
from liftgate.history.clock import now_ms
from liftgate.history.fold import Fold
from liftgate.history.port import (
    DAY_MIN,
    Checkpoint,
    EventRow,
    Progress,
    Rows,
    StayRow,
    Store,
    StoreMisfit,
    StoreRejected,
    StoreUnavailable,
)
from liftgate.history.privacy import Hasher, fields
from liftgate.history.rollup import Rollup
from liftgate.history.stays import day_of

CHECKPOINT_S = 2.0
"""How often folds are written: the most that comes again after a crash, and that the feed's cursor lies
behind; a fold of 50,000 stays is 4 MB and takes some 60 ms to pack.
"""

CHECKPOINT_EVENTS = 50_000
"""The same in events, for a backlog that is worked off: a second's worth or two."""

EXPIRE_S = 3600.0
"""How often what was kept long enough is removed: retention is said in days and hours."""

log = structlog.get_logger()


class Recorder:
    """What a pipeline of the relay feeds. One task calls it, never two methods at once.

    feed: which engine's journal, as progress is kept under; keep_tokens: whether stays keep raw tokens at
    all; clock: seconds, monotonic.
    """

    def __init__(
        self,
        store: Store,
        feed: str,
        hasher: Hasher,
        *,
        keep_tokens: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._feed = feed
        self._hasher = hasher
        self._keep_tokens = keep_tokens
        self._clock, self._now_ms = clock, now_ms
        self._begin()

    def _begin(self) -> None:
        """Nothing is known but what the store has."""
        self._folds: dict[str, Fold] = {}
        self._changed: set[str] = set()
        self._rollup = Rollup()
        self._stays: dict[tuple[str, bytes], StayRow] = {}
        self._position = self._safe = self._since = 0
        self._next_s = self._expire_s = 0.0

    async def open(self) -> int:
        """Open the store and take up where its progress says; return that position, 0: at the beginning.

        Also after aclose, and then what was folded and not stored is forgotten: it comes again. Raises
        StoreUnavailable, StoreMisfit.
        """
        self._begin()
        await self._store.open()
        progress = await self._store.progress(self._feed)
        if progress is not None:
            try:
                self._folds = {each.lot: self._load(each) for each in progress.folds}
            except ValueError as error:
                raise StoreMisfit(f"the history of {self._feed!r} cannot be gone on with: {error}") from error
            self._position = self._safe = progress.position
        self._next_s = self._clock() + CHECKPOINT_S
        return self._safe

    def _load(self, checkpoint: Checkpoint) -> Fold:
        return folds.load(checkpoint.lot, checkpoint.state, self._hasher, self._keep_tokens)

    async def write(self, batch: Sequence[tuple[int, Event]]) -> int:
        """Store (position, event) pairs in the order of the feed; return the position up to which all is
        safe, which may lie before the batch's end: `settle` moves it there.

        Events that were folded before are stored again as rows of events, and are no news to anything else:
        that makes it safe to offer a batch twice, and to send a dead letter again.

        Raises StoreUnavailable: offer the same batch again. StoreRejected: the events that it names are not
        stored, all else is, and the batch is not to be offered again. Gap, see `Fold`.
        """
        if batch and self._position and batch[0][0] > self._position + 1:
            self._skip_gap(batch[0][0])
        rows = [self._event_row(position, event) for position, event in batch]
        for lot, events in groupby(sorted(batch, key=_lot), key=_lot):
            await self._fold(lot, [event for _, event in events])
        if batch:
            self._position = max(self._position, batch[-1][0])
            self._since += len(batch)
        due = self._since >= CHECKPOINT_EVENTS or self._clock() >= self._next_s
        await self._store_all(rows, due)
        return self._safe

    @property
    def safe(self) -> int:
        """The position up to which all that was not refused is safe for good."""
        return self._safe

    async def resend(self, position: int, event: Event) -> None:
        """Store one event that was refused once; it counted then, or will when the feed comes to it. Raises
        StoreUnavailable, StoreRejected.
        """
        await self._store.write(Rows([self._event_row(position, event)]))

    async def settle(self) -> int:
        """Write a checkpoint of all that was written: the feed is idle, or we are about to close. Returns its
        position, up to which all is safe. Raises StoreUnavailable.
        """
        if self._position > self._safe:
            await self._store_all([], True)
        return self._safe

    async def aclose(self) -> None:
        """Close the store, without a checkpoint: `settle` before it saves the next start some work."""
        await self._store.aclose()

    def _skip_gap(self, position: int) -> None:
        """The feed leaves positions out, which it only does where a person wanted it: the events between are
        lost, so the next one of each lot may be any. Counts may be off until the next correction.
        """
        log.warning("history.gap_skipped", after=self._position, position=position)
        for fold in self._folds.values():
            fold.skip_gap()
        self._changed.update(self._folds)

    def _fold_of(self, lot: str) -> Fold:
        fold = self._folds.get(lot)
        if fold is None:
            fold = self._folds[lot] = Fold(lot, self._hasher, self._keep_tokens)
        return fold

    async def _fold(self, lot: str, events: Iterable[Event]) -> None:
        fold = self._fold_of(lot)
        for event in events:
            if event.seq > fold.seq:
                if not fold.seq and event.seq > 1:
                    log.warning("history.begins_late", lot=lot, seq=event.seq)
                fold.apply(event)
                self._changed.add(lot)
        for key in self._rollup.wanted(lot, fold.counts.changes):
            await self._read_day(*key)
        changes, stays = fold.take()
        self._rollup.add(lot, changes)
        self._stays.update({(lot, session): row for session, row in stays.items()})

    async def _read_day(self, lot: str, area: str, day: int) -> None:
        first = day * DAY_MIN
        days = await self._store.days(lot, area, day, day + 1)
        cells = await self._store.cells(lot, area, first, first + DAY_MIN)
        self._rollup.know((lot, area, day), days, cells)

    async def _store_all(self, events: Sequence[EventRow], checkpoint: bool) -> None:
        """Whatever was folded and is not stored yet stays here until it is: a batch that comes again is no
        news to the folds.
        """
        cells, days = self._rollup.rows()
        rows = Rows(events, list(self._stays.values()), cells, days)
        progress = self._progress() if checkpoint else None
        try:
            await self._store.write(rows, progress)
        except StoreRejected:
            self._settled()
            raise
        self._settled()
        if progress is not None:
            self._safe, self._since = progress.position, 0
            self._next_s = self._clock() + CHECKPOINT_S
            self._changed.clear()
            await self._expire()

    async def _expire(self) -> None:
        """Now and then, after a checkpoint. What was written stays written where this fails: it is tried
        again.
        """
        if self._clock() < self._expire_s:
            return
        try:
            touched = await self._store.expire(self._now_ms())
        except StoreUnavailable as error:
            log.warning("history.expiry_failed", error=str(error))
            return
        self._expire_s = self._clock() + EXPIRE_S
        if touched:
            log.info("history.expired", rows=touched)

    def _settled(self) -> None:
        self._rollup.settled()
        self._stays = {}

    def _progress(self) -> Progress:
        changed = [self._folds[lot] for lot in sorted(self._changed)]
        states = [Checkpoint(fold.lot, fold.seq, fold.dump()) for fold in changed]
        return Progress(self._feed, self._position, states)

    def _event_row(self, position: int, event: Event) -> EventRow:
        kind, value = type(event).__name__, msgspec.json.encode(fields(event, self._hasher))
        return EventRow(event.lot, day_of(event.at_ms), event.seq, event.at_ms, position, kind, value)


def _lot(pair: tuple[int, Event]) -> str:
    return pair[1].lot
