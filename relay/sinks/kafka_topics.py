"""The two topics: made where they are missing, refused where they do not fit.

Both checks are for order: a lot is in one partition for ever, so the number of partitions never changes under
way, and what compaction or a small limit on messages would take away is refused before anything is written.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.partitioner import murmur2

from liftgate.configs.stream import StreamConfig
from liftgate.relay.sink import SinkMisfit

CURSOR_PARTITIONS = 8
"""Of the cursors' topic, for ever: each relay reads one of them whole when it starts."""

REPLICAS = 3
LOOK_AGAIN_S = 0.05
SHUT_OUT = "its controller lets no broker in at present"
"""A broker that starts, or that stood still for longer than its session, is told so for a moment."""

BATCH_BYTES = 900_000
"""Most in one batch of records: below what a broker takes unless told otherwise (1,048,588)."""

Settings = dict[str, str]


class Topic(NamedTuple):
    """A topic as it should be: partitions when made, settings when made."""

    name: str
    partitions: int
    settings: Settings


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: murmur2 as Kafka's own producers take it, so that others can partition alike.

    Stable for ever: it depends on nothing but the key's bytes and the number of partitions.
    """
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


async def ensure_cursors(config: StreamConfig, options: dict[str, Any]) -> None:
    """See to it that the topic of cursors is there and fits. Raises SinkMisfit, KafkaError."""
    # A segment is compacted once it is closed: daily, so that a start reads little more than a day's cursors.
    compacted = {"cleanup.policy": "compact", "segment.ms": "86400000", "segment.bytes": "16777216"}
    await _ensure(Topic(config.cursors, CURSOR_PARTITIONS, compacted), config.replicas, options)


async def ensure_events(config: StreamConfig, written: int | None, options: dict[str, Any]) -> None:
    """See to it that the topic of events is there and fits. Raises SinkMisfit, KafkaError.

    written: position up to which it was written so far; then it is not made anew, for its readers would find
    everything before that gone and nobody would have said so.
    """
    topic = Topic(config.topic, config.partitions, {"cleanup.policy": "delete"})
    await _ensure(topic, config.replicas, options, written)


async def _ensure(topic: Topic, replicas: int, options: dict[str, Any], written: int | None = None) -> None:
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        found = await _partitions(admin)
        if topic.name not in found:
            if written is not None:
                raise SinkMisfit(
                    f"topic {topic.name} is gone, and events up to position {written} were in it: bring it "
                    "back, or configure another topic, which is written from the journal's beginning"
                )
            await _make(admin, topic, replicas)
            found = await _wait_made(admin, topic)
        _check_partitions(topic, found[topic.name])
        _check_settings(topic, await _settings(admin, topic.name))
    finally:
        await admin.close()


async def partitions_there(options: dict[str, Any]) -> dict[str, int]:
    """Every topic that is there, with its number of partitions. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        return await _partitions(admin)
    finally:
        await admin.close()


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, int]:
    # All topics, because asking for one by name makes it, on brokers that make topics by themselves.
    topics = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in topics if not topic["error_code"]}


async def _make(admin: AIOKafkaAdminClient, topic: Topic, replicas: int) -> None:
    brokers = len((await admin.describe_cluster())["brokers"])
    if not brokers:
        raise errors.BrokerNotAvailableError(SHUT_OUT)
    count = replicas or min(REPLICAS, brokers)
    new = NewTopic(topic.name, topic.partitions, count, topic_configs=topic.settings)
    try:
        answer = await admin.create_topics([new])
    except AttributeError as error:  # aiokafka 0.14 asks the controller's number where none is known
        raise errors.BrokerNotAvailableError(SHUT_OUT) from error
    _, code, text = answer.topic_errors[0]
    kind = errors.for_code(code)
    if kind is errors.InvalidReplicationFactorError and count <= brokers:  # that were there just now
        raise errors.BrokerNotAvailableError(text or SHUT_OUT)
    if kind in (errors.NoError, errors.TopicAlreadyExistsError):  # another relay made it just now
        return
    if getattr(kind, "retriable", False):
        raise kind(text)
    raise SinkMisfit(f"topic {topic.name} cannot be made: {text or kind.__name__}")


async def _wait_made(admin: AIOKafkaAdminClient, topic: Topic) -> dict[str, int]:
    """Until every partition of a new topic is known; the caller bounds the time."""
    while (found := await _partitions(admin)).get(topic.name, 0) < topic.partitions:
        await asyncio.sleep(LOOK_AGAIN_S)
    return found


def _check_partitions(topic: Topic, found: int) -> None:
    if found != topic.partitions:
        raise SinkMisfit(
            f"topic {topic.name} has {found} partitions, not {topic.partitions}: lots would move to other "
            "partitions, out of order; configure its number, or another topic"
        )


async def _settings(admin: AIOKafkaAdminClient, name: str) -> Settings:
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    code, text, _, _, entries = answers[0].resources[0]
    if code:
        raise errors.for_code(code)(text)
    return {entry[0]: entry[1] for entry in entries}


def _check_settings(topic: Topic, found: Settings) -> None:
    wanted = topic.settings["cleanup.policy"]
    policy = found.get("cleanup.policy", wanted)
    if policy != wanted:
        raise SinkMisfit(
            f"topic {topic.name} has cleanup.policy={policy}, not {wanted}: it would lose what is needed"
        )
    most = int(found.get("max.message.bytes", BATCH_BYTES))
    if most < BATCH_BYTES:
        raise SinkMisfit(f"topic {topic.name} has max.message.bytes={most}, less than {BATCH_BYTES}")
