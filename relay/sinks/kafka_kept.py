"""What the topic has of a span of the journal, for `relay/comparison.py`: a partition is a shelf."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from liftgate.configs.stream import StreamConfig
from liftgate.relay.comparison import Entry, Span
from liftgate.relay.sink import SinkMisfit, SinkUnavailable
from liftgate.relay.sinks.kafka_client import client_options, consumer, reach_broker, translated, very_ends
from liftgate.relay.sinks.kafka_topics import partition_of, partitions_there

NAME = "liftgate-compare"
FETCH_MS = 500
RECORDS = 1000
"""Records at a time, about half a megabyte; the client itself holds a megabyte for each partition."""

SOURCE = "ce_source"


class Value(msgspec.Struct):
    """Of a message's value what names the event."""

    lot: str
    seq: int
    position: int
    type: str
    at_ms: int


class TopicKept:
    """The topic as a `read_committed` reader sees it, up to its end of when it was opened."""

    def __init__(
        self, config: StreamConfig, engine: str, span: Span, consumer: AIOKafkaConsumer, ends: dict[int, int]
    ) -> None:
        """engine: whose events count, as others may write, too; ends: by partition, the offset behind."""
        self._config, self._engine, self._span, self._consumer = config, engine, span, consumer
        self._ends = ends
        self._waiting: dict[int, deque[Entry]] = {partition: deque() for partition in ends}
        self._oldest = dict.fromkeys(ends, 0)  # by partition, the position that what is there begins with
        kind: Any = msgspec.json if config.format == "json" else msgspec.msgpack
        self._decode = kind.Decoder(Value).decode

    async def begin(self) -> None:
        """Go to the beginning; where retention took something, see with which position the rest begins."""
        places = [TopicPartition(self._config.topic, partition) for partition in self._ends]
        begins = await self._consumer.beginning_offsets(places)
        for place in places:
            self._consumer.seek(place, begins[place])
        for place in places:
            if begins[place]:
                await self._fill(place.partition)
                waiting = self._waiting[place.partition]
                self._oldest[place.partition] = waiting[0].position if waiting else self._span.last + 1

    def shelf(self, entry: Entry) -> int | None:
        """The partition of its lot."""
        partition = partition_of(entry.lot.encode(), len(self._ends))
        return partition if entry.position >= self._oldest[partition] else None

    async def take(self, shelf: int, count: int) -> Sequence[Entry]:
        """By offset. Raises SinkUnavailable, SinkMisfit."""
        waiting = self._waiting[shelf]
        found: list[Entry] = []
        while len(found) < count:
            if not waiting:
                await self._fill(shelf)
            if not waiting:
                break
            found.append(waiting.popleft())
        return found

    def shelves(self) -> Sequence[int]:
        """All partitions."""
        return list(self._ends)

    async def _fill(self, partition: int) -> None:
        """Read on until there is something of ours, or the end."""
        place = TopicPartition(self._config.topic, partition)
        # What is behind a transaction that a killed relay left open can be read when the broker has ended it.
        patience_s = self._config.transaction_timeout_s + self._config.timeout_s
        waiting = self._waiting[partition]
        async with self._bounded(place, patience_s):
            while not waiting and await self._consumer.position(place) < self._ends[partition]:
                records = await self._consumer.getmany(place, timeout_ms=FETCH_MS, max_records=RECORDS)
                for record in records.get(place, ()):
                    self._take(record)

    def _take(self, record: Any) -> None:
        if record.offset >= self._ends[record.partition]:
            return
        source = dict(record.headers).get(SOURCE, b"")
        if source != f"/liftgate/{self._engine}/".encode() + (record.key or b""):
            return  # another engine's, or none's
        try:
            value = self._decode(record.value)
        except msgspec.MsgspecError as error:
            raise SinkMisfit(f"offset {record.offset} of {record.topic} is no event: {error}") from error
        if value.position in self._span:
            self._waiting[record.partition].append(Entry(*msgspec.structs.astuple(value)))

    @asynccontextmanager
    async def _bounded(self, place: TopicPartition, patience_s: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(patience_s):
                yield
        except TimeoutError:
            raise SinkUnavailable(
                f"partition {place.partition} of {place.topic} could not be read to its end in {patience_s} s"
            ) from None


@asynccontextmanager
async def open_topic(config: StreamConfig, engine: str, span: Span) -> AsyncIterator[TopicKept]:
    """The topic, to be compared. Raises SinkUnavailable, SinkMisfit, also while it is read."""
    await reach_broker(config, NAME)
    options = client_options(config, NAME)
    with translated("read from Kafka"):
        found = (await partitions_there(options)).get(config.topic)
        if found is None:
            raise SinkMisfit(f"there is no topic {config.topic}")
        if found != config.partitions:
            raise SinkMisfit(f"topic {config.topic} has {found} partitions, not {config.partitions}")
        places = [TopicPartition(config.topic, partition) for partition in range(found)]
        ends = {place.partition: end for place, end in (await very_ends(places, options)).items()}
        async with consumer("read_committed", options) as stable:
            stable.assign(places)
            kept = TopicKept(config, engine, span, stable, ends)
            await kept.begin()
            yield kept
