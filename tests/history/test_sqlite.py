"""The history in a SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from liftgate.history.port import (
    DAY_MS,
    LEFT,
    EventRow,
    Progress,
    Rows,
    StoreMisfit,
    StoreUnavailable,
)
from liftgate.history.sqlite import APPLICATION_ID, SqliteStore
from tests.history import contract
from tests.history.contract import NOON, TODAY, event, opened, stay

HOUR_MS = 3_600_000


class File:
    """A keeper of stores on one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def store(self) -> SqliteStore:
        return SqliteStore(self.path, keep_days=30, personal_hours=24)

    def poison(self, row: EventRow) -> EventRow:
        """An integer in SQLite has 64 bits."""
        return row._replace(position=1 << 63)


@pytest.fixture
def keeper(tmp_path: Path) -> File:
    return File(tmp_path / "history.db")


@pytest.mark.parametrize("case", contract.CASES, ids=contract.name)
def test_the_contract(case: contract.Case, keeper: File) -> None:
    """What every store promises."""
    asyncio.run(case(keeper))  # type: ignore[arg-type]


def test_old_events_and_ended_stays_go(keeper: File) -> None:
    """After keep_days; who is still inside stays, and so do counts."""
    asyncio.run(_old_ones_go(keeper))


async def _old_ones_go(keeper: File) -> None:
    async with opened(keeper) as store:
        for lot in ("a", "b"):
            ages = (0, 30, 31, 400)
            events = [event(lot, n + 1, NOON - age * DAY_MS) for n, age in enumerate(ages)]
            stays = [
                stay(lot, n, n + 1, day=TODAY - age, left_ms=NOON, how=LEFT) for n, age in enumerate(ages)
            ]
            await store.write(Rows(events, [*stays, stay(lot, 9, 9, day=TODAY - 400)]))
        assert await store.expire(NOON) == 8
        for lot in ("a", "b"):
            assert [len(await store.events(lot, TODAY - age)) for age in (0, 30, 31, 400)] == [1, 1, 0, 0]
            assert [len(await store.stays(lot, TODAY - age)) for age in (0, 30, 31, 400)] == [1, 1, 0, 1]
        assert await store.expire(NOON) == 0


def test_raw_tokens_are_forgotten_after_the_stay(keeper: File) -> None:
    """personal_hours after it ended, never while it lasts; the hash stays, and no old row brings a token
    back.
    """
    asyncio.run(_tokens_go(keeper))


async def _tokens_go(keeper: File) -> None:
    gone = stay("n", 1, 5, token=b"\2anna", left_ms=NOON, how=LEFT)
    inside = stay("n", 2, 6, token=b"\2bert", entered_ms=NOON - 9 * DAY_MS)
    async with opened(keeper) as store:
        await store.write(Rows((), [gone, inside]))
        assert await store.expire(NOON + 24 * HOUR_MS) == 0
        assert await store.expire(NOON + 24 * HOUR_MS + 1) == 1
        await store.write(Rows((), [gone, gone._replace(seq=4)]))
        assert list(await store.stays("n", TODAY)) == [gone._replace(token=b""), inside]
    assert b"\2anna" not in b"".join(path.read_bytes() for path in keeper.path.parent.iterdir())


def raises(error: type[Exception], match: str, work: Callable[[], Awaitable[Any]]) -> None:
    async def run() -> None:
        await work()

    with pytest.raises(error, match=match):
        asyncio.run(run())


