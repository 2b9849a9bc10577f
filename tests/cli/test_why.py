"""`liftgate why`, from the journal alone."""

from __future__ import annotations

from pathlib import Path

from tests.cli.commands import CARD, engine, facts, liftgate, scan


def test_the_newest_decision_of_a_card(running: Path) -> None:
    """By card: verdict, reason in words, and each rule that was asked, the objecting one last."""
    scan(running)
    scan(running)
    done = liftgate(
        "why", "--config", running, "--card", ":".join(CARD[at : at + 2] for at in range(0, 14, 2))
    )
    assert done.returncode == 0
    assert facts(done)["verdict"] == "REFUSE: already inside (anti-passback) (210)"
    assert "rules     lane: lane 0 of north-entry-1 is normal" in done.stdout
    assert "anti-passback: inside north, entered at 20" in done.stdout
    assert "REFUSE" not in liftgate("why", "--config", running, "--card", "04000000000001").stdout


def test_by_the_name_that_scan_printed(running: Path) -> None:
    """The command that scan prints finds that very decision, not the newest."""
    first = facts(scan(running))["why"]
    scan(running)
    done = liftgate(*first.split()[1:])
    assert facts(done)["verdict"] == "OPEN: fine (0)"
    assert first.endswith(facts(done)["name"].split(", boot ")[1].replace(", no ", " --no "))


def test_several_newest_first(running: Path) -> None:
    """--count gives that many, newest first."""
    scan(running)
    scan(running)
    done = liftgate("why", "--config", running, "--reader", "north-entry-1", "--count", "5")
    assert [line for line in done.stdout.splitlines() if line.startswith("verdict")] == [
        "verdict   REFUSE: already inside (anti-passback) (210)",
        "verdict   OPEN: fine (0)",
    ]


def test_no_engine_is_needed(config: Path) -> None:
    """With the engine stopped the journal answers all the same."""
    with engine(config):
        scan(config)
    assert facts(liftgate("why", "--config", config, "--card", CARD))["verdict"] == "OPEN: fine (0)"


def test_nothing_found(running: Path) -> None:
    """A card that was never seen: exit 1, said so."""
    done = liftgate("why", "--config", running, "--card", "00")
    assert (done.returncode, done.stderr) == (1, "liftgate: the journal has no such decision\n")


def test_no_journal_and_no_question(config: Path) -> None:
    """Without a journal, and without saying which decision, it says what is missing; it makes no folder."""
    assert "there is no journal at" in liftgate("why", "--config", config, "--card", "00").stderr
    assert not (config.parents[1] / "var").exists()
    done = liftgate("why", "--config", config)
    assert (done.returncode, "--card" in done.stderr) == (2, True)
