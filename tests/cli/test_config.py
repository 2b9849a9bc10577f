"""`liftgate config check`, and configurations that a command cannot use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands import ROOT, liftgate

BAD = """
[engine]
name = "bad"
listen = "nowhere"
journal = "journal"
readers_maximum = 5

[[lot]]
id = "a"
timezone = "Europe/Atlantis"
currency = "EUR"
[[lot.area]]
id = "a"
[[lot.area.spots]]
level = "P1"
prefix = "A"
count = 0

[[reader]]
id = "r"
key = "00"
lot = "b"
[[reader.lane]]
number = 0
direction = "sideways"
area = "a"
"""
MISTAKES = (
    "bad.toml:4: engine.listen: ",
    "bad.toml:6: engine.readers_maximum: ",
    "bad.toml:10: lot[0].timezone: ",
    "bad.toml:17: lot[0].area[0].spots[0].count: ",
    "bad.toml:21: reader[0].key: ",
    "bad.toml:22: reader[0].lot: ",
    "bad.toml:25: reader[0].lane[0].direction: ",
)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A file with seven mistakes."""
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    return path


def test_every_mistake_at_once(bad: Path) -> None:
    """One line for each mistake, with file, line and key; exit 2."""
    done = liftgate("config", "check", bad)
    *lines, summary = done.stderr.splitlines()
    assert done.returncode == 2
    assert [
        line.removeprefix(f"{bad.parent}/").startswith(m) for line, m in zip(lines, MISTAKES, strict=True)
    ] == [True] * 7, lines
    assert summary == f"{bad}: 7 mistakes"


@pytest.mark.parametrize(
    "command",
    [("engine",), ("tail",), ("up",), ("sim", "city"), ("journal", "verify"), ("why", "--card", "00")],
)
def test_every_command_says_the_same(bad: Path, command: tuple[str, ...]) -> None:
    """A command with a wrong configuration: the same lines, exit 2, and nothing begun."""
    done = liftgate(*command, "--config", bad)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 7
    assert list(bad.parent.iterdir()) == [bad]


def test_a_good_file_is_fine() -> None:
    """Fine, with what it has; exit 0."""
    done = liftgate("config", "check", ROOT / "configs" / "demo.toml")
    assert done.returncode == 0
    assert done.stdout.endswith(": fine: 4 lots, 215 spots, 11 readers, 12 lanes, 4 services\n")


def test_no_such_file(tmp_path: Path) -> None:
    """A file that isn't there is a mistake like another."""
    done = liftgate("config", "check", tmp_path / "none.toml")
    assert done.returncode == 2
    assert "cannot be read: No such file or directory" in done.stderr
