"""`liftgate journal`, and what the engine says of a damaged one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.commands import Done, engine, events, liftgate, scan, started, with_relay
from tests.cli.commands import journal as folder


def journal(action: str, config: Path, *more: object) -> Done:
    """Run `liftgate journal ACTION`."""
    return liftgate("journal", action, "--config", config, *more)


def damage(config: Path) -> None:
    """Flip a byte in the record of the first scan, with good records behind it."""
    (segment,) = folder(config).glob("0*.seg")
    data = bytearray(segment.read_bytes())
    data[data.index(b"P1-A-001")] ^= 0xFF
    segment.write_bytes(data)


def written(config: Path) -> None:
    """A journal of several commits, its engine stopped."""
    with engine(config):
        for number in range(4):
            scan(config, card=f"04{number:02}")


def test_a_whole_journal(running: Path) -> None:
    """verify, stats and repair have nothing to say against it; a running engine does not disturb reading."""
    scan(running)
    verify, stats = journal("verify", running), journal("stats", running)
    assert (verify.returncode, stats.returncode) == (0, 0)
    assert "fine: " in verify.stdout
    told = json.loads(journal("stats", running, "--json").stdout)
    assert told["last"] == len(events(journal("dump", running))) == told["events"]


def test_some_of_it(running: Path) -> None:
    """dump --from and --to are inclusive."""
    assert [e["position"] for e in events(journal("dump", running, "--from", 3, "--to", 5))] == [3, 4, 5]


def test_damage_is_found_and_mended(config: Path) -> None:
    """verify: exit 1 with the place; repair: the plan, exit 1; with --yes done, and then all is fine."""
    written(config)
    damage(config)
    verify = journal("verify", config)
    assert verify.returncode == 1
    assert "at byte " in verify.stdout
    plan = journal("repair", config)
    assert (plan.returncode, "add --yes" in plan.stdout, "are lost" in plan.stdout) == (1, True, True)
    assert journal("verify", config).stdout == verify.stdout
    done = journal("repair", config, "--yes")
    assert (done.returncode, done.stdout.endswith("repaired\n")) == (0, True)
    assert journal("verify", config).returncode == 0
    assert journal("repair", config).stdout == "nothing to repair\n"


def test_an_engine_refuses_it_and_says_what_helps(config: Path) -> None:
    """Rot: exit 1, the place, and both commands; no traceback. After the repair it starts."""
    written(config)
    damage(config)
    done = liftgate("engine", "--config", config)
    assert done.returncode == 1
    assert "journal damaged in 00000000000000000001.seg at byte" in done.stderr
    assert f"liftgate journal verify --config {config}" in done.stderr
    assert f"liftgate journal repair --config {config}" in done.stderr
    assert "Traceback" not in done.stderr
    journal("repair", config, "--yes")
    with engine(config):
        assert scan(config).returncode == 0


def test_repair_keeps_off_a_running_engine(running: Path) -> None:
    """Repair needs the folder to itself: exit 1, with the process that has it."""
    done = journal("repair", running)
    assert done.returncode == 1
    assert "in use by another engine (process " in done.stderr


def test_stats_say_who_holds_how_much(config: Path) -> None:
    """With a reserve: a line for each subscriber with position, share and for how long it fits."""
    config.write_text(config.read_text().replace("[engine]\n", "[engine]\nbacklog_max = 10_485_760\n", 1))
    with_relay(config)
    with engine(config), started("relay", "--config", config, "--stop-with-stdin"):
        scan(config)
        line = ""
        while "cursor     null at " not in line:
            line = journal("stats", config).stdout
    (told,) = [line for line in line.splitlines() if line.startswith("cursor")]
    assert "holds back " in told and " % of backlog_max; " in told
