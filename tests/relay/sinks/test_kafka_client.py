"""What needs no broker: nobody there, and where a key belongs."""

from __future__ import annotations

import asyncio

import pytest

from liftgate.relay.sink import SinkUnavailable
from liftgate.relay.sinks.kafka_topics import partition_of
from tests.relay.topics import make_sink, offered, stream_config


def test_nobody_listens() -> None:
    """Connection refused is said at once, with the address, and the next attempt is as good as the first."""
    config = stream_config("127.0.0.1:1", "nowhere")

    async def run() -> None:
        sink = make_sink(config)
        with pytest.raises(SinkUnavailable, match=r"127\.0\.0\.1:1: .*[Cc]onnect"):
            await sink.open()
        with pytest.raises(SinkUnavailable, match=r"127\.0\.0\.1:1: .*[Cc]onnect"):
            await sink.write(offered(1))
        await sink.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("key", "hash"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"abc", 479470107),
    ],
)
def test_a_lot_has_the_partition_that_other_producers_give_it(key: bytes, hash: int) -> None:
    """Hashes as the tests of Kafka's own clients have them."""
    for partitions in (1, 4, 12, 100):
        assert partition_of(key, partitions) == (hash & 0x7FFFFFFF) % partitions
