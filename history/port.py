"""The history: what happened, kept for years and asked by day, credential and area.

Written by the relay through `history/recorder.py`, read by the API, the command line and the forecast. Every
store implements `Store`; one contract suite (tests/history/contract.py) runs on all. Series and counts per
hour are reckoned from cells and days in `history/series.py`, so a store only keeps and finds rows.

Rows carry the lot's seq of the event that made them what they are. Whoever writes, in whatever order and how
often: of two rows with one key the one with the higher seq stays. That is all that makes a restart from an
older checkpoint, and two relays at once by mistake, harmless.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

CELL_MIN = 5
"""Minutes in a cell, the shortest step of a series. It divides the quarter hours that time zones are off
by.
"""

DAY_MIN = 24 * 60
DAY_MS = DAY_MIN * 60_000

WHOLE = ""
"""The area of cells and days that tell of the whole lot: a car that goes from one area to another neither
enters nor leaves it, so its sums are not those of its areas. No area's id is empty.
"""


LEFT, NEWER_ENTRY, LOST, CLOSED, PRESUMED_GONE = "left", "newer entry", "lost", "closed", "presumed gone"
ENDINGS = (LEFT, NEWER_ENTRY, LOST, CLOSED, PRESUMED_GONE)
"""How a stay ended: seen to leave; its credential came in again; its ticket was lost and not replaced; by an
operator; by the rule. Never an operator's own words, in which anything may stand.
"""


class EventRow(NamedTuple):
    """An event. Key: lot, day, seq.

    day: days since 1970-01-01 UTC of at_ms, which for an event out of a REPLAY is when it happened; position:
    the journal's; type: the struct's name; value: JSON of its plain fields, credentials hashed
    (`history/privacy.py`).
    """

    lot: str
    day: int
    seq: int
    at_ms: int
    position: int
    type: str
    value: bytes


class StayRow(NamedTuple):
    """A stay as it is known at event `seq`. Key: lot, session.

    It is written once its car counts in an area.

    day: of entered_ms (of the event where nobody knows that), and stays what it was first; session: its 16
    bytes; credential: keyed hash, 16 bytes; token: kind byte + raw token where those are kept, else b"", to
    be forgotten `personal_hours` after the stay; area: where the car is or was last; spot: "" where it has
    none; entered_ms: None where nobody saw it come in; left_ms: None while inside; how: "" while inside, else
    one of ENDINGS; formerly: hashes under which the stay was known before its credential was swapped, for
    stores that keep stays by credential: no row of this session may be found under them any more.
    """

    lot: str
    day: int
    session: bytes
    seq: int
    credential: bytes
    token: bytes
    area: str
    spot: str
    entered_ms: int | None
    left_ms: int | None
    how: str
    formerly: tuple[bytes, ...] = ()


class CellRow(NamedTuple):
    """What happened to an area's count in one cell of time. Key: lot, area, cell.

    cell: Unix minutes of its beginning, a multiple of CELL_MIN; area: an id or WHOLE; entered, left: cars
    that a lane saw come in and go, with a name or without; corrected: net of what nobody saw: corrections,
    recounts, closings by rule, areas that are gone.
    """

    lot: str
    area: str
    cell: int
    seq: int
    entered: int
    left: int
    corrected: int

    def change(self) -> int:
        """What it comes to: cars more at its end than at its beginning."""
        return self.entered - self.left + self.corrected


class DayRow(NamedTuple):
    """The same for a whole day (UTC): the sum of its cells. Key: lot, area, day.

    With it the occupancy at any time is the sum of the days before and of that day's cells: a few hundred
    small rows for years. A balance carried from day to day would be one row, but a replay into last week
    would have to rewrite every day since.
    """

    lot: str
    area: str
    day: int
    seq: int
    entered: int
    left: int
    corrected: int

    def change(self) -> int:
        """What it comes to: cars more at its end than at its beginning."""
        return self.entered - self.left + self.corrected


class Rows(NamedTuple):
    """What one batch of the feed comes to. Each key at most once in stays, cells and days."""

    events: Sequence[EventRow] = ()
    stays: Sequence[StayRow] = ()
    cells: Sequence[CellRow] = ()
    days: Sequence[DayRow] = ()


class Checkpoint(NamedTuple):
    """Where a lot's fold stood: all that its events up to `seq` come to is in the store.

    state: the fold's own bytes, some 76 for each open stay: 4 MB in a lot of 50,000, so it is not written
    with every batch.
    """

    lot: str
    seq: int
    state: bytes


class Progress(NamedTuple):
    """How far a feed is in the store.

    feed: which engine's, since several may share a store; position: everything up to it is in the store for
    good; folds: of a write, the lots that changed since they were last written; of a read, every lot of the
    feed.
    """

    feed: str
    position: int
    folds: Sequence[Checkpoint]


class StoreUnavailable(Exception):
    """It cannot be had now, or not in time: the same rows are written again, later. Part may be stored."""


class StoreRejected(Exception):
    """It refuses some event rows for good; everything else of the write is stored.

    refused: (lot, seq) of the event -> why, for people.
    """

    def __init__(self, refused: dict[tuple[str, int], str]) -> None:
        super().__init__(f"{len(refused)} events refused: {next(iter(refused.values()), '')}")
        self.refused = refused


class StoreMisfit(Exception):
    """Waiting will not help: another schema, an unknown keyspace, wrong credentials. The text is for
    people.
    """


class StoreMissing(StoreMisfit):
    """Nothing is there yet, not even an older schema: `Store.migrate` makes it and takes nothing away."""


class Store(Protocol):
    """Where the history lies. One task writes; several may read meanwhile.

    Each method but aclose raises StoreUnavailable.
    """

    async def migrate(self) -> tuple[int, int]:
        """Bring the schema to what this program knows: (version before, 0 = nothing there; version now).

        Called instead of `open`, not after it. Raises StoreMisfit where the schema is newer.
        """

    async def open(self) -> None:
        """Connect. Raises StoreMisfit where the schema is not this program's; see `migrate`."""

    async def aclose(self) -> None:
        """Let go of connections."""

    async def write(self, rows: Rows, progress: Progress | None = None) -> None:
        """Store the rows, then the progress if there is one; return when all is durable.

        A row is dropped where one of its key is there with the same or a higher seq; so are a checkpoint of a
        lower seq and a lower position. Progress is stored after the rows, and not where any was refused: the
        caller keeps that one elsewhere first, then gives the progress again. Raises StoreRejected.
        """

    async def progress(self, feed: str) -> Progress | None:
        """How far the feed is; None: nothing of it is here."""

    async def expire(self, now_ms: int) -> int:
        """Remove what was to be kept until now at most; how many rows that touched. A store that does so by
        itself does nothing. Also called while it writes, so it works in small steps.
        """

    async def events(self, lot: str, day: int, after: int = 0, limit: int = 1000) -> Sequence[EventRow]:
        """At most `limit` events of a day by seq, after seq `after`."""

    async def stays(self, lot: str, day: int, after: bytes = b"", limit: int = 1000) -> Sequence[StayRow]:
        """At most `limit` stays that began on a day by session, after session `after`. `formerly` is not
        kept.
        """

    async def stays_of(self, credential: bytes, limit: int = 100) -> Sequence[StayRow]:
        """The last `limit` stays of a credential's hash in all lots, the latest entry first."""

    async def cells(self, lot: str, area: str, first: int, until: int) -> Sequence[CellRow]:
        """An area's cells that are there from cell `first` to before `until` (Unix minutes), by time."""

    async def days(self, lot: str, area: str, first: int, until: int) -> Sequence[DayRow]:
        """An area's days that are there from day `first` to before `until`, by time."""
