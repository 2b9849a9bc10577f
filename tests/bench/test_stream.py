"""The stream's benchmark, tiny, on a real Kafka."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from deploy.services import Service
from liftgate.bench.load import LoadFailed
from liftgate.bench.stream import stream


@pytest.mark.long
def test_stream_tiny(kafka: Service) -> None:
    """Every way is measured, and the topics that it took are gone."""
    result = stream(kafka.address, rounds=1, seconds=0.05, batch=50)
    assert min(result.sink_rate, result.bare_rate, result.send_rate, result.ratio) > 0

    async def topics() -> list[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
        await admin.start()
        try:
            return await admin.list_topics()
        finally:
            await admin.close()

    assert not [topic for topic in asyncio.run(topics()) if topic.startswith("bench.")]


def test_without_a_broker_it_says_so() -> None:
    """One message with the address, not a traceback."""
    with pytest.raises(LoadFailed, match="127.0.0.1:1: "):
        stream("127.0.0.1:1", rounds=1, seconds=0.05, batch=50)