def test_a_newer_schema_is_refused(keeper: File) -> None:
    """By open and by migrate, with both versions; the file is left alone."""
    asyncio.run(_open_and_close(keeper))
    with sqlite3.connect(keeper.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for work in (keeper.store().open, keeper.store().migrate):
        raises(StoreMisfit, r"schema 99, and this program knows \d at most: a newer Liftgate", work)
    connection = sqlite3.connect(keeper.path)
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


async def _open_and_close(keeper: File) -> None:
    async with opened(keeper):
        pass


def test_an_older_schema_is_migrated_by_order_only(keeper: File) -> None:
    """open says what to do; migrate does it, and the rows are still there."""
    store = keeper.store()
    latest = len(store._migrations)
    asyncio.run(_open_and_close(keeper))
    newer = keeper.store()
    one_more = newer._migrations[0]._replace(number=latest + 1, text="CREATE TABLE x (y);")
    newer._migrations = (*newer._migrations, one_more)
    words = f"schema {latest} and this program needs {latest + 1}: run `liftgate history migrate`"
    raises(StoreMisfit, words, newer.open)

    async def migrate() -> tuple[int, int]:
        found = await newer.migrate()
        await newer.aclose()
        return found

    assert asyncio.run(migrate()) == (latest, latest + 1)


def test_a_migration_that_breaks_off_leaves_the_version_before(keeper: File) -> None:
    """All of it or nothing of it, and the next try can begin anew."""
    asyncio.run(_open_and_close(keeper))
    broken = keeper.store()
    before = len(broken._migrations)
    text = "CREATE TABLE half (x); CREATE TABLE events (x);"
    broken._migrations = (*broken._migrations, broken._migrations[0]._replace(number=before + 1, text=text))
    raises(StoreUnavailable, "events already exists", broken.migrate)
    connection = sqlite3.connect(keeper.path)
    assert connection.execute("PRAGMA user_version").fetchone() == (before,)
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a database at all, but long enough to be looked at" * 100, "not a database"),
        (None, "another program's database|a database, and no history"),
    ],
)
def test_another_file_is_not_taken_for_a_history(keeper: File, content: bytes | None, words: str) -> None:
    """Neither any file nor any database."""
    if content is not None:
        keeper.path.write_bytes(content)
    else:
        connection = sqlite3.connect(keeper.path)
        connection.execute("CREATE TABLE accounts (x)")
        connection.close()
    raises(StoreMisfit, words, keeper.store().open)


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    """So the relay tries again, and says why."""
    (tmp_path / "file").write_text("")
    raises(StoreUnavailable, "file", SqliteStore(tmp_path / "file" / "history.db").open)


def test_a_locked_file_is_unavailable_and_nothing_is_half_written(keeper: File, monkeypatch: Any) -> None:
    """The same rows are written later."""
    monkeypatch.setattr("liftgate.history.sqlite.BUSY_S", 0.05)
    asyncio.run(_locked(keeper))


async def _locked(keeper: File) -> None:
    async with opened(keeper) as store:
        other = sqlite3.connect(keeper.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.write(Rows([event("n", 1)], [stay("n", 1, 1)]))
        assert list(await store.events("n", TODAY)) == [], "whoever reads is not kept waiting"
        other.execute("ROLLBACK")
        other.close()
        await store.write(Rows([event("n", 1)], [stay("n", 1, 1)]))
        assert len(await store.stays("n", TODAY)) == 1


def test_a_store_may_be_opened_again(keeper: File) -> None:
    """After it was closed, as a relay does that lost it."""
    asyncio.run(_again(keeper.store()))


async def _again(store: SqliteStore) -> None:
    for turn in (1, 2):
        await store.open()
        await store.write(Rows([event("n", turn)]))
        assert len(await store.events("n", TODAY)) == turn
        await store.aclose()


def test_the_file_says_whose_it_is(keeper: File) -> None:
    """For whoever finds it: its application id, and WAL."""
    asyncio.run(_open_and_close(keeper))
    connection = sqlite3.connect(keeper.path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from liftgate.history.port import Progress, Rows
from liftgate.history.sqlite import SqliteStore
from tests.history.contract import event, stay

async def main() -> None:
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    for first in range(1, 10**9, 500):
        seqs = range(first, first + 500)
        rows = Rows([event("n", seq) for seq in seqs], [stay("n", seq, seq) for seq in seqs])
        await store.write(rows, Progress("f", first + 499, []))
        print(first + 499, flush=True)

asyncio.run(main())
"""


@pytest.mark.long
def test_killed_while_writing_it_has_what_it_said(keeper: File) -> None:
    """Rows and progress are one transaction: after kill -9 there are as many events as the position says."""
    for _ in range(5):
        keeper.path.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(keeper.path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(20)][-1]
        process.kill()
        process.wait()
        process.stdout.close()
        asyncio.run(_as_said(keeper, said))


async def _as_said(keeper: File, said: int) -> None:
    async with opened(keeper) as store:
        progress = await store.progress("f")
        assert progress is not None and isinstance(progress, Progress)
        assert progress.position >= said
        events = await store.events("n", TODAY, 0, 10**9)
        assert [row.seq for row in events] == list(range(1, progress.position + 1))
        assert len(await store.stays("n", TODAY, b"", 10**9)) == progress.position
