"""What the relay does at its bounds, and where only a person can help."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from liftgate.bench.load import Shape, run_load
from liftgate.bench.servers import Server, bench_folder, engine_server, raise_open_files, relay_config
from tests.cli.commands import liftgate
from tests.independent.engine_process import KEY, Engine, service_toml
from tests.independent.reader import Client
from tests.relay.file_relay import DOWN, STORED
from tests.relay.relays import Relay, engine_with_relay, journalled, scan, wait_until

SHAPE = Shape(64, 16)
BUFFER_BYTES = 8 << 20
RSS_MIB_MAX = 100
"""57 MiB were measured with nothing stalled; the buffer, and what is decoded of it, comes on top."""


def memory_mib(relay: Relay) -> float:
    """Resident memory of the relay, now."""
    assert relay.process is not None
    pages = int(Path(f"/proc/{relay.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@pytest.mark.long
def test_a_stalled_sink_holds_no_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """A million events while the sink is down: the relay keeps its buffer and no more, lets go of the engine,
    and has everything stored in order when the sink is back.
    """
    raise_open_files()
    with (
        bench_folder() as folder,
        engine_server(folder, SHAPE.connections, more=relay_config("null")) as server,
    ):
        with Relay(Engine(folder / "bench.toml")) as relay:
            relay.wait_status(lambda status: status.state == "live" and status.safe > 0)
            (folder / DOWN).touch()
            run_load(server, SHAPE, scans=1000)
            wait_until(lambda: "relay.let_go" in relay.log_text(), relay.log_text)
            stalled = relay.status()
            memory = [memory_mib(relay)]
            assert "sink: the file is down" in stalled.why
            assert BUFFER_BYTES <= stalled.waiting_bytes < BUFFER_BYTES + (1 << 18)
            (folder / DOWN).unlink()
            end = relay.wait_status(lambda status: status.state == "live").end
            memory.append(memory_mib(relay))
            relay.wait_status(lambda status: status.safe >= end)
            positions = [position for position, _, _ in relay.stored()]
        assert len(positions) > 1_000_000
        assert positions == list(range(1, len(positions) + 1))
    with capsys.disabled():
        print(
            f"\nstalled sink, {len(positions)} events of backlog: {memory[0]:.0f}, then {memory[1]:.0f} MiB"
        )
    assert max(memory) < RSS_MIB_MAX


def longest_ms(relay: Relay, server: Server, scans: int) -> float:
    """The longest of so many live scans from its answer until it is in the first sink's file, in ms."""
    path, longest = relay.folder / STORED, 0.0
    with Client(("127.0.0.1", server.port), "bench-00000", KEY) as client:
        client.sign_on()
        for number in range(scans):
            size = path.stat().st_size
            client.scan(0, f"live/{number}".encode())
            since_s = time.monotonic()
            while path.stat().st_size == size:
                assert time.monotonic() - since_s < 10, relay.log_text()
                time.sleep(0.0005)
            longest = max(longest, (time.monotonic() - since_s) * 1000)
    return longest


@pytest.mark.long
def test_a_sink_that_catches_up_keeps_no_other_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    """One sink is live while another begins with a million events: what is live is stored meanwhile."""
    raise_open_files()
    more = service_toml("relay-stream", ["subscribe", "query"]) + relay_config("null")
    with bench_folder() as folder, engine_server(folder, SHAPE.connections, more=more) as server:
        engine = Engine(folder / "bench.toml")
        with Relay(engine) as relay:
            run_load(server, SHAPE, scans=1000)
            relay.wait_status(lambda status: status.state == "live" and status.behind == 0)
            alone_ms = longest_ms(relay, server, 100)
            relay.stop()
            engine.config = folder / "both.toml"
            text = (folder / "bench.toml").read_text()
            engine.config.write_text(text.replace('["null"]', '["null", "stream"]'))
            relay.start()
            relay.wait_status(lambda status: status.state == "live")
            beside_ms = longest_ms(relay, server, 100)
            behind = relay.status(1).behind
            wait_until(lambda: relay.status(1).behind == 0, relay.log_text)
    with capsys.disabled():
        print(f"\nlive beside a backlog: {alone_ms:.0f} ms alone, {beside_ms:.0f} ms with {behind:,} left")
    assert beside_ms < 2000


