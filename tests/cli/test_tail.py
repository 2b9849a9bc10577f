"""`liftgate tail` on a real engine."""

from __future__ import annotations

import json
import select
import time
from pathlib import Path

from tests.cli.commands import CARD, WAIT_S_MAX, events, liftgate, scan, started


def test_all_events_in_order(running: Path) -> None:
    """--no-follow prints everything durable: positions from 1 without gaps, type by name, bytes in hex."""
    scan(running)
    done = liftgate("tail", "--config", running, "--no-follow")
    told = events(done)
    assert done.returncode == 0
    assert [event["position"] for event in told] == list(range(1, len(told) + 1))
    decided = next(event for event in told if event["type"] == "ScanDecided")
    assert (decided["token"], decided["verdict"], len(decided["session"])) == (CARD.lower(), 1, 32)
    assert told[0]["type"] == "LotConfigured"


def test_the_same_as_the_journal_holds(running: Path) -> None:
    """What the feed gives and what the files hold are the same lines."""
    scan(running)
    scan(running)
    told = liftgate("tail", "--config", running, "--no-follow").stdout
    assert told == liftgate("journal", "dump", "--config", running).stdout


def test_after_a_position(running: Path) -> None:
    """--after N begins with N+1; after the end there is nothing, at once."""
    scan(running)
    last = events(liftgate("tail", "--config", running, "--no-follow"))[-1]["position"]
    some = events(liftgate("tail", "--config", running, "--no-follow", "--after", last - 2))
    assert [event["position"] for event in some] == [last - 1, last]
    assert events(liftgate("tail", "--config", running, "--no-follow", "--after", last)) == []


def test_it_follows(running: Path) -> None:
    """Without a position it prints what happens from now on, as it happens."""
    with started("tail", "--config", running) as process:
        assert process.stdout is not None
        seen = []
        until = time.monotonic() + WAIT_S_MAX
        while not seen:  # what happened before it subscribed it does not print
            assert time.monotonic() < until
            scan(running, reader="north-both-1")
            if select.select([process.stdout], [], [], 0.2)[0]:
                seen = [json.loads(process.stdout.readline())]
        scan(running, reader="north-entry-1", card="04AA")
        while seen[-1].get("token") != "04aa":
            seen.append(json.loads(process.stdout.readline()))
    assert all(event["type"] in ("ScanDecided", "PassageRecorded") for event in seen)


def test_an_engine_that_stops_ends_it(running: Path) -> None:
    """Replaced by another of its name, it says so and exits 1."""
    with started("tail", "--config", running, "--after", "0") as process:
        assert process.stdout is not None
        process.stdout.readline()
        liftgate("tail", "--config", running, "--no-follow")
        _, said = process.communicate()
    assert process.returncode == 1
    assert "the engine said goodbye: replaced" in said


def test_a_reader_that_goes_away_ends_it(running: Path) -> None:
    """`liftgate tail | head`: when nobody reads any more it ends by itself, with nothing to complain of."""
    with started("tail", "--config", running, "--after", "0") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(WAIT_S_MAX) == 0
        assert process.stderr is not None and process.stderr.read() == ""
        process.stdout = None
