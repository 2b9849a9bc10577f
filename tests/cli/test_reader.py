"""`liftgate reader` on a real engine: a reader comes, gets a new key, is cut off and comes back."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

from tests.cli.commands import engine, events, facts, journal, liftgate, scan

LANE = ("--lane", "direction=entry area=north gate=west")
HEX64 = re.compile(r"[0-9a-f]{64}")


def reader(config: Path, action: str, *words: object) -> dict[str, str]:
    """One action that must be done; its lines by name."""
    done = liftgate("reader", action, "--config", config, *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return facts(done)


def refused(config: Path, action: str, *words: object, code: int = 1) -> str:
    """One that must not be done; why."""
    done = liftgate("reader", action, "--config", config, *words)
    assert done.returncode == code, done
    return done.stderr


def test_a_reader_comes_and_goes_while_the_engine_runs(config: Path, tmp_path: Path) -> None:
    """Its whole life, over a restart of the engine, with a scan that shows what its key is worth."""
    key, newer = tmp_path / "gate-7.key", tmp_path / "newer.key"
    as_gate = ("--key-in", key)
    with engine(config):
        added = reader(config, "add", "--lot", "north", *LANE, "--key-out", key, "gate-7")
        assert stat.S_IMODE(key.stat().st_mode) == 0o600 and HEX64.fullmatch(key.read_text().strip())
        assert "OPEN" in scan(config, *as_gate, reader="gate-7").stdout
        assert reader(config, "show", "gate-7")["key"] == f"check {added['check']}"
    with engine(config):
        reader(config, "rotate-key", "--overlap", "1h", "--key-out", newer, "gate-7")
        assert scan(config, *as_gate, reader="gate-7", card="0A").returncode == 0
        assert scan(config, "--key-in", newer, reader="gate-7", card="0B").returncode == 0
        dead = scan(config, *as_gate, reader="gate-7", card="0C")
        assert dead.returncode == 1 and "sign-on failed" in dead.stderr
        reader(config, "revoke", "--reason", "stolen", "gate-7")
        assert "sign-on failed" in scan(config, "--key-in", newer, reader="gate-7", card="0D").stderr
        row = json.loads(liftgate("reader", "show", "--config", config, "--json", "gate-7").stdout)
        assert row["revoked"] and row["reason"] == "stolen" and row["lanes"][0]["gate"] == "west"
        reader(config, "restore", "--key-in", key, "gate-7")
        assert scan(config, *as_gate, reader="gate-7", card="0E").returncode == 0


def test_a_key_is_shown_once_and_is_nowhere_after_that(running: Path) -> None:
    """Not in the list, not in what the journal's commands print, and not on the disk."""
    key = reader(running, "add", "--lot", "north", *LANE, "gate-7")["key"]
    assert HEX64.fullmatch(key)
    shown = liftgate("reader", "show", "--config", running, "gate-7", "--json").stdout
    told = liftgate("tail", "--config", running, "--no-follow")
    wrapped = next(e for e in events(told) if e["type"] == "ReaderRegistered")["key"]
    assert len(wrapped) == 8 and f'"{wrapped}"' in shown
    assert key not in told.stdout + shown
    disk = b"".join(path.read_bytes() for path in journal(running).iterdir())
    assert bytes.fromhex(key) not in disk and key.encode() not in disk


def test_the_list_has_both_kinds(running: Path) -> None:
    """A line each for the file's and the registry's, as text and as JSON."""
    reader(running, "add", "--lot", "north", *LANE, "gate-7")
    scan(running)
    lines = liftgate("reader", "list", "--config", running, "--lot", "north").stdout.splitlines()
    assert lines[0].split() == ["READER", "LOT", "FROM", "LANES", "STATE"]
    assert any(re.match(r"gate-7 +north +registry +0 entry north +not heard", line) for line in lines)
    assert any(re.match(r"north-entry-1 +north +file +0 entry north +last heard 20", line) for line in lines)
    rows = [
        json.loads(line)
        for line in liftgate("reader", "list", "--config", running, "--json").stdout.splitlines()
    ]
    assert {row["lot"] for row in rows} == {"north", "P1", "P7", "P8"}
    assert next(row for row in rows if row["reader"] == "gate-7")["lanes"][0]["gate"] == "west"