@pytest.mark.long
def test_a_sink_of_another_journal_is_not_fed(tmp_path: Path) -> None:
    """A sink that has more than the journal holds is told so: nothing is sent, nothing skipped."""
    engine = engine_with_relay(tmp_path)
    (tmp_path / STORED).write_text("1 north 1\n" * 3 + "9999 north 9999\n")
    with engine, Relay(engine) as relay:
        scan(engine, 3)
        why = relay.wait_status(lambda status: status.state == "degraded").why
        assert why.startswith("relay: position 9999 was stored, but the engine's journal ends with ")
        assert relay.last_stored() == 9999


@pytest.mark.long
def test_what_the_journal_keeps_no_more_is_not_jumped_over(tmp_path: Path) -> None:
    """A sink that lost what the journal has retired is told so, with both positions: no silent gap."""
    engine = engine_with_relay(tmp_path, segment_bytes=1 << 20, snapshot_every_s=1)
    with engine:
        with Relay(engine) as relay:
            while journalled(tmp_path)[0][0] == 1:
                relay.wait_stored(scan(engine, 2000))
            relay.kill()
            (tmp_path / STORED).unlink()
            relay.start()
            why = relay.wait_status(lambda status: status.state == "degraded").why
            assert "events behind position 0 are gone from the engine's journal" in why
            assert "the oldest is" in why
            assert relay.last_stored() == 0
            assert "liftgate dead skip-gap --sink null" in why


@pytest.mark.long
def test_past_a_gap_a_sink_goes_on_when_somebody_wants_it_and_that_is_kept(tmp_path: Path) -> None:
    """Refused where there is no gap; then the rest is stored, and status says what never will be."""
    engine = engine_with_relay(tmp_path, segment_bytes=1 << 20, snapshot_every_s=1)
    with engine:
        with Relay(engine) as relay:
            while journalled(tmp_path)[0][0] == 1:
                relay.wait_stored(scan(engine, 2000))
            none = liftgate("dead", "skip-gap", "--config", engine.config)
            assert (none.returncode, "null stands before no gap" in none.stderr) == (1, True)
            relay.kill()
            (tmp_path / STORED).unlink()
            away = liftgate("dead", "skip-gap", "--config", engine.config)
            assert (away.returncode, "no relay runs" in away.stderr) == (1, True)
            relay.start()
            relay.wait_status(lambda status: status.state == "degraded")
            first = journalled(tmp_path)[0][0]
            done = liftgate("dead", "skip-gap", "--config", engine.config)
            said = f"null goes on without {first - 1:,} events, positions 1 to {first - 1}\n"
            assert (done.returncode, done.stdout) == (0, said), done
            relay.wait_status(lambda status: status.state == "live" and status.skipped == first - 1)
            relay.wait_stored(journalled(tmp_path)[-1][0])
            assert relay.stored() == journalled(tmp_path)
            relay.stop()
            relay.start()
            relay.wait_status(lambda status: status.state == "live" and status.skipped == first - 1)
            assert "events it will never have were skipped" in status_of(engine)


def status_of(engine: Engine) -> str:
    return liftgate("status", "--config", engine.config).stdout


@pytest.mark.long
def test_a_sink_that_comes_late_begins_with_what_there_is(tmp_path: Path) -> None:
    """Added to an engine that has retired segments already: it begins with the oldest event, and says so."""
    engine = engine_with_relay(tmp_path, segment_bytes=1 << 20, snapshot_every_s=1)
    with engine:
        while journalled(tmp_path)[0][0] == 1:
            last = scan(engine, 2000)
        with Relay(engine) as relay:
            relay.wait_stored(last)
            assert relay.stored()[0][0] > 1
            assert relay.stored() == journalled(tmp_path)
            assert "relay.begins_late" in relay.log_text()
