"""Events to offer, and what a `read_committed` consumer of the topic sees of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer

from liftgate.codecs.events.plain import values_of
from liftgate.codecs.events.readers import PassageRecorded, ScanDecided
from liftgate.configs.schema import Key
from liftgate.configs.stream import StreamConfig
from liftgate.relay.sink import Stored
from liftgate.relay.sinks.kafka import KafkaSink

LOTS = ("north", "south", "P1", "P7", "P8", "øst")
START_MS = 1_795_348_800_000
READ_S_MAX = 60.0
"""A reader waits so long for what was committed; markers of a killed producer's transaction may take some."""

KEY = Key(bytes(range(32)))


class Seen(NamedTuple):
    """A record of the topic as a reader gets it."""

    partition: int
    key: bytes
    value: bytes
    headers: dict[str, str]
    timestamp_ms: int

    @property
    def fields(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.value)
        return found


def offered(count: int, first: int = 1, lots: Sequence[str] = LOTS) -> list[Stored]:
    """Events from position `first` on, of a journal that began with 1: lots in turns, no seq missing."""
    return [_stored(position, lots) for position in range(first, first + count)]


def _stored(position: int, lots: Sequence[str]) -> Stored:
    lot, seq = lots[position % len(lots)], (position + len(lots) - 1) // len(lots)
    head = (lot, seq, START_MS + position, f"{lot}-r0", 7, seq, 0)
    session = position.to_bytes(16, "big")
    event: ScanDecided | PassageRecorded
    if position % 3:
        token = b"card %d" % position
        event = ScanDecided(*head, 2, token, 0, 1, 1, 0, 1, lot, session, "P1-A-017", None)
    else:
        event = PassageRecorded(*head, 1, 1, lot, session, "moved")
    return Stored(position, event)


def batches(events: Sequence[Stored], size: int) -> Iterator[Sequence[Stored]]:
    for begin in range(0, len(events), size):
        yield events[begin : begin + size]


def stream_config(address: str, topic: str, **changes: Any) -> StreamConfig:
    """A topic and cursors of a test's own, answers awaited for no longer than a test may take."""
    keys: dict[str, Any] = {"partitions": 4, "timeout_s": 10, "transaction_timeout_s": 60} | changes
    return StreamConfig(brokers=(address,), key=KEY, topic=topic, cursors=f"{topic}.cursors", **keys)


def make_sink(config: StreamConfig, engine: str = "engine-a") -> KafkaSink:
    return KafkaSink(config, engine, values_of)


async def read_topic(address: str, topic: str, isolation: str = "read_committed") -> list[Seen]:
    """All of every partition up to its end of now, each partition's records in order."""
    # One reads what is not committed, too, so it knows the very end.
    behind = AIOKafkaConsumer(topic, bootstrap_servers=address)
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=address, isolation_level=isolation, auto_offset_reset="earliest"
    )
    try:
        await behind.start()
        await consumer.start()
        places = consumer.assignment()
        assert places, f"no topic {topic}"
        ends = await behind.end_offsets(places)
        seen: list[Seen] = []
        async with asyncio.timeout(READ_S_MAX):
            while any([await consumer.position(place) < ends[place] for place in places]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    seen += map(_seen, records)
        return seen
    finally:
        await consumer.stop()
        await behind.stop()


def _seen(record: Any) -> Seen:
    headers = {name: value.decode() for name, value in record.headers}
    assert len(headers) == len(record.headers), "a header is there twice"
    return Seen(record.partition, record.key, record.value, headers, record.timestamp)


def assert_equal(seen: Sequence[Seen], wanted: Sequence[Stored]) -> None:
    """Each event once, a lot's in order and all in one partition, and nothing else."""
    assert sorted(each.fields["position"] for each in seen) == [each.position for each in wanted]
    for lot in {each.event.lot for each in wanted}:
        of_lot = [each for each in seen if each.key == lot.encode()]
        seqs = [each.event.seq for each in wanted if each.event.lot == lot]
        assert [each.fields["seq"] for each in of_lot] == seqs
        assert len({each.partition for each in of_lot}) == 1
