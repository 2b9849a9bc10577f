"""`[history]`: what it says, and every kind of mistake in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftgate.configs.history import HistoryConfig
from liftgate.configs.loader import check, load
from liftgate.configs.schema import Key
from tests.configs.test_loader import ENVIRON, EXAMPLE, KEY, load_text

TABLE = f'\n[history]\nkey = "{KEY.hex()}"\n'


def problems(folder: Path, table: str) -> list[str]:
    path = folder / "a.toml"
    path.write_text(EXAMPLE + table, encoding="utf-8")
    return [f"{problem.key}: {problem.message}" for problem in check(path, ENVIRON)]


def test_without_the_table_there_is_no_history(tmp_path: Path) -> None:
    """Nothing is kept that nobody asked for."""
    assert load_text(tmp_path, EXAMPLE).history is None


def test_its_defaults(tmp_path: Path) -> None:
    """A SQLite file beside the journal, under the engine's name; three years, and no raw tokens."""
    config = load_text(tmp_path, EXAMPLE + TABLE)
    assert config.history == HistoryConfig(
        path=(tmp_path / "var" / "journal.history.db").resolve(), feed="engine-a", key=Key(KEY)
    )
    assert (config.history.store, config.history.keep_days, config.history.personal_hours) == (
        "sqlite",
        1096,
        0,
    )


def test_all_it_can_say(tmp_path: Path) -> None:
    """Every key with a value of its own; the hash key from a file."""
    (tmp_path / "hash.key").write_text(KEY.hex() + "\n")
    more = 'path = "h/x.db"\nfeed = "site-7"\nkey_file = "hash.key"\nkeep_days = 0\npersonal_hours = 48\n'
    config = load_text(tmp_path, EXAMPLE + "\n[history]\n" + more)
    assert config.history == HistoryConfig(
        path=(tmp_path / "h" / "x.db").resolve(), feed="site-7", key=Key(KEY), keep_days=0, personal_hours=48
    )


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    """And then needs no key."""
    assert load_text(tmp_path, EXAMPLE + '\n[history]\nstore = "off"\n').history is None


def test_the_key_is_not_shown(tmp_path: Path) -> None:
    """In no repr of the configuration."""
    assert KEY.hex() not in repr(load_text(tmp_path, EXAMPLE + TABLE).history)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("[history]\n", "history.key: needs one of key, key_file and key_env, has none"),
        (TABLE + 'store = "sqlight"\n', 'history.store: "sqlight" is not known here; did you mean "sqlite"?'),
        (TABLE + "keep_days = -1\n", "history.keep_days: -1 is not in 0..36525"),
        (TABLE + "personal_hours = 1_000_000\n", "history.personal_hours: 1000000 is not in 0..876600"),
        (TABLE + 'feed = "a b"\n', 'history.feed: "a b" is not 1 to 64 letters'),
        (TABLE + "days = 7\n", "history.days: unknown key"),
        ('\n[history]\nkey = "0011"\n', "history.key: must be 64 hex digits (32 bytes), not 4 characters"),
        ('\n[history]\nkey_env = "NOT_SET"\n', "history.key_env: environment variable NOT_SET is not set"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, table: str, problem: str) -> None:
    """Each with its key, and without any of the secret."""
    (found,) = problems(tmp_path, table)
    assert found.startswith(problem)


def test_the_shipped_files_load() -> None:
    """The example with its environment."""
    assert load(Path(load.__code__.co_filename).parent / "example.toml", ENVIRON)
