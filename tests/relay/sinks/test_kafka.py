"""The stream into a real Kafka: once, in order, and what it refuses."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
import pytest

from deploy.services import Service
from liftgate.codecs.events import Event
from liftgate.codecs.events.plain import Values, fields, values
from liftgate.relay.sink import SinkRejected, Stored
from liftgate.relay.sinks.kafka import KafkaSink
from tests.relay.topics import (
    assert_equal,
    batches,
    make_sink,
    offered,
    read_topic,
    stream_config,
)
from tests.services.clients import unique

pytestmark = pytest.mark.long


def test_events_are_there_once_and_in_order(kafka: Service) -> None:
    """Batches of a few thousand events over six lots are read back as offered, with all their fields."""
    config = stream_config(kafka.address, unique("t"))
    events = offered(10_000)

    async def run() -> None:
        sink = make_sink(config)
        assert await sink.open() is None
        for batch in batches(events, 3000):
            assert await sink.write(batch) == batch[-1].position
        await sink.aclose()
        seen = await read_topic(kafka.address, config.topic)
        assert_equal(seen, events)
        for each in seen:
            stored = events[each.fields["position"] - 1]
            told = {"position": stored.position, "type": type(stored.event).__name__, **fields(stored.event)}
            assert each.fields == msgspec.to_builtins(told)
            assert abs(each.timestamp_ms / 1000 - time.time()) < 600

    asyncio.run(run())


def test_the_cursor_is_what_the_topic_holds(kafka: Service) -> None:
    """The next relay is told how far the last one came, and what it is offered again is passed over."""
    config = stream_config(kafka.address, unique("t"))
    events = offered(100)

    async def run() -> None:
        sink = make_sink(config)
        await sink.write(events[:60])
        await sink.aclose()
        later = make_sink(config)
        assert await later.open() == 60
        assert await later.write(events[20:50]) == 60
        assert await later.write(events[20:]) == 100
        await later.aclose()
        assert_equal(await read_topic(kafka.address, config.topic), events)

    asyncio.run(run())


def test_what_is_too_large_is_refused_and_the_rest_is_stored(kafka: Service) -> None:
    """An event that no batch holds is named with its reason; the others and the cursor are in, once."""
    config = stream_config(kafka.address, unique("t"))
    events = offered(50)
    large = msgspec.structs.replace(events[20].event, area="x" * 900_000)
    surrogate = msgspec.structs.replace(events[30].event, area="\ud800")
    offered_ = [*events]
    offered_[20] = Stored(21, large)
    offered_[30] = Stored(31, surrogate)

    async def run() -> None:
        sink = make_sink(config)
        with pytest.raises(SinkRejected) as refused:
            await sink.write(offered_)
        assert set(refused.value.refused) == {21, 31}
        assert "bytes, and 800000 are the most" in refused.value.refused[21]
        assert refused.value.refused[31].startswith("cannot be written as json")
        assert refused.value.safe == 50
        assert await sink.open() == 50
        with pytest.raises(SinkRejected):
            await sink.resend(offered_[20])
        await sink.aclose()
        seen = await read_topic(kafka.address, config.topic)
        assert [s.position for s in events if s.position not in (21, 31)] == sorted(
            each.fields["position"] for each in seen
        )

    asyncio.run(run())


def test_a_letter_is_sent_again_once(kafka: Service) -> None:
    """What was refused and can be written by now comes behind the others, however often it is sent."""
    config = stream_config(kafka.address, unique("t"))
    events = offered(20)
    poison = {events[7].event.seq}

    def picky(event: Event) -> list[Any]:
        if event.seq in poison and event.lot == events[7].event.lot:
            raise ValueError("not now")
        return values(event)

    def picky_of(event_type: type[Event]) -> Values:
        return picky

    async def run() -> None:
        sink = KafkaSink(config, "engine-a", picky_of)
        with pytest.raises(SinkRejected) as refused:
            await sink.write(events)
        assert list(refused.value.refused) == [8]
        poison.clear()
        for _ in range(2):
            await sink.resend(events[7])
        await sink.aclose()
        for _ in range(2):
            await sink.resend(events[7])
        assert await sink.write(events) == 20
        await sink.aclose()
        seen = await read_topic(kafka.address, config.topic)
        assert sorted(each.fields["position"] for each in seen) == [each.position for each in events]

    asyncio.run(run())
