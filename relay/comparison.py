"""Whether a sink has what the journal has: each event once, in order, and nothing more.

The journal is read once, in pieces; for each piece the sink is asked for as many events as it must have
there, shelf by shelf. A shelf is what a sink keeps in order: a lot's day in the history, a partition of the
topic. So memory is a piece and what the sink hands out for it, however long the journal is. (Rejected: sums
of hashes, which are equal or not, and name no event that an operator could look for.)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar

from liftgate.relay.dead import How

PIECE = 20_000
"""Events of the journal at a time: some 4 MB. With less, a site of hundreds of lots would be asked for an
event or two at a time."""


class Entry(NamedTuple):
    """An event as the journal and a sink name it. at_ms: Unix milliseconds, the event's own."""

    lot: str
    seq: int
    position: int
    type: str
    at_ms: int

    def __str__(self) -> str:
        return f"{self.lot} seq {self.seq} (position {self.position}, {self.type})"


class Span(NamedTuple):
    """Positions that are compared, both included: what a sink has of others is no matter."""

    first: int
    last: int

    def __contains__(self, position: object) -> bool:
        return isinstance(position, int) and self.first <= position <= self.last


class Difference(NamedTuple):
    """The first event that is not as it should be, and what is wrong with it."""

    entry: Entry
    what: str

    def __str__(self) -> str:
        return f"{self.entry} {self.what}"


ShelfT = TypeVar("ShelfT", bound=Hashable)


class Kept(Protocol[ShelfT]):
    """What a sink has of a span."""

    def shelf(self, entry: Entry) -> ShelfT | None:
        """Where it must be; None: the sink was to keep it no longer, so it is not compared."""

    async def take(self, shelf: ShelfT, count: int) -> Sequence[Entry]:
        """The next events there, at most `count`; fewer: there are no more. Each is handed out once."""

    def shelves(self) -> Iterable[ShelfT]:
        """Where something of the span can be, once all of the journal was asked for."""


class Compared(NamedTuple):
    """difference None: they are equal. events: compared until then; skipped: kept no longer; resent: among
    the events, those that stand behind later ones; dropped: those that somebody let go.
    """

    difference: Difference | None
    events: int
    skipped: int
    resent: int = 0
    dropped: int = 0


class Settled(Generic[ShelfT]):
    """A sink whose dead letters of old are looked at apart: they have no place in the order.

    Those that were sent again must be there once, wherever; those that were dropped must not.
    """

    def __init__(self, kept: Kept[ShelfT], settled: Mapping[int, How]) -> None:
        """settled: by position, what became of letters that are none any more."""
        self._kept, self._settled = kept, settled
        self._wanted: list[Entry] = []
        self._found: dict[int, list[Entry]] = {}
        self.dropped = 0

    @property
    def resent(self) -> int:
        """Of the journal's so far."""
        return len(self._wanted)

    def takes(self, entry: Entry) -> bool:
        """Whether an event of the journal is one of them; it is remembered then."""
        how = self._settled.get(entry.position)
        if how == "resent":
            self._wanted.append(entry)
        self.dropped += how == "dropped"
        return how is not None

    def shelf(self, entry: Entry) -> ShelfT | None:
        """As the sink has it."""
        return self._kept.shelf(entry)

    async def take(self, shelf: ShelfT, count: int) -> Sequence[Entry]:
        """As the sink hands out, without them."""
        found: list[Entry] = []
        while len(found) < count:
            some = await self._kept.take(shelf, count - len(found))
            if not some:
                break
            for entry in some:
                if entry.position in self._settled:
                    self._found.setdefault(entry.position, []).append(entry)
                else:
                    found.append(entry)
        return found

    def shelves(self) -> Iterable[ShelfT]:
        """As the sink has them."""
        return self._kept.shelves()

    def difference(self) -> Difference | None:
        """What is wrong with them, once all shelves were read to their end."""
        for entry in self._wanted:
            found = self._found.pop(entry.position, [])
            if not found:
                return Difference(entry, "is missing, though it was sent again")
            if found[0] != entry:
                return Difference(entry, f"is there as another event: {found[0]}, at_ms {found[0].at_ms}")
            if len(found) > 1:
                return Difference(entry, "is there twice")
        return next(
            (Difference(each[0], "is there though it was dropped") for each in self._found.values()), None
        )


async def compare(
    journal: Iterable[Entry], sink: Kept[ShelfT], settled: Mapping[int, How] | None = None
) -> Compared:
    """Look for the first difference; raises what `sink` raises.

    settled: by position, what became of dead letters that are none any more.
    """
    events = skipped = 0
    kept = Settled(sink, settled or {})
    last: dict[ShelfT, Entry] = {}
    for piece in _pieces(journal):
        wanted: dict[ShelfT, list[Entry]] = {}
        for entry in piece:
            shelf = kept.shelf(entry)
            if shelf is None:
                skipped += 1
            elif kept.takes(entry):
                events += 1
            else:
                wanted.setdefault(shelf, []).append(entry)
        differences = []
        for shelf, entries in wanted.items():
            found = await kept.take(shelf, len(entries))
            difference = first_difference(entries, found, last.get(shelf))
            if difference is not None:
                differences.append(difference)
            last[shelf] = entries[-1]
            events += len(entries)
        if differences:
            return Compared(min(differences, key=lambda each: each.entry.position), events, skipped)
    difference = await _more(kept, last) or kept.difference()
    return Compared(difference, events - kept.dropped, skipped, kept.resent, kept.dropped)


async def _more(kept: Settled[ShelfT], last: dict[ShelfT, Entry]) -> Difference | None:
    """What is there beyond all that the journal has."""
    for shelf in kept.shelves():
        for entry in await kept.take(shelf, 1):
            return _surplus(entry, last.get(shelf), ())
    return None


def first_difference(
    wanted: Sequence[Entry], found: Sequence[Entry], before: Entry | None
) -> Difference | None:
    """What is wrong first on one shelf. before: what was found right before `wanted`, None: nothing."""
    for place, entry in enumerate(wanted):
        if place == len(found):
            return Difference(entry, "is missing")
        there = found[place]
        if there == entry:
            continue
        passed = wanted[:place]
        if there in wanted[place + 1 :]:
            late = entry in found[place + 1 :]
            return Difference(entry, f"is out of order: {there} is before it" if late else "is missing")
        if _name(there) == _name(entry):
            return Difference(entry, f"is there as another event: {there}, at_ms {there.at_ms}")
        if there.position > entry.position and entry not in found:
            return Difference(entry, "is missing")
        return _surplus(there, passed[-1] if passed else before, passed)
    return None


def _surplus(entry: Entry, before: Entry | None, passed: Sequence[Entry]) -> Difference:
    if entry == before or entry in passed:
        return Difference(entry, "is there twice")
    if before is not None and entry.position < before.position:
        return Difference(entry, f"is there behind {before}: out of order, or a second time")
    return Difference(entry, "is there and not in the journal")


def _name(entry: Entry) -> tuple[str, int]:
    return entry.lot, entry.seq


def _pieces(journal: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    entries = iter(journal)
    while piece := tuple(islice(entries, PIECE)):
        yield piece
