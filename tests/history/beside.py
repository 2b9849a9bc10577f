"""The engine's own fold and the history's, side by side: they must come to the same counts and stays."""

from __future__ import annotations

from collections import Counter
from typing import Any

from liftgate.codecs.events import events_of
from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core.apply import apply
from liftgate.engine.core.events import unpack
from liftgate.engine.core.model import Lot
from liftgate.history.fold import Fold, load
from liftgate.history.port import WHOLE, StayRow
from liftgate.history.privacy import Hasher

HASHER = Hasher(b"a key of the tests, and of them only")


class History:
    """A fold, and a store's idea of what it gave."""

    def __init__(self, lot: str, keep_tokens: bool = False) -> None:
        self.fold = Fold(lot, HASHER, keep_tokens)
        self.sums: Counter[str] = Counter()
        self.rows: dict[bytes, StayRow] = {}

    def tell(self, payload: bytes, count: int) -> None:
        """Fold the events that stand in `payload`."""
        for event in events_of(payload, count):
            self.fold.apply(event)
            changes, rows = self.fold.take()
            for change in changes:
                assert change.seq == event.seq and change.at_ms == event.at_ms
                self.sums[change.area] += change.entered - change.left + change.corrected
            for session, row in rows.items():
                assert row.day == self.rows.get(session, row).day, "a stay's day is what it was first"
            self.rows.update(rows)

    def restart(self) -> None:
        """Go on from the state's bytes."""
        before = self.fold.dump()
        self.fold = load(self.fold.lot, before, HASHER)
        assert self.fold.dump() == before


def agree(lot: Lot, history: History) -> None:
    """Every area's count, and every stay with where it is and where it goes."""
    fold, counts = history.fold, {id: area.inside + area.adrift for id, area in lot.areas.items()}
    assert fold.counts.by_area == counts
    assert {id: sum for id, sum in history.sums.items() if sum and id != WHOLE} == {
        id: count for id, count in counts.items() if count
    }
    assert history.sums[WHOLE] == sum(counts.values())
    assert fold.counts.misfits == 0
    mine = {name: [stay.session, stay.area, stay.moving] for name, stay in fold.stays.items()}
    assert mine == {HASHER.of(name): _stay(stay) for name, stay in lot.stays.items()}
    assert list(fold.moving) == list(lot.moving)
    assert list(fold.lapsed) == list(lot.lapsed)
    inside = {row.session: row.area for row in history.rows.values() if row.how == ""}
    assert inside == {stay.session: stay.area.id for stay in lot.stays.values() if stay.area is not None}
    assert all((row.left_ms is None) == (row.how == "") for row in history.rows.values())


def _stay(stay: Any) -> list[Any]:
    return [stay.session, None if stay.area is None else stay.area.id, stay.moving]


class Beside:
    """Both folds of one lot's log, from its first event on."""

    def __init__(self, lot: str) -> None:
        self.lot = Lot(lot)
        self.history = History(lot)
        self.position = 0

    def tell(self, payload: bytes) -> None:
        """Fold further events, one at a time, and compare after each."""
        source = Unpacker(payload)
        while source.at < source.end:
            start = source.at
            self.position += 1
            apply(self.lot, unpack(source), self.position)
            self.history.tell(payload[start : source.at], 1)
            agree(self.lot, self.history)
