"""Migrations are numbered files, none left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftgate.history import migrations as folder
from liftgate.history.migrations import migrations


def test_those_of_sqlite_begin_with_the_first() -> None:
    """In order, each with its statements."""
    found = migrations("sqlite")
    assert [migration.number for migration in found] == list(range(1, len(found) + 1))
    assert "CREATE TABLE events" in found[0].text


def test_a_number_left_out_or_given_twice_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any of them runs."""
    monkeypatch.setattr(folder, "files", lambda package: tmp_path)
    for names in (("0001_a.sql", "0003_c.sql"), ("0001_a.sql", "0001_b.sql"), ("0002_b.sql",)):
        store = tmp_path / "-".join(names)
        store.mkdir()
        for name in names:
            (store / name).write_text("SELECT 1;")
        with pytest.raises(ValueError, match=r"are not 1, 2, 3"):
            migrations(store.name)
