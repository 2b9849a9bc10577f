"""Reads `[history]`: where what happened is kept, for how long, and under which key credentials are
hashed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from liftgate.configs.cassandra import CassandraConfig, read_cassandra
from liftgate.configs.table import ID, Table

if TYPE_CHECKING:
    from liftgate.configs.clients import KeyPlaces
    from liftgate.configs.schema import Key

StoreKind = Literal["sqlite", "cassandra", "off"]
STORES: tuple[StoreKind, ...] = ("sqlite", "cassandra", "off")

PATH_ENDS = ".history.db"
KEEP_DAYS_MAX = 36_525


class HistoryConfig(Struct, frozen=True, kw_only=True):
    """What is kept of events, stays and counts.

    path: of the SQLite file, beside the journal unless given.
    feed: under which name this engine's progress is kept; several may share a store. The engine's own.
    key: credentials and plates are stored as hashes under it. Another key makes strangers of all regulars.
    keep_days: how long events and ended stays are kept, 0: for ever. Three years, so that a year can be
    compared with two others. Counts name nobody and are always kept.
    personal_hours: how long after a stay its raw token is kept, 0: it never is.
    cassandra: always there for that store.
    """

    store: StoreKind = "sqlite"
    path: Path
    feed: str
    key: Key
    keep_days: int = 1096
    personal_hours: int = 0
    cassandra: CassandraConfig | None = None


def read_history(
    root: Table, folder: Path, journal: Path, engine: str, keys: KeyPlaces
) -> HistoryConfig | None:
    """The table; None where there is none, or it is off: then no history is kept."""
    table = root.table("history")
    if table is None:
        return None
    store = table.word("store", STORES, default="sqlite")
    path = table.maybe_text("path")
    beside = journal.with_name(journal.name + PATH_ENDS) if journal.name else folder
    cluster = table.table("cassandra")
    if store == "cassandra" and cluster is None:
        table.note("cassandra", "is missing: this store needs [history.cassandra]")
    config = HistoryConfig(
        store=store,
        path=Path(os.path.normpath(folder / path)) if path else beside,
        feed=table.text("feed", default=engine or "engine", shape=ID),
        key=keys.read(table, default=keys.nothing if store == "off" else None),
        keep_days=table.number("keep_days", 0, KEEP_DAYS_MAX, default=1096),
        personal_hours=table.number("personal_hours", 0, 24 * KEEP_DAYS_MAX, default=0),
        cassandra=None if cluster is None else read_cassandra(cluster, keys),
    )
    return None if store == "off" else config
