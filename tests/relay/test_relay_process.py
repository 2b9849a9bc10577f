"""The relay as a process on a real engine: what it stored is the journal, once, in order, come what may."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from liftgate.relay.dead import DeadLetters
from tests.gateways.certificates import make_certificate
from tests.independent.engine_process import Engine
from tests.relay.file_relay import DOWN, LAG, POISON, PREPARED
from tests.relay.relays import (
    READERS,
    WAIT_S_MAX,
    Relay,
    engine_with_relay,
    journalled,
    kill_often,
    scan,
    swarm_of,
    wait_until,
)


def cursor_of(engine: Engine) -> int:
    """The engine's cursor of the sink."""
    with engine.service("blind") as service:
        return int(service.query("", "status").body["cursors"]["null"])


def check_equal(relay: Relay, folder: Path) -> int:
    """What is stored is the journal, in order; how many events that is."""
    expected = journalled(folder)
    assert relay.stored() == expected
    return len(expected)


def test_the_journal_is_stored_once_and_the_cursor_follows(tmp_path: Path) -> None:
    """What was there before the relay and what comes while it runs is stored in order, and said safe."""
    engine = engine_with_relay(tmp_path)
    with engine:
        scan(engine, 20)
        with Relay(engine) as relay:
            last = scan(engine, 20, "north-r1")
            relay.wait_stored(last)
            status = relay.wait_status(lambda status: status.safe == last and status.state == "live")
            assert (status.behind, status.why, status.dead_letters) == (0, "", 0)
            wait_until(lambda: cursor_of(engine) == last, relay.log_text)
            assert relay.stop() == 0
        assert check_equal(relay, tmp_path) == last


@pytest.mark.long
def test_a_sink_that_catches_up_is_told_of_the_next_batch_while_it_writes_one(tmp_path: Path) -> None:
    """Each batch but the first and the last, before anything of it is stored; one that keeps up is told of
    none.
    """
    engine = engine_with_relay(tmp_path, relay="batch_events = 10")
    with engine:
        last = scan(engine, 95)
        with Relay(engine) as relay:
            relay.wait_stored(last)
            told = [[int(word) for word in line.split()] for line in relay.file(PREPARED).splitlines()]
            assert len(told) >= (last - 2 * 10) // 10
            assert all(first == stored + 10 + 1 for first, _, stored in told)
            assert [first for first, _, _ in told[1:]] == [end + 1 for _, end, _ in told[:-1]]
            relay.wait_stored(scan(engine, 5, "north-r1"))
            assert len(relay.file(PREPARED).splitlines()) == len(told)
        check_equal(relay, tmp_path)


@pytest.mark.long
def test_killed_twenty_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 of the relay twenty times mid-stream: each event of the journal is stored once, in order."""
    engine = engine_with_relay(tmp_path, READERS)
    relay = Relay(engine)
    with engine:
        asyncio.run(kill_often(engine, relay, 20, relay.last_stored, random.Random(20), 4000))
        with relay:
            with engine.service("blind") as service:
                end = service.query("", "status").body["durable_position"]
            relay.wait_stored(end)
            relay.wait_status(lambda status: status.safe == end)
        events = check_equal(relay, tmp_path)
    with capsys.disabled():
        print(f"\nkill -9 of the relay mid-stream: 20 of 20; {events} events stored once")


@pytest.mark.long
def test_the_engine_is_restarted_under_it(tmp_path: Path) -> None:
    """kill -9 of the engine under load, five times: the relay finds it at its new port and goes on."""
    engine = engine_with_relay(tmp_path, READERS)

    async def restart_often() -> None:
        swarm = swarm_of(engine)
        async with swarm.working():
            for _ in range(5):
                await swarm.wait_answers(2000)
                engine.kill()
                await asyncio.to_thread(relay.wait_status, lambda status: "engine" in status.why)
                engine.start()
                await asyncio.to_thread(relay.wait_status, lambda status: status.state != "degraded")

    with engine, Relay(engine) as relay:
        asyncio.run(restart_often())
        last = scan(engine, 1)
        relay.wait_stored(last)
        check_equal(relay, tmp_path)


@pytest.mark.long
def test_a_sink_that_was_down_gets_everything(tmp_path: Path) -> None:
    """While the sink is down the state says so and why; when it is back nothing is missing."""
    engine = engine_with_relay(tmp_path)
    with engine, Relay(engine) as relay:
        relay.wait_stored(scan(engine, 5))
        (tmp_path / DOWN).touch()
        last = scan(engine, 50, "north-r1")
        status = relay.wait_status(lambda status: status.state == "degraded")
        assert status.why == "sink: the file is down"
        (tmp_path / DOWN).unlink()
        relay.wait_stored(last)
        relay.wait_status(lambda status: (status.state, status.why, status.safe) == ("live", "", last))
        check_equal(relay, tmp_path)


@pytest.mark.long
def test_a_checkpoint_that_lags_is_asked_for_in_a_quiet_moment(tmp_path: Path) -> None:
    """A sink that says later what is safe holds the cursor back until the feed is quiet, and no longer."""
    engine = engine_with_relay(tmp_path)
    (tmp_path / LAG).touch()
    with engine, Relay(engine) as relay:
        last = scan(engine, 50)
        relay.wait_status(lambda status: status.safe == last)
        wait_until(lambda: cursor_of(engine) == last, relay.log_text)


@pytest.mark.long
def test_a_second_relay_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Started twice by mistake, the second says so and ends with 1; the first goes on."""
    engine = engine_with_relay(tmp_path)
    with engine, Relay(engine) as relay:
        second = relay.started()
        assert second.wait(WAIT_S_MAX) == 1
        assert "another relay works in" in relay.log_text()
        relay.wait_stored(scan(engine, 3))


