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
from itertools import zip_longest
from typing import Any, NamedTuple, Protocol
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
RUN = 6
"""Batches at a time, one behind the other: the relay has the next one when it writes one. The first of them
has nothing before it, so a sixth of what can be done ahead is not measured.
"""
LOTS = 40
PARTITIONS = 12
ENGINE = "bench"
KEY = Key(bytes(range(32)))
START_MS = 1_795_348_800_000


class Way(Protocol):
    """A way to store batches, each as one transaction; only `write` is timed."""

    def prepare(self, events: list[Stored]) -> Any: ...

    async def write(self, prepared: Sequence[Any]) -> None: ...


class Stream(msgspec.Struct, frozen=True):
    """Events a second, medians over the rounds; ratio: the sink's of the bare loop's, the median of rounds.

    …_cpu_us: this process's processor time for an event, of which a busy machine takes least; cpu_ratio: the
    bare loop's of the sink's, so that more is better there, too.
    """

    rounds: int
    batch: int
    partitions: int
    value_bytes: float
    sink_rate: float
    bare_rate: float
    send_rate: float
    ratio: float
    sink_cpu_us: float
    bare_cpu_us: float
    cpu_ratio: float


class Speed(NamedTuple):
    """Of one way in one round: events a second, and processor seconds for an event."""

    rate: float
    cpu_s: float


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
        speeds = await _measure(ways, rounds, seconds, batch)
    finally:
        await sink.aclose()
        await producer.stop()
        await _remove(config)
    size = statistics.mean(len(messages.message(stored)[1]) for stored in _events(1, batch))
    by_sink, bare, send = speeds
    pairs = list(zip(by_sink, bare, strict=True))
    return Stream(
        rounds=rounds,
        batch=batch,
        partitions=PARTITIONS,
        value_bytes=round(size, 1),
        sink_rate=_median([each.rate for each in by_sink], 1),
        bare_rate=_median([each.rate for each in bare], 1),
        send_rate=_median([each.rate for each in send], 1),
        ratio=_median([ours.rate / theirs.rate for ours, theirs in pairs], 3),
        sink_cpu_us=_median([each.cpu_s * 1e6 for each in by_sink], 2),
        bare_cpu_us=_median([each.cpu_s * 1e6 for each in bare], 2),
        cpu_ratio=_median([theirs.cpu_s / ours.cpu_s for ours, theirs in pairs], 3),
    )


def _median(figures: Sequence[float], digits: int) -> float:
    return round(statistics.median(figures), digits)


async def _measure(ways: Sequence[Way], rounds: int, seconds: float, batch: int) -> list[list[Speed]]:
    """Speeds of each way in turns, so that whatever else the machine does hits all alike."""
    speeds: list[list[Speed]] = [[] for _ in ways]
    first = 1
    for way in ways:  # connections, metadata, and the first transaction's coordinator
        await _run(way, first, batch)
        first += RUN * batch
    for _ in range(rounds):
        for way, found in zip(ways, speeds, strict=True):
            runs, spent_s, used_s = 0, 0.0, 0.0
            while spent_s < seconds:
                spent, used = await _run(way, first, batch)
                runs, spent_s, used_s = runs + 1, spent_s + spent, used_s + used
                first += RUN * batch
            found.append(Speed(runs * RUN * batch / spent_s, used_s / (runs * RUN * batch)))
    return speeds


async def _run(way: Way, first: int, batch: int) -> tuple[float, float]:
    """RUN batches of new events, made before the clocks start; seconds and processor seconds that it took."""
    prepared = [way.prepare(_events(first + turn * batch, batch)) for turn in range(RUN)]
    begin, begin_cpu = time.perf_counter(), time.process_time()
    await way.write(prepared)
    return time.perf_counter() - begin, time.process_time() - begin_cpu


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
    """The sink, as the relay uses it while it catches up: the next batch is there when one is written."""

    sink: KafkaSink

    def prepare(self, events: list[Stored]) -> Any:
        return events

    async def write(self, prepared: Sequence[Any]) -> None:
        loop = asyncio.get_running_loop()
        for batch, after in zip_longest(prepared, prepared[1:]):
            if after is not None:
                loop.call_soon(self.sink.prepare, after)
            await self.sink.write(batch)


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

    async def write(self, prepared: Sequence[Any]) -> None:
        for batch in prepared:
            await self._write(batch)

    async def _write(self, prepared: Any) -> None:
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

    async def _write(self, prepared: Any) -> None:
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
