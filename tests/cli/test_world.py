"""`liftgate sim world`: seeds in, findings out, exit code 1 on one."""

from __future__ import annotations

import json
import signal

import pytest

from liftgate.cli import main
from liftgate.sim.world import plants
from tests.cli.commands import WAIT_S_MAX, liftgate, started

PLANT = "early-answer"  # found by every seed


def test_seeds_that_pass() -> None:
    """Exit code 0, and lines that say what was played, over processes, without a terminal."""
    done = liftgate("sim", "world", "--seeds", "1..3", "--jobs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "seeds from 1 to 3, over 2 processes" in done.stdout
    assert done.stdout.endswith("nothing found\n")


@pytest.mark.long
def test_one_object_of_json() -> None:
    """What a program needs, and nothing else on stdout; the same seed gives the same sums."""
    first, again = (json.loads(liftgate("sim", "world", "--seed", "2", "--json").stdout) for _ in range(2))
    assert (first["seeds"], first["failed"]) == (1, [])
    assert first["records"] == again["records"] > 0 and first["simulated_hours"] > 0
    assert first["counts"] == again["counts"]


@pytest.mark.long
def test_fresh_seeds_for_a_while() -> None:
    """They come from the time and are printed, so that they can be played again."""
    done = liftgate("sim", "world", "--for", "1s", "--jobs", "1")
    assert done.returncode == 0
    assert int(done.stdout.split()[2].rstrip(",")) > 1_700_000_000_000


def test_a_failing_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, what was found and expected, and commands that show it again: the second one less."""
    assert main(["sim", "world", "--seed", "1", "--plant", PLANT]) == 1
    lines = capsys.readouterr().out.splitlines()
    command = next(line for line in lines if line.startswith("  only these")).split()[3:]
    assert f"  repeat     liftgate sim world --seed 1 --plant {PLANT}" in lines
    assert any(line.startswith("  expected") for line in lines)
    assert main(command) == 1
    assert "  expected" in capsys.readouterr().out


@pytest.mark.long
def test_keep_going_names_every_failing_seed() -> None:
    """All of them in the JSON; only the first few have a story."""
    done = liftgate("sim", "world", "--seeds", "1..5", "--plant", PLANT, "--keep-going", "--json")
    failed = json.loads(done.stdout)["failed"]
    assert done.returncode == 1
    assert sorted(one["seed"] for one in failed) == [1, 2, 3, 4, 5]
    assert [one["story"] is not None for one in failed] == [True, True, True, False, False]


@pytest.mark.long
def test_the_first_failing_seed_ends_it() -> None:
    """Without --keep-going; it is named before its story is looked for."""
    done = liftgate("sim", "world", "--seeds", "1..1000000", "--plant", PLANT, "--jobs", "1")
    assert done.returncode == 1 and "\n1 of " in done.stdout
    assert "\nseed 1 fails: sent, not durable: " in done.stdout


def test_the_story_of_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    """--story prints every happening in a line; --only leaves those that are asked for."""
    assert main(["sim", "world", "--seed", "3", "--story", "--only", "0,1"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("0:") and told[1].startswith("0:") and not told[2].startswith("0:")


@pytest.mark.long
def test_ctrl_c_reports_what_was_played() -> None:
    """Exit code 130, the sums so far, and no process left that plays on."""
    with started("sim", "world", "--seeds", "1..1000000", "--jobs", "2") as process:
        assert process.stdout is not None
        while "seeds (" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=WAIT_S_MAX)
    assert (process.returncode, err) == (130, "")
    assert out.endswith("nothing found\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seeds", "9..2"], "not a range"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "1", "--only", "a"], "not a list"),
        (["--jobs", "0"], "from 1 to 256"),
        (["--plant", "nothing"], "invalid choice"),
    ],
)
def test_wrong_arguments(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and what would be right."""
    with pytest.raises(SystemExit) as ended:
        main(["sim", "world", *arguments])
    assert ended.value.code == 2 and says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--story"], "about one seed"),
        (["--seed", "1", "--only", "999999"], "seed 1 has "),
    ],
)
def test_arguments_that_do_not_fit_each_other(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line."""
    assert main(["sim", "world", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_help_names_every_bug(capsys: pytest.CaptureFixture[str]) -> None:
    """So that one can be picked."""
    with pytest.raises(SystemExit):
        main(["sim", "world", "--help"])
    said = "".join(capsys.readouterr().out.split())  # argparse breaks lines at hyphens
    assert all(name in said for name in plants.BUGS)
