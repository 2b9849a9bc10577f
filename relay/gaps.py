"""Gaps that an operator had a sink go past: what the journal no longer held when the sink came for it.

In the file of the dead letters, since both are what a sink will never have. A wish is the operator's, by
`liftgate dead skip-gap`; the relay keeps beside it what it then really left out, before it goes on.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import NamedTuple

from liftgate.relay.dead import open_file

_TABLES = (
    "CREATE TABLE IF NOT EXISTS gap_wish (sink TEXT PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS gap (
        sink TEXT NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (sink, first)
    )""",
)


class Gap(NamedTuple):
    """Positions first..last that a sink never got; at_ms: Unix ms of when it went past them."""

    first: int
    last: int
    at_ms: int

    @property
    def events(self) -> int:
        return self.last - self.first + 1


class Gaps:
    """The gaps of all sinks. Calls are short and block; each that changes something is durable."""

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        """make: create what is missing, else FileNotFoundError. Raises sqlite3.Error."""
        self._db: sqlite3.Connection = open_file(folder, *_TABLES, make=make)

    def close(self) -> None:
        self._db.close()

    def want(self, sink: str) -> None:
        """Have the sink go past the gap that it stands before."""
        self._db.execute("INSERT OR IGNORE INTO gap_wish VALUES (?)", (sink,))

    def unwish(self, sink: str) -> None:
        """There is no such gap: a later one needs a wish of its own."""
        self._db.execute("DELETE FROM gap_wish WHERE sink = ?", (sink,))

    def wanted(self, sink: str) -> bool:
        """Whether somebody asked for that and it is not done."""
        return self._db.execute("SELECT 1 FROM gap_wish WHERE sink = ?", (sink,)).fetchone() is not None

    def skip(self, sink: str, gap: Gap) -> None:
        """Keep that the sink goes past these; the wish is fulfilled."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?)", (sink, *gap))
        self._db.execute("DELETE FROM gap_wish WHERE sink = ?", (sink,))
        self._db.execute("COMMIT")

    def skipped(self, sink: str) -> list[Gap]:
        """Those of a sink, in order."""
        rows = self._db.execute("SELECT first, last, at_ms FROM gap WHERE sink = ? ORDER BY first", (sink,))
        return [Gap(*row) for row in rows]
