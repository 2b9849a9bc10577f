"""Whatever is done to the node or the way to it, every row is there in the end, and the store stays the same
object: whoever uses it need not open it again.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from deploy.services import Service
from liftgate.history.limiter import LEAST, MOST
from liftgate.history.port import StoreUnavailable
from tests.history.cassandra.rows import some
from tests.history.cassandra.stores import Feed, all_events, assert_all_there, opened
from tests.services.proxy import Proxy

pytestmark = pytest.mark.long

EVENTS = 40_000
BACK_S_MAX = 30
"""From the node's being ready to the first row: the driver tries every 4 s at the latest."""


def test_kill_and_restart_in_the_midst_of_writing(own_cassandra: Service, keyspace: str) -> None:
    """kill -9, three times; what was acknowledged is there, and the rest follows without a new store."""

    async def run() -> None:
        async with opened(own_cassandra.port, keyspace) as store:
            feed = Feed(store)
            task = asyncio.create_task(feed.run(EVENTS))
            for killed in range(1, 4):
                await feed.wait_acknowledged(killed * EVENTS // 5)
                feed.troubles.clear()
                await asyncio.to_thread(own_cassandra.kill)
                await feed.wait_trouble()
                before = feed.acknowledged
                await asyncio.to_thread(own_cassandra.start)
                async with asyncio.timeout(BACK_S_MAX):
                    await feed.wait_acknowledged(before + 1)
                assert (await all_events(store))[:before] == list(some(1, before).events)
            await task
            await assert_all_there(store, EVENTS)

    asyncio.run(run())


def test_half_a_minute_of_silence(own_cassandra: Service, keyspace: str) -> None:
    """SIGSTOP: writes fail in time instead of piling up, one at a time in the end, and go on afterwards."""
    silence_s = 30

    async def run() -> None:
        async with opened(own_cassandra.port, keyspace) as store:
            feed = Feed(store)
            task = asyncio.create_task(feed.run(EVENTS))
            await feed.wait_acknowledged(EVENTS // 4)
            await asyncio.to_thread(own_cassandra.pause)
            begin, most_in_flight = time.monotonic(), 0
            while time.monotonic() < begin + silence_s:  # that it lasts is what is tested
                most_in_flight = max(most_in_flight, store.limiter.in_flight)
                await asyncio.sleep(0.05)
            assert feed.troubles and most_in_flight <= MOST
            assert store.limiter.limit == LEAST
            before = feed.acknowledged
            await asyncio.to_thread(own_cassandra.resume)
            async with asyncio.timeout(BACK_S_MAX):
                await feed.wait_acknowledged(before + 1)
            await task
            await assert_all_there(store, EVENTS)

    asyncio.run(run())


def test_refused_connections(cassandra: Service, keyspace: str) -> None:
    """Told at once while it lasts, and over by itself."""

    async def run(proxy: Proxy) -> None:
        async with opened(proxy.port, keyspace) as store:
            feed = Feed(store)
            task = asyncio.create_task(feed.run(EVENTS))
            await feed.wait_acknowledged(EVENTS // 4)
            await asyncio.to_thread(proxy.refuse)
            await feed.wait_trouble()
            begin = time.monotonic()
            with pytest.raises(StoreUnavailable):
                await store.write(some(1, 5))
            assert time.monotonic() - begin < 5
            before = feed.acknowledged
            await asyncio.to_thread(proxy.accept)
            async with asyncio.timeout(BACK_S_MAX):
                await feed.wait_acknowledged(before + 1)
            await task
            await assert_all_there(store, EVENTS)

    with Proxy(cassandra.port) as proxy:
        asyncio.run(run(proxy))


def test_a_network_that_cuts_and_delays(cassandra: Service, keyspace: str) -> None:
    """Requests cut in their midst, again and again, and 200 ms on every chunk."""

    async def run(proxy: Proxy) -> None:
        async with opened(proxy.port, keyspace) as store:
            feed = Feed(store)
            task = asyncio.create_task(feed.run(EVENTS))
            for cuts in range(1, 6):
                await feed.wait_acknowledged(cuts * EVENTS // 8)
                proxy.delay_s = 0.2 if cuts % 2 else 0.0
                feed.troubles.clear()
                proxy.cut_after(10_000)
                await feed.wait_trouble()
            await task
            await assert_all_there(store, EVENTS)

    with Proxy(cassandra.port) as proxy:
        asyncio.run(run(proxy))


def test_a_slow_network_lowers_the_limit(cassandra: Service, keyspace: str) -> None:
    """Nothing fails, but what is in flight shrinks to one, and grows again when the network is quick."""

    async def run(proxy: Proxy) -> None:
        async with opened(proxy.port, keyspace) as store:
            proxy.delay_s = store.limiter.slow_s
            async with asyncio.timeout(60):
                while store.limiter.limit > LEAST:
                    await store.write(some(1, 2_000))
                proxy.delay_s = 0.0
                while store.limiter.limit <= 2:
                    await store.write(some(1, 5_000))

    with Proxy(cassandra.port) as proxy:
        asyncio.run(run(proxy))
