"""Events a second into Kafka through the stream's sink, against a bare loop of the same client library.

The bare loop sends the same records, made beforehand, in the same transactions: `create_batch`, `append`,
`send_batch`, commit, and nothing else. So the ratio is what hashing, encoding, the worker's thread and the
cursor cost. `send` is the library's plain way, an await for each record.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from liftgate.bench.load import LoadFailed
from liftgate.codecs.events.readers import PassageRecorded, ScanDecided
from liftgate.configs.schema import Key
from liftgate.configs.stream import StreamConfig
from liftgate.history import privacy
from liftgate.relay.sink import SinkMisfit, SinkUnavailable, Stored
from liftgate.relay.sinks.kafka import KafkaSink, stream_sink
from liftgate.relay.sinks.kafka_client import RETRY_BACKOFF_MS
from liftgate.relay.sinks.kafka_topics import BATCH_BYTES, partition_of
from liftgate.relay.stream.messages import Message, Messages

BATCH = 4000
"""The most that the relay gives a sink at once."""
LOTS = 40
PARTITIONS = 12
ENGINE = "bench"
KEY = Key(bytes(range(32)))
START_MS = 1_795_348_800_000


class Way(Protocol):
    """A way to store a batch as one transaction; only `write` is timed."""

    def prepare(self, events: list[Stored]) -> Any: ...

    async def write(self, prepared: Any) -> None: ...


class Stream(msgspec.Struct, frozen=True):
    """Events a second, medians over the rounds; ratio: the sink's of the bare loop's."""

    rounds: int
    batch: int
    partitions: int
    value_bytes: float
    sink_rate: float
    bare_rate: float
    send_rate: float
    ratio: float


def stream(brokers: str, rounds: int, seconds: float, batch: int = BATCH) -> Stream:
    """Write to a topic of its own, which is gone afterwards. Raises LoadFailed where Kafka cannot be had."""
    try:
        return asyncio.run(_stream(brokers, rounds, seconds, batch))
    except (SinkUnavailable, SinkMisfit) as failure:
        raise LoadFailed(str(failure)) from failure


async def _stream(brokers: str, rounds: int, seconds: float, batch: int) -> Stream:
    name = f"bench.{uuid4().hex[:8]}"
    config = StreamConfig(brokers=tuple(brokers.split(",")), key=KEY, topic=name, cursors=f"{name}.cursors")
    messages = Messages(ENGINE, partial(privacy.values_of, hasher=privacy.Hasher(KEY)))
    sink = stream_sink(config, ENGINE)
    await sink.open()
    producer = AIOKafkaProducer(
        bootstrap_servers=list(config.brokers),
        transactional_id=name,
        max_batch_size=BATCH_BYTES,
        retry_backoff_ms=RETRY_BACKOFF_MS,
    )
    try:
        await producer.start()
        ways = BySink(sink), Bare(producer, name, messages), Send(producer, name, messages)
        rates = await _measure(ways, rounds, seconds, batch)
    finally:
        await sink.aclose()
        await producer.stop()
        await _remove(config)
    by_sink, bare, send = (round(statistics.median(each), 1) for each in rates)
    size = statistics.mean(len(messages.message(stored)[1]) for stored in _events(1, batch))
    return Stream(rounds, batch, PARTITIONS, round(size, 1), by_sink, bare, send, round(by_sink / bare, 3))


async def _measure(ways: Sequence[Way], rounds: int, seconds: float, batch: int) -> list[list[float]]:
    """Rates of each way in turns, so that whatever else the machine does hits all alike."""
    rates: list[list[float]] = [[] for _ in ways]
    first = 1
    for way in ways:  # connections, metadata, and the first transaction's coordinator
        first = await _once(way, first, batch, [])
    for _ in range(rounds):
        for way, found in zip(ways, rates, strict=True):
            took: list[float] = []
            while sum(took) < seconds:
                first = await _once(way, first, batch, took)
            found.append(len(took) * batch / sum(took))
    return rates


async def _once(way: Way, first: int, batch: int, took: list[float]) -> int:
    """One batch of new events, made before the clock starts; the position after it."""
    events = _events(first, batch)
    prepared = way.prepare(events)
    begin = time.perf_counter()
    await way.write(prepared)
    took.append(time.perf_counter() - begin)
    return first + batch


def _events(first: int, count: int) -> list[Stored]:
    """Stays, each of a card of its own: a scan and a passage on the way in, and the same on the way out."""
    return [Stored(position, _event(position)) for position in range(first, first + count)]


def _event(position: int) -> ScanDecided | PassageRecorded:
    stay, step = divmod(position, 4)
    lot, way = f"lot-{stay % LOTS:02}", 1 + step // 2
    head = (lot, position, START_MS + position // 50, f"{lot}-r{way}", 7, position, 0)
    session = stay.to_bytes(16, "big")
    if step % 2:
        return PassageRecorded(*head, 1, way, lot, session, "moved")
    return ScanDecided(*head, 2, stay.to_bytes(7, "big"), 0, way, 1, 0, 2, lot, session, "P1-A-017", None)


@dataclass(frozen=True, slots=True)
class BySink:
    """The sink, as the relay uses it."""

    sink: KafkaSink

    def prepare(self, events: list[Stored]) -> Any:
        return events

    async def write(self, prepared: Any) -> None:
        await self.sink.write(prepared)


@dataclass(frozen=True, slots=True)
class Bare:
    """What the client library can do."""

    producer: AIOKafkaProducer
    topic: str
    messages: Messages

    def prepare(self, events: list[Stored]) -> Any:
        by_partition: dict[int, list[Message]] = {}
        for stored in events:
            message = self.messages.message(stored)
            by_partition.setdefault(partition_of(message[0], PARTITIONS), []).append(message)
        return by_partition

    async def write(self, prepared: Any) -> None:
        producer, now_ms = self.producer, int(time.time() * 1000)
        await producer.begin_transaction()
        sent = []
        for partition, records in prepared.items():
            batch = producer.create_batch()
            for key, value, headers in records:
                if batch.append(timestamp=now_ms, key=key, value=value, headers=headers) is None:
                    raise LoadFailed("a batch does not hold what the bare loop gives it: use smaller ones")
            sent.append(await producer.send_batch(batch, self.topic, partition=partition))
        await asyncio.gather(*sent)
        await producer.commit_transaction()


class Send(Bare):
    """The library's plain way."""

    async def write(self, prepared: Any) -> None:
        producer = self.producer
        await producer.begin_transaction()
        sent = [
            await producer.send(self.topic, value, key, partition, headers=headers)
            for partition, records in prepared.items()
            for key, value, headers in records
        ]
        await asyncio.gather(*sent)
        await producer.commit_transaction()


async def _remove(config: StreamConfig) -> None:
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=list(config.brokers))
    try:
        await admin.start()
        await admin.delete_topics([config.topic, config.cursors])
    finally:
        await admin.close()
