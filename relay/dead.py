"""Dead letters: what a sink refused for good, kept with its reason until somebody has looked.

One SQLite file for all sinks, in the relay's folder: the relay writes it, `liftgate dead` reads it and asks
for things in it while the relay runs, which a plain file would not take from two processes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

FILE_NAME = "dead.sqlite"

BUSY_S_MAX = 5.0
"""Either side holds the file for a transaction of milliseconds."""

REASON_CHARACTERS_MAX = 2000
"""A server's message can hold the whole value that it refused."""

_LETTERS = """
CREATE TABLE IF NOT EXISTS letter (
    sink TEXT NOT NULL,
    position INTEGER NOT NULL,
    lot TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    wanted INTEGER NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (sink, position)
)"""
_SETTLED = """
CREATE TABLE IF NOT EXISTS settled (
    sink TEXT NOT NULL,
    position INTEGER NOT NULL,
    how TEXT NOT NULL,
    PRIMARY KEY (sink, position)
)"""
_PUT = """
INSERT INTO letter VALUES (?, ?, ?, ?, ?, ?, 1, 0, ?)
ON CONFLICT DO UPDATE
SET at_ms = excluded.at_ms, reason = excluded.reason, attempts = attempts + 1, wanted = 0"""
_FORGET = """
DELETE FROM settled WHERE sink = ?1 AND position <=
(SELECT position FROM settled WHERE sink = ?1 ORDER BY position DESC LIMIT 1 OFFSET ?2)"""
_COLUMNS = "sink, position, lot, seq, at_ms, reason, attempts, wanted, raw"


SETTLED_MAX = 100_000
"""Of one sink, the latest: ten times the letters that are kept by default. An older one that was sent again
is told as out of order by `liftgate compare`."""

How = Literal["resent", "dropped"]


def open_file(folder: Path, *tables: str, make: bool) -> sqlite3.Connection:
    """The file, with these tables. make: create what is missing, else FileNotFoundError.

    Raises sqlite3.Error.
    """
    path = folder / FILE_NAME
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise FileNotFoundError(str(path))
    db = sqlite3.connect(path, timeout=BUSY_S_MAX, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    for table in tables:
        db.execute(table)
    return db


class Letter(NamedTuple):
    """An event that a sink refused.

    position, seq: the journal's, the lot's; at_ms: Unix ms of the last refusal; attempts: refusals; wanted:
    somebody asked for it to be sent again; raw: the event's MessagePack bytes.
    """

    sink: str
    position: int
    lot: str
    seq: int
    at_ms: int
    reason: str
    attempts: int
    wanted: bool
    raw: bytes


class DeadLetters:
    """The file. Calls are short and block; each that changes something is one durable transaction."""

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        """make: create what is missing, else FileNotFoundError. Raises sqlite3.Error."""
        self._db = open_file(folder, _LETTERS, _SETTLED, make=make)

    def close(self) -> None:
        self._db.close()

    def put(self, letters: Iterable[Letter]) -> None:
        """Keep them, all or none; one that is there already has been refused once more."""
        rows = [(*letter[:5], letter.reason[:REASON_CHARACTERS_MAX], letter.raw) for letter in letters]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany(_PUT, rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def count(self, sink: str) -> int:
        """How many a sink has."""
        (count,) = self._db.execute("SELECT count(*) FROM letter WHERE sink = ?", (sink,)).fetchone()
        return int(count)

    def find(
        self, sink: str | None = None, lot: str | None = None, after: int = 0, limit: int = 100
    ) -> list[Letter]:
        """By position, those behind `after`; of one sink or lot where named."""
        return self._select(
            "position > ? AND (?2 IS NULL OR sink = ?2) AND (?3 IS NULL OR lot = ?3)",
            (after, sink, lot),
            limit,
        )

    def get(self, sink: str, position: int) -> Letter | None:
        """One of them."""
        return next(iter(self._select("sink = ? AND position = ?", (sink, position), 1)), None)

    def wanted(self, sink: str, limit: int) -> list[Letter]:
        """Those to be sent again, by position: so the order within a lot is kept among them."""
        return self._select("sink = ? AND wanted", (sink,), limit)

    def want(self, sink: str, positions: Sequence[int] | None) -> int:
        """Ask for these to be sent again, None: all of the sink; how many there are."""
        return self._each("UPDATE letter SET wanted = 1 WHERE sink = ?", sink, positions)

    def drop(self, sink: str, positions: Sequence[int] | None) -> int:
        """The sink will never have these, None: all of its letters; how many there were."""
        return self._settle(sink, positions, "dropped")

    def resent(self, sink: str, position: int) -> None:
        """The sink has this one now, behind later events of its lot."""
        self._settle(sink, [position], "resent")

    def settled(self, sink: str) -> dict[int, How]:
        """What became of letters that are none any more, by position; the latest SETTLED_MAX."""
        return dict(self._db.execute("SELECT position, how FROM settled WHERE sink = ?", (sink,)))

    def _settle(self, sink: str, positions: Sequence[int] | None, how: How) -> int:
        """Delete letters and keep what became of them, all or none."""
        which = "FROM letter WHERE sink = ?"
        self._db.execute("BEGIN IMMEDIATE")
        try:
            insert = f"INSERT OR REPLACE INTO settled SELECT sink, position, '{how}' {which}"
            self._each(insert, sink, positions)
            count = self._each(f"DELETE {which}", sink, positions)
            self._db.execute(_FORGET, (sink, SETTLED_MAX))
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return count

    def _each(self, statement: str, sink: str, positions: Sequence[int] | None) -> int:
        if positions is None:
            return self._db.execute(statement, (sink,)).rowcount
        return sum(
            self._db.execute(f"{statement} AND position = ?", (sink, position)).rowcount
            for position in positions
        )

    def _select(self, where: str, values: tuple[object, ...], limit: int) -> list[Letter]:
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM letter WHERE {where} ORDER BY position, sink LIMIT {int(limit)}", values
        )
        return [Letter._make((*row[:7], bool(row[7]), row[8])) for row in rows]
