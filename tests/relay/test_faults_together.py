"""Engine, relay, Cassandra and Kafka together, under a steady load, while one after another fails.

In the end journal, history and topic are equal, and meanwhile the barrier was as quick as ever: also while a
sink catches up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from deploy.services import Service
from liftgate.bench.servers import bench_folder, engine_server, raise_open_files
from liftgate.relay.health import SinkStatus
from tests.cli.commands import liftgate
from tests.independent.engine_process import Engine
from tests.relay.relays import LiveRelay, Relay, wait_until
from tests.relay.sites import both_sinks
from tests.relay.steady import RATE, SHAPE, WINDOW_S, SteadyLoad, Watch
from tests.services.clients import unique
from tests.services.proxy import Proxy

pytestmark = pytest.mark.long

CALM = "calm"
WINDOWS = 3
"""Of each phase; calm ones lie between all others, so what else the machine does hits all alike."""

RATIO_MAX = 1.2
SLACK_MS = 100.0
"""The promise is 1.2 times. Here two cores carry engine, load, relay, Cassandra, Kafka and whatever CI runs:
a window's p99 is the scheduler's, and while a sink is down it is lower than when all is calm. So much more is
not held against a phase; an engine that waits for a sink would wait for seconds. The figures are printed."""

LIVE_MAX = 10 * RATE
"""Events behind that count as live: the relay's word is a second old, a checkpoint comes every 2 s, and on a
busy machine both come late; what a failing sink is behind grows without end."""

RELAY_MIB_MAX = 200
ENGINE_MIB_MAX = 150
RELAY_KILLS = 5


class Site(NamedTuple):
    """All that stands between a barrier and the two sinks."""

    engine: Engine
    relay: Relay
    load: SteadyLoad
    watch: Watch
    cassandra: Service
    kafka: Service
    to_cassandra: Proxy
    to_kafka: Proxy

    def phase(self, name: str, windows: int = WINDOWS) -> None:
        """Load on, until so many windows of it are measured."""
        self.watch.phase = name
        self.load.during(name, windows)

    def wait_sinks(self, wanted: Callable[[SinkStatus], bool], *names: str) -> None:
        """Until that is true of these sinks; the load goes on."""
        wait_until(
            lambda: all(wanted(sink) for sink in self.watch.sinks() if sink.name in names),
            lambda: f"{self.watch.sinks()}\n{self.relay.log_text()[-4000:]}",
        )

    def fail(self, what: str, begin: Callable[[], object], end: Callable[[], object], *sinks: str) -> None:
        """A calm time, the fault until those sinks say so and it is measured, then until all is as before."""
        self.calm()
        begin()
        self.phase(what)
        self.wait_sinks(lambda sink: sink.state == "degraded", *sinks)
        self.phase("", 0)  # a server's start takes both cores, and would not on a site's own machines
        end()
        self.phase(f"after {what}")

    def silence(self) -> None:
        """SIGSTOP: connections stay and nobody answers."""
        self.cassandra.pause()
        self.kafka.pause()

    def wake(self) -> None:
        self.cassandra.resume()
        self.kafka.resume()

    def cut_and_slow(self) -> None:
        """Requests cut in their midst, three times, with a tenth of a second on every chunk."""
        for _ in range(3):
            for proxy in (self.to_cassandra, self.to_kafka):
                proxy.delay_s = 0.1
                proxy.cut_after(20_000)
            self.phase("cut and slow", 1)

    def quicken(self) -> None:
        self.to_cassandra.delay_s = self.to_kafka.delay_s = 0.0

    def wait_everything(self) -> None:
        """Until both sinks have all that the journal has."""
        told = json.loads(liftgate("status", "--config", self.engine.config, "--json").stdout)
        end = int(told["engine"]["durable_position"])
        self.wait_sinks(lambda sink: sink.safe >= end, "history", "stream")

    def calm(self, windows: int = WINDOWS) -> None:
        self.wait_sinks(lambda sink: sink.state == "live" and sink.behind < LIVE_MAX, "history", "stream")
        self.phase(CALM, windows)


@contextmanager
def site(cassandra: Service, kafka: Service) -> Iterator[Site]:
    """Everything runs, all of it through proxies."""
    raise_open_files()
    with (
        Proxy(cassandra.port) as to_cassandra,
        Proxy(kafka.ports["behind_proxy"], kafka.ports["proxy"]) as to_kafka,
        bench_folder() as folder,
    ):
        more = both_sinks(to_cassandra.port, unique("faults"), to_kafka.address, unique("faults"))
        # One window's connections may still be there when the next one's come.
        with engine_server(folder, 2 * SHAPE.connections, more=more) as server:
            engine = Engine(folder / "bench.toml")
            made = liftgate("history", "migrate", "--config", engine.config)
            assert made.returncode == 0, made
            relay = LiveRelay(engine)
            pids = {
                "engine": lambda: server.process.pid,
                "relay": lambda: relay.process and relay.process.pid,
            }
            with relay, Watch(relay.state, pids) as watch, SteadyLoad(server) as load:
                yield Site(engine, relay, load, watch, cassandra, kafka, to_cassandra, to_kafka)


@pytest.fixture
def it(own_cassandra: Service, own_kafka: Service) -> Iterator[Site]:
    """Everything runs, all of it through proxies."""
    with site(own_cassandra, own_kafka) as running:
        yield running


def test_a_server_that_is_killed_or_refuses(it: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Cassandra is killed with -9, then Kafka refuses; meanwhile the other sink stays live.

    Kafka is not killed here: alone on one node it may forget a transaction then (docs/stream.md), and
    tests/relay/sinks/test_kafka_faults.py does that. What its clients see of a kill is what they see here.
    """
    it.fail("cassandra killed", it.cassandra.kill, it.cassandra.start, "history")
    it.fail("kafka refuses", it.to_kafka.refuse, it.to_kafka.accept, "stream")
    finish(it, capsys)
    for phase, sink in (("cassandra killed", "stream"), ("kafka refuses", "history")):
        for when in (phase, f"after {phase}"):
            assert it.watch.behind[when][sink] < LIVE_MAX, f"{sink} fell behind: {when}"


