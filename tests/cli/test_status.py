"""`liftgate status`: how engine and relay are, in words and in the exit code."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.cli.commands import WAIT_S_MAX, Done, engine, liftgate, scan, started, with_relay


def status(config: Path, *more: object) -> Done:
    """Run `liftgate status`."""
    return liftgate("status", "--config", config, *more)


def test_an_engine_alone(running: Path) -> None:
    """Without [relay] an engine that runs is all there is to be well."""
    done = status(running)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "relay      none is configured")


def test_an_engine_that_is_away_is_said_and_exit_1(config: Path) -> None:
    """No engine: no error, but a state like others."""
    done = status(config)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("engine     away: no engine runs on ")


def test_a_relay_that_never_ran_is_said(config: Path) -> None:
    """Configured and never started: exit 1, and how to start it."""
    with_relay(config)
    with engine(config):
        done = status(config)
    assert done.returncode == 1
    assert f"relay      never ran: liftgate relay --config {config}" in done.stdout


@pytest.mark.long
def test_a_relay_that_runs_and_one_that_ran(config: Path) -> None:
    """While it runs: its sinks, exit 0. Afterwards: what it said last, how far it is behind now, exit 1."""
    with_relay(config)
    with engine(config):
        scan(config)
        with started("relay", "--config", config, "--stop-with-stdin"):
            until = time.monotonic() + WAIT_S_MAX
            while "live" not in status(config).stdout:
                assert time.monotonic() < until
            assert status(config).returncode == 0
        for number in range(3):
            scan(config, card=f"04{number:02}")
        done = status(config, "--json")
        assert done.returncode == 1
        told = json.loads(done.stdout)
        (sink,) = told["relay"]["sinks"]
        assert (told["running"], sink["name"], sink["why"]) == (False, "null", "")
        assert sink["end"] - sink["safe"] >= 3
        assert f"{sink['end'] - sink['safe']} events behind" in status(config).stdout
