"""`liftgate history` on the history of a real engine's journal."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from liftgate.codecs.events import events_of
from liftgate.configs.loader import load
from liftgate.engine.journal import inspect
from liftgate.engine.journal.disk import DiskStorage
from liftgate.history.stores import recorder_of
from tests.cli.commands import CARD, Done, demo, engine, events, journal, liftgate, scan

OTHER = "04AABBCCDDEE01"
OUT = "north-exit-1"


def history(action: str, config: Path, *more: object) -> Done:
    """Run `liftgate history ACTION`."""
    return liftgate("history", action, "--config", config, *more)


def with_history(config: Path) -> Path:
    config.write_text(config.read_text() + f'\n[history]\nkey = "{"ab" * 32}"\n')
    return config


@pytest.fixture
def configured(config: Path) -> Path:
    """The demo's configuration, with a history."""
    return with_history(config)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cars came, one of them left, and all of the journal is in the history, which is only read."""
    configured = with_history(demo(tmp_path_factory.mktemp("filled")))
    with engine(configured):
        for card, reader in ((CARD, None), (OTHER, None), (CARD, OUT)):
            done = (
                scan(configured, card=card) if reader is None else scan(configured, card=card, reader=reader)
            )
            assert done.returncode == 0, done
    asyncio.run(fill(configured))
    return configured


async def fill(config: Path) -> None:
    """What the relay does, from the files."""
    loaded = load(config)
    assert loaded.history is not None
    recorder = recorder_of(loaded.history)
    await recorder.open()
    dumped = inspect.dump(DiskStorage(journal(config)), 1, 1 << 40, events_of)
    await recorder.write([(position, event) for position, _, event in dumped])
    await recorder.settle()
    await recorder.aclose()


def lines(done: Done) -> list[dict[str, Any]]:
    assert (done.returncode, done.stderr) == (0, ""), done
    return events(done)


def test_events_of_a_day_are_the_journals(filled: Path) -> None:
    """All of them by seq, with hashes for tokens."""
    found = lines(history("events", filled, "--lot", "north", "--json"))
    stored = [
        each for each in events(liftgate("journal", "dump", "--config", filled)) if each["lot"] == "north"
    ]
    assert [(row["seq"], row["position"], row["type"]) for row in found] == [
        (each["seq"], each["position"], each["type"]) for each in stored
    ]
    text = json.dumps(found)
    assert CARD not in text.upper() and OTHER not in text.upper()
    shown = history("events", filled, "--lot", "north").stdout.splitlines()
    assert len(shown) == len(found) and "ScanDecided" in shown[-1]


def test_stays_of_a_day_and_of_a_card(filled: Path) -> None:
    """The same stay under both; who is inside has no end yet."""
    left, inside = lines(history("stays", filled, "--lot", "north", "--json"))
    assert (left["how"], inside["how"], inside["left_ms"]) == ("left", "", None)
    assert left["left_ms"] >= left["entered_ms"]
    assert lines(history("stays", filled, "--card", CARD, "--json")) == [left]
    shown = history("stays", filled, "--card", OTHER).stdout.splitlines()
    assert len(shown) == 2 and "inside" in shown[1] and OTHER not in shown[1]
    assert "no stays" in history("stays", filled, "--plate", "B-XY 1").stdout


def test_occupancy_and_counts(filled: Path) -> None:
    """One car is in now, and two came within the hours that are shown by default."""
    now = datetime.now(UTC).timestamp()
    to = datetime.fromtimestamp(now + 3600, UTC).isoformat()
    points = lines(history("occupancy", filled, "--lot", "north", "--to", to, "--step", "15m", "--json"))
    assert (points[0]["occupancy"], points[-1]["occupancy"], len(points)) == (0, 1, 97)
    hours = lines(history("counts", filled, "--lot", "north", "--to", to, "--json"))
    assert sum(hour["entered"] for hour in hours) == 2
    assert sum(hour["left"] for hour in hours) == 1
    shown = history("counts", filled, "--lot", "north", "--to", to).stdout.splitlines()
    assert len(shown) == len(hours) + 1
    nowhere = lines(history("occupancy", filled, "--lot", "north", "--area", "nowhere", "--json"))
    assert {point["occupancy"] for point in nowhere} == {0}


def test_migrate_says_what_it_did(configured: Path) -> None:
    """From nothing, and again."""
    path = load(configured).history.path  # type: ignore[union-attr]
    assert "schema none is now" in history("migrate", configured).stdout
    assert "nothing to do" in history("migrate", configured).stdout
    assert path.exists()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for action in ("migrate", "events"):
        done = history(action, configured, *(["--lot", "north"] if action == "events" else []))
        assert done.returncode == 1 and "a newer Liftgate made it" in done.stderr
        assert "Traceback" not in done.stderr


def test_without_a_history(config: Path) -> None:
    """Exit 2 where none is configured; exit 1 where none was written yet, and none is made by asking."""
    done = history("stays", config, "--lot", "north")
    assert (done.returncode, "has no [history]" in done.stderr) == (2, True)
    with_history(config)
    done = history("stays", config, "--lot", "north")
    assert (done.returncode, "there is no history yet" in done.stderr) == (1, True)
    assert not load(config).history.path.exists()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("action", "words", "said"),
    [
        ("events", ("--day", "2026-13-01"), "is not a day"),
        ("counts", ("--from", "yesterday"), "is not a time"),
        ("counts", ("--lot", "north", "--from", "2026-02-01", "--to", "2026-01-01"), "--from is after --to"),
        ("occupancy", ("--lot", "north", "--step", "7s"), "whole cells of 5 minutes"),
        ("occupancy", ("--lot", "north", "--from", "1990-01-01", "--step", "5m"), "take longer steps"),
        ("stays", ("--card", CARD, "--lot", "north"), "do not go with a credential"),
    ],
)
def test_wrong_arguments(configured: Path, action: str, words: tuple[str, ...], said: str) -> None:
    """Exit 2, with what is wrong."""
    assert history("migrate", configured).returncode == 0
    done = history(action, configured, *words)
    assert done.returncode == 2 and said in done.stderr, done