def test_both_servers_silent_then_cut_and_slow(it: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """SIGSTOP of both until the relay has given up on each; then connections that break and crawl."""
    it.fail("both silent", it.silence, it.wake, "history", "stream")
    it.fail("cut and slow", it.cut_and_slow, it.quicken)
    finish(it, capsys)


def test_the_relay_is_killed_again_and_again(it: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 in mid-stream of both sinks: each goes on where it was."""
    for _ in range(RELAY_KILLS):
        it.calm(1)
        it.relay.kill()
        it.phase("relay killed", 1)
        it.relay.start()
        it.phase("after relay killed", 1)
    finish(it, capsys)


def finish(it: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """The end of the load, then equal, bounded, quick."""
    it.calm()
    it.load.end()
    it.wait_everything()
    compared = liftgate("compare", "--config", it.engine.config)
    with capsys.disabled():
        print(report(it, compared.stdout))
    assert compared.returncode == 0, compared
    for sink in ("history", "stream"):
        assert f"{sink:10} equal: " in compared.stdout, compared
    assert it.watch.rss_mib["relay"] < RELAY_MIB_MAX
    assert it.watch.rss_mib["engine"] < ENGINE_MIB_MAX
    medians = it.load.medians_ms()
    most_ms = medians[CALM] * RATIO_MAX + SLACK_MS
    assert not {phase: median for phase, median in medians.items() if median > most_ms}


def report(it: Site, compared: str) -> str:
    """What was measured, by phase: p99 at the barrier, and the most that each sink was behind."""
    medians = it.load.medians_ms()
    lines = [f"{it.load.answers} scans answered; p99 at the barrier, medians of windows of {WINDOW_S} s:"]
    for phase, median in medians.items():
        behind = ", ".join(f"{sink} {most}" for sink, most in it.watch.behind.get(phase, {}).items())
        windows = len(it.load.p99_ms[phase])
        lines.append(
            f"  {phase:24} {median:7.2f} ms  {median / medians[CALM]:5.2f} times calm  "
            f"({windows} windows; most behind: {behind})"
        )
    memory = ", ".join(f"{name} {most:.0f} MiB" for name, most in it.watch.rss_mib.items())
    return "\n".join(["", *lines, f"  most memory: {memory}", compared])