@pytest.mark.long
def test_a_second_relay_from_elsewhere_takes_over_and_the_first_ends(tmp_path: Path) -> None:
    """With a folder of its own the second takes the connection: the first does not fight for it, it ends."""
    engine = engine_with_relay(tmp_path)
    other = tmp_path / "other"
    with engine, Relay(engine) as relay:
        relay.wait_stored(scan(engine, 3))
        other.mkdir()
        text = engine.config.read_text().replace('journal = "journal"', f'journal = "{tmp_path}/journal"')
        (other / "engine.toml").write_text(text + f'state = "{other}/relay"\n')
        elsewhere = Engine(other / "engine.toml")
        elsewhere.address = engine.address
        with Relay(elsewhere) as second:
            wait_until(relay.process_ended, relay.log_text)
            assert relay.stop() == 1
            assert "another relay signed on in place of this one" in relay.log_text()
            last = scan(engine, 3, "north-r1")
            second.wait_stored(last)
            assert second.stored() == journalled(tmp_path)


@pytest.mark.long
def test_what_is_refused_becomes_a_dead_letter_and_can_be_sent_again(tmp_path: Path) -> None:
    """Poison is put aside with its reason, the rest flows on; mended, it is sent again while all runs."""
    engine = engine_with_relay(tmp_path)
    with engine:
        scan(engine, 1)
        poison = journalled(tmp_path)[-1][2] + 1
        (tmp_path / POISON).write_text(f"{poison} {poison + 5}")
        with Relay(engine) as relay:
            last = scan(engine, 20, "north-r1")
            relay.wait_status(lambda status: status.safe == last and status.dead_letters == 2)
            letters = DeadLetters(relay.state)
            kept = letters.find()
            assert [(k.sink, k.lot, k.seq, k.reason) for k in kept] == [
                ("null", "north", poison, "poison"),
                ("null", "north", poison + 5, "poison"),
            ]
            missing = [event for event in journalled(tmp_path) if event[2] in (poison, poison + 5)]
            assert [k.position for k in kept] == [position for position, _, _ in missing]
            (tmp_path / POISON).write_text(f"{poison}")
            letters.want("null", None)
            relay.wait_status(lambda status: status.dead_letters == 1)
            (left,) = letters.find()
            assert (left.seq, left.reason, left.attempts, left.wanted) == (poison, "poison still", 2, False)
            assert relay.resent() == missing[1:]
            assert sorted(relay.stored() + missing) == journalled(tmp_path)


@pytest.mark.long
def test_at_the_bound_of_dead_letters_the_sink_stands_still(tmp_path: Path) -> None:
    """No room for a dead letter: nothing is dropped, the state says what to do, and then it goes on."""
    engine = engine_with_relay(tmp_path, relay="dead_letters_max = 1\nbatch_events = 1")
    with engine:
        scan(engine, 1)
        poison = journalled(tmp_path)[-1][2] + 1
        (tmp_path / POISON).write_text(f"{poison} {poison + 5}")
        last = scan(engine, 20, "north-r1")
        with Relay(engine) as relay:
            status = relay.wait_status(lambda status: status.state == "degraded")
            assert "relay: 1 dead letters are kept, which is the bound" in status.why
            assert status.safe < last
            DeadLetters(relay.state).drop("null", None)
            relay.wait_status(lambda status: status.safe == last and status.state == "live")


@pytest.mark.long
def test_over_tls(tmp_path: Path) -> None:
    """With [engine.tls] the relay trusts the very certificate that is configured, and no other."""
    cert, key = make_certificate(tmp_path)
    engine = engine_with_relay(tmp_path)
    text = engine.config.read_text() + f'\n[engine.tls]\ncert = "{cert}"\nkey = "{key}"\n'
    engine.config.write_text(text)
    with engine, Relay(engine) as relay:
        last = relay.wait_status(lambda status: status.state == "live" and status.safe > 0).safe
        relay.wait_stored(last)
        assert relay.stop() == 0
        other = tmp_path / "other"
        other.mkdir()
        cert.write_text(make_certificate(other)[0].read_text())
        relay.start()
        assert "certificate" in relay.wait_status(lambda status: status.state == "degraded").why
