"""What the tests of the services ask of Cassandra and Kafka, with the clients that the project uses."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Coroutine
from typing import TypeVar
from uuid import uuid4

import acsylla
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import InvalidReplicationFactorError, NodeNotReadyError

from deploy.services import Service
from deploy.services.ports import HOST
from deploy.services.processes import wait_until

Statement = tuple[str, list[object]]
T = TypeVar("T")

MADE_S_MAX = 20
SHUT_OUT = InvalidReplicationFactorError.errno
"""What Kafka answers to a new topic while it lets no broker in: more replicas asked for than brokers."""


def unique(prefix: str) -> str:
    """A name that no other test uses; servers outlive tests."""
    return f"{prefix}_{uuid4().hex[:12]}"


def run_acsylla(main: Coroutine[object, object, T]) -> T:
    """asyncio.run for a coroutine that uses acsylla, without pytest taking its socket pairs for a leak.

    The driver's threads wake the loop through two pairs of Unix sockets, which acsylla 1.2 leaves to whatever
    collects the loop; nothing offers to close them.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed <socket.socket .*family=1, ", ResourceWarning)
        return asyncio.run(main)


def cql(port: int, *statements: Statement) -> list[tuple[object, ...]]:
    """Rows of the last statement; each is run after the one before it has succeeded."""

    async def run() -> list[tuple[object, ...]]:
        cluster = acsylla.create_cluster([HOST], port=port, connect_timeout=10, request_timeout=20)
        session = await cluster.create_session()
        try:
            for text, values in statements:
                # Prepared, since only then the driver knows a bigint from an int.
                prepared = await session.create_prepared(text)
                statement = prepared.bind()
                statement.bind_list(values)
                result = await session.execute(statement)
            return [tuple(row.as_list()) for row in result]
        finally:
            await session.close()

    return run_acsylla(run())


def make_topic(service: Service, topic: str, partitions: int = 1) -> None:
    """Return when the topic is there.

    A broker that stood still is shut out by its controller for a moment when it goes on, perhaps only after
    it was found ready. Kafka's own admin client waits for that, aiokafka's does not.
    """
    new = NewTopic(topic, partitions, 1)
    made = wait_until(lambda: asyncio.run(_is_made(service.address, new)), MADE_S_MAX)
    assert made, f"{topic} could not be made in {MADE_S_MAX} s"


async def _is_made(address: str, topic: NewTopic) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    try:
        await admin.start()
        if not (await admin.describe_cluster())["brokers"]:
            return False
        answer = await admin.create_topics([topic])
    except (NodeNotReadyError, AttributeError):  # the latter where it knows no controller (aiokafka 0.14)
        return False
    finally:
        await admin.close()
    _, code, text = answer.topic_errors[0]
    assert code in (0, SHUT_OUT), text
    return code == 0


def produce(address: str, topic: str, values: list[bytes]) -> None:
    """Write all in one transaction, committed when this returns."""

    async def run() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=address, transactional_id=f"of-{topic}", request_timeout_ms=20_000
        )
        try:
            await producer.start()
            async with producer.transaction():
                for value in values:
                    await producer.send(topic, value, partition=0)
        finally:
            await producer.stop()

    asyncio.run(run())


def consume(address: str, topic: str) -> list[bytes]:
    """All that is committed in the topic's partition, from its beginning to its present end."""

    async def run() -> list[bytes]:
        partition = TopicPartition(topic, 0)
        consumer = AIOKafkaConsumer(bootstrap_servers=address, isolation_level="read_committed")
        try:
            await consumer.start()
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            values: list[bytes] = []
            while await consumer.position(partition) < end:
                batch = await consumer.getmany(partition, timeout_ms=1000)
                values += [message.value for message in batch.get(partition, [])]
            return values
        finally:
            await consumer.stop()

    return asyncio.run(run())
