"""Exactly once through kills, zombies, and a broker that dies, freezes or is cut off: real servers.

After each, a `read_committed` consumer gets what was offered: each event once, a lot's in order.
"""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from deploy.services import Service
from deploy.services.processes import wait_until
from liftgate.relay.sink import SinkUnavailable
from tests.relay.topics import assert_equal, make_sink, offered, read_topic, stream_config
from tests.relay.writer import Silent, Writer
from tests.services.clients import unique
from tests.services.proxy import Proxy

pytestmark = pytest.mark.long

KILLS = 20
FROZEN_S = 30.0
SESSION_S = 3.2
"""A little longer than the broker's session (deploy/services/recipes/kafka)."""


def assert_all_in(address: str, topic: str, count: int) -> None:
    assert_equal(asyncio.run(read_topic(address, topic)), offered(count))


def test_kill_9_twenty_times_in_mid_transaction(kafka: Service) -> None:
    """Each life is killed within a batch, the next begins where Kafka says, and all is there once."""
    topic, count, size = unique("t"), 60_000, 500
    chance = random.Random(20)
    begun = 0
    for _ in range(KILLS):
        with Writer(kafka.address, topic, count, size) as writer:
            begun = int(writer.wait("open")[1])
            writer.wait("try", chance.randint(1, 4))
            time.sleep(chance.random() * 0.02)  # somewhere within the batch: that is the fault
    with Writer(kafka.address, topic, count, size) as writer:
        assert begun < count, "the topic was full before the last kill"
        writer.wait("end")
    assert_all_in(kafka.address, topic, count)
    everything = asyncio.run(read_topic(kafka.address, topic, "read_uncommitted"))
    assert len(everything) > count, "no kill hit a transaction"


def test_a_zombie_that_wakes_up_is_fenced(kafka: Service) -> None:
    """A relay stopped within a batch, while another took over, writes nothing when it goes on."""
    topic, count, size = unique("t"), 20_000, 5_000
    with Writer(kafka.address, topic, count, size) as zombie:
        zombie.wait("done")
        zombie.wait("try")
        time.sleep(0.02)  # within the batch, most likely; within nothing is as good a zombie
        zombie.stop()
        with Writer(kafka.address, topic, count, size) as heir:
            heir.wait("end")
        assert_all_in(kafka.address, topic, count)
        zombie.go_on()
        zombie.wait("end")
        assert "fenced" in zombie.said or "away" in zombie.said
    assert_all_in(kafka.address, topic, count)


def test_two_relays_at_once_by_mistake(kafka: Service) -> None:
    """They fence each other by turns, and what both wrote is there once."""
    topic, count, size = unique("t"), 20_000, 500
    with (
        Writer(kafka.address, topic, count, size) as one,
        Writer(kafka.address, topic, count, size) as other,
    ):
        one.wait("end")
        other.wait("end")
        assert "fenced" in one.said + other.said
    assert_all_in(kafka.address, topic, count)


def test_the_broker_is_killed_and_comes_back(own_kafka: Service) -> None:
    """The relay goes on without being started again, unless Kafka forgot to end its transaction."""
    topic, count, size = unique("t"), 30_000, 500
    with Writer(own_kafka.address, topic, count, size) as writer:
        try:
            for _ in range(2):
                writer.wait("done", 5)
                own_kafka.kill()
                writer.wait("away")
                own_kafka.start()
            writer.wait("end")
        except Silent:
            if not forgotten(own_kafka, topic):
                raise
            pytest.xfail("Kafka skipped the markers of a transaction: docs/stream.md, When Kafka was killed")
    assert_all_in(own_kafka.address, topic, count)


def forgotten(kafka: Service, topic: str) -> bool:
    """Whether the broker says that it took partitions of the topic for deleted: they keep what was begun."""
    lines = kafka.log_file.read_text(errors="replace").splitlines()
    return any("find leader endpoint" in line and topic in line for line in lines)


def test_the_broker_stands_still_for_half_a_minute(own_kafka: Service) -> None:
    """Within its timeout the relay says that Kafka is away, its memory stays, and it goes on by itself."""
    topic, count, size = unique("t"), 30_000, 500
    with Writer(own_kafka.address, topic, count, size) as writer:
        writer.wait("done", 5)
        before = writer.rss_bytes()
        own_kafka.pause()
        begin = time.monotonic()
        writer.wait("away")
        while time.monotonic() < begin + FROZEN_S:
            time.sleep(1)
        grown = writer.rss_bytes() - before
        own_kafka.resume()
        writer.wait("end")
    assert grown < 32 << 20, f"{grown} bytes more after {FROZEN_S} s"
    assert_all_in(own_kafka.address, topic, count)


def test_new_topics_wait_for_a_broker_that_is_shut_out(own_kafka: Service) -> None:
    """One that stood still for longer than its session is shut out for a moment, as one that starts is. Its
    topics can be made later, and nobody has to mend anything; 10 of 36 such moments were called a misfit.
    """

    async def opens() -> bool:
        sink = make_sink(stream_config(own_kafka.address, unique("t")))
        try:
            await sink.open()
        except SinkUnavailable:
            return False
        finally:
            await sink.aclose()
        return True

    for moment in range(6):
        own_kafka.pause()
        time.sleep(SESSION_S)
        own_kafka.resume()
        time.sleep(moment * 0.02)  # somewhere around the moment
        assert wait_until(lambda: asyncio.run(opens()), 20)


def test_refused_cut_and_slow_connections(own_kafka: Service) -> None:
    """Cut in the midst of requests again and again, then refused, then slow: all is in, once."""
    topic, count, size = unique("t"), 30_000, 500
    chance = random.Random(7)
    with (
        Proxy(own_kafka.ports["behind_proxy"], own_kafka.ports["proxy"]) as proxy,
        Writer(proxy.address, topic, count, size) as writer,
    ):
        for _ in range(8):
            writer.wait("done", 2)
            proxy.cut_after(chance.randint(100, 300_000))
        proxy.refuse()
        writer.wait("away")
        proxy.accept()
        writer.wait("done")
        proxy.delay_s = 0.2
        writer.wait("done", 3)
        proxy.delay_s = 0
        writer.wait("end")
    assert_all_in(own_kafka.address, topic, count)


def test_more_than_the_clients_queue_holds(own_kafka: Service) -> None:
    """One write of 30 batches for one partition through a slow line: it waits for room, and all is in."""
    config = stream_config(f"127.0.0.1:{own_kafka.ports['proxy']}", unique("t"), partitions=1, timeout_s=60)
    events = offered(60_000)

    async def run() -> None:
        sink = make_sink(config)
        with Proxy(own_kafka.ports["behind_proxy"], own_kafka.ports["proxy"]) as proxy:
            await sink.open()
            proxy.delay_s = 0.05
            assert await sink.write(events) == 60_000
            await sink.aclose()

    asyncio.run(run())
    assert_all_in(own_kafka.address, config.topic, 60_000)