def test_what_is_refused_leaves_no_key(running: Path, tmp_path: Path) -> None:
    """A file made for a key that nobody has is gone again; a file that is there is not written over."""
    out = tmp_path / "key"
    new = ("--lot", "north", "--key-out", out)
    assert "(in_file)" in refused(running, "add", *new, *LANE, "north-entry-1")
    assert "(no_such_area)" in refused(running, "add", *new, "--lane", "direction=exit area=norht", "x")
    assert not out.exists()
    out.write_text("mine")
    assert "File exists" in refused(running, "add", *new, *LANE, "x", code=2)
    assert out.read_text() == "mine"
    assert "there is no reader nobody" in refused(running, "revoke", "nobody")
    assert "(in_file)" in refused(running, "revoke", "north-entry-1")


def test_mistakes_are_told_before_anything_is_sent(config: Path, tmp_path: Path) -> None:
    """No engine runs here; and a configuration without registry_key says what to do."""
    add = ("--lot", "north", "x")
    assert "is not name=value" in refused(config, "add", *add, "--lane", "entry", code=2)
    assert "Invalid enum value" in refused(config, "add", *add, "--lane", "direction=in area=north", code=2)
    assert "64 hex digits" in refused(config, "add", *add, *LANE, "--key-in", config, code=2)
    assert "no engine runs" in refused(config, "revoke", "x")
    config.write_text(re.sub("registry_key.*", "", config.read_text()))
    assert "openssl rand -hex 32" in refused(config, "add", *add, *LANE, code=2)


def test_a_wrong_registry_key_closes_nothing_else(config: Path, tmp_path: Path) -> None:
    """The engine starts and says who is locked out; the list says it too, and fails."""
    key = tmp_path / "key"
    with engine(config):
        reader(config, "add", "--lot", "north", *LANE, "--key-out", key, "gate-7")
    right = config.read_text()
    config.write_text(re.sub('registry_key = "[^"]*"', f'registry_key = "{"ab" * 32}"', right))
    with engine(config) as process:
        assert scan(config).returncode == 0
        assert "sign-on failed" in scan(config, "--key-in", key, reader="gate-7").stderr
        listed = liftgate("reader", "list", "--config", config)
        assert listed.returncode == 1 and "locked out" in listed.stdout
        assert (
            "another [engine] registry_key" in liftgate("reader", "show", "--config", config, "gate-7").stdout
        )
        process.terminate()
        assert "registry.readers_locked_out" in process.communicate()[1]


def test_a_new_registry_key_is_brought_in(config: Path, tmp_path: Path) -> None:
    """Keys are wrapped anew while the engine runs, readers keep theirs; the second time none is left."""
    key, old = tmp_path / "key", tmp_path / "registry.key.old"
    with engine(config):
        reader(config, "add", "--lot", "north", *LANE, "--key-out", key, "gate-7")
    text = config.read_text()
    old.write_text(re.findall('registry_key = "([^"]*)"', text)[0] + "\n")
    config.write_text(re.sub('registry_key = "[^"]*"', f'registry_key = "{"ab" * 32}"', text))
    with engine(config):
        assert "left         gate-7" in liftgate("reader", "rewrap", "--config", config, "--old", key).stdout
        assert "1 readers' keys" in liftgate("reader", "rewrap", "--config", config, "--old", old).stdout
        assert scan(config, "--key-in", key, reader="gate-7").returncode == 0
        assert "0 readers' keys" in liftgate("reader", "rewrap", "--config", config, "--old", old).stdout


def test_one_id_in_file_and_registry_does_not_start(config: Path) -> None:
    """Said with what to do about it; `config check` says it before, also while an engine runs."""
    with engine(config):
        reader(config, "add", "--lot", "north", *LANE, "gate-7")
        assert liftgate("config", "check", config).returncode == 0
        other = config.with_name("other.toml")
        other.write_text(config.read_text().replace('id = "north-exit-1"', 'id = "gate-7"'))
        checked = liftgate("config", "check", other)
        assert checked.returncode == 2 and '"gate-7" (lot north)' in checked.stderr
    config.write_text(config.read_text().replace('id = "north-exit-1"', 'id = "gate-7"'))
    done = liftgate("engine", "--config", config)
    assert done.returncode == 1
    assert '"gate-7" (lot north)' in done.stderr and "liftgate reader revoke" in done.stderr


def test_a_lost_answer_costs_no_key(running: Path, tmp_path: Path) -> None:
    """The same order with --id and the same key is done once; with another key it says so."""
    key = tmp_path / "key"
    order = ("--lot", "north", *LANE, "--id", "cd" * 16)
    first = reader(running, "add", *order, "--key-out", key, "gate-7")
    again = reader(running, "add", *order, "--key-in", key, "gate-7")
    assert first["done"] == again["done"] and first["check"] == again["check"]
    assert "done before, with another key" in refused(running, "add", *order, "gate-7")
