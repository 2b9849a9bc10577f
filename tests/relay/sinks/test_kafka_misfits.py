"""Topics that do not fit: said before anything is written, in words that say what to do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from deploy.services import Service
from liftgate.configs.secrets import Password
from liftgate.configs.stream import StreamConfig, StreamSasl
from liftgate.relay.sink import SinkMisfit, SinkUnavailable
from liftgate.relay.sinks.kafka_topics import partition_of
from tests.relay.topics import assert_equal, make_sink, offered, read_topic, stream_config
from tests.services.clients import unique

pytestmark = pytest.mark.long


async def with_admin(address: str, act: Any) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await act(admin)
    finally:
        await admin.close()


async def refusal(config: StreamConfig) -> str:
    """What the sink says to a topic that does not fit."""
    sink = make_sink(config)
    with pytest.raises(SinkMisfit) as said:
        await sink.open()
    await sink.aclose()
    return str(said.value)


async def written(config: StreamConfig) -> None:
    sink = make_sink(config)
    await sink.write(offered(10))
    await sink.aclose()


def test_another_number_of_partitions(kafka: Service) -> None:
    """Fewer or more than configured is refused; so are those that both were changed to under way."""
    config = stream_config(kafka.address, unique("t"))

    async def run() -> None:
        await written(config)
        for other in (3, 5):
            said = await refusal(stream_config(kafka.address, config.topic, partitions=other))
            assert f"{config.topic} has 4 partitions, not {other}" in said
        grow = {config.topic: NewPartitions(5)}
        await with_admin(kafka.address, lambda admin: admin.create_partitions(grow))
        assert f"{config.topic} has 5 partitions, not 4" in await refusal(config)
        said = await refusal(stream_config(kafka.address, config.topic, partitions=5))
        assert "had 4 partitions when it was last written, now 5" in said

    asyncio.run(run())


def test_a_topic_that_is_gone(kafka: Service) -> None:
    """Is not made anew as long as the cursor says that events were in it."""
    config = stream_config(kafka.address, unique("t"))

    async def run() -> None:
        await written(config)
        await with_admin(kafka.address, lambda admin: admin.delete_topics([config.topic]))
        assert "is gone, and events up to position 10 were in it" in await refusal(config)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("which", "settings", "said"),
    [
        ("topic", {"cleanup.policy": "compact"}, "has cleanup.policy=compact, not delete"),
        ("cursors", {"cleanup.policy": "delete"}, "has cleanup.policy=delete, not compact"),
        ("topic", {"max.message.bytes": "500000"}, "has max.message.bytes=500000, less than 900000"),
    ],
)
def test_settings_that_would_lose_events(
    kafka: Service, which: str, settings: dict[str, str], said: str
) -> None:
    """A topic that somebody else made is looked at before it is used."""
    config = stream_config(kafka.address, unique("t"))
    count = config.partitions if which == "topic" else 8
    new = NewTopic(getattr(config, which), count, 1, topic_configs=settings)

    async def run() -> None:
        await with_admin(kafka.address, lambda admin: admin.create_topics([new]))
        assert said in await refusal(config)

    asyncio.run(run())


def test_more_replicas_than_brokers(kafka: Service) -> None:
    """Kafka's own words are passed on."""
    config = stream_config(kafka.address, unique("t"), replicas=3)
    said = asyncio.run(refusal(config))
    assert f"topic {config.cursors} cannot be made" in said
    assert "replication factor" in said.lower()


def test_a_password_where_none_is_taken(kafka: Service) -> None:
    """A broker without SASL hangs up on who tries: not reached, and the reason is said, the password not."""
    sasl = StreamSasl(mechanism="SCRAM-SHA-256", user="relay", password=Password("secret-word"))
    config = stream_config(kafka.address, unique("t"), sasl=sasl)

    async def run() -> None:
        sink = make_sink(config)
        with pytest.raises((SinkMisfit, SinkUnavailable)) as said:
            await sink.open()
        assert kafka.address in str(said.value)
        assert "secret-word" not in f"{said.value!r} {config!r}"

    asyncio.run(run())


def test_another_relays_open_transaction_does_not_hide_the_cursor(kafka: Service) -> None:
    """What stands behind the beginning of somebody else's transaction is waited for, not overlooked."""
    one = stream_config(kafka.address, unique("t"))
    place = partition_of(f"liftgate.engine-a.{one.topic}".encode(), 8)

    async def run() -> None:
        sink = make_sink(one)
        await sink.write(offered(10))
        other = AIOKafkaProducer(bootstrap_servers=kafka.address, transactional_id=f"other-{one.topic}")
        await other.start()
        await other.begin_transaction()
        await other.send_and_wait(one.cursors, b"{}", b"other", partition=place)
        await sink.write(offered(10, 11))
        heir = make_sink(one)
        opening = asyncio.create_task(heir.open())
        done, _ = await asyncio.wait([opening], timeout=3)
        assert not done
        await other.commit_transaction()
        assert await opening == 20
        for each in (sink, heir):
            await each.aclose()
        await other.stop()
        assert_equal(await read_topic(kafka.address, one.topic), offered(20))

    asyncio.run(run())
