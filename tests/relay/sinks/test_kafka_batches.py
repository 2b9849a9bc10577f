"""Events made into batches, ahead or not: the same either way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from liftgate.codecs.events.plain import values_of
from liftgate.relay.sink import Stored
from liftgate.relay.sinks import kafka_batches
from liftgate.relay.sinks.kafka_batches import AHEAD_MAX, Batches, Made
from liftgate.relay.sinks.kafka_topics import partition_of
from liftgate.relay.stream.messages import Messages
from tests.relay.topics import LOTS, offered, stream_config

CONFIG = stream_config("127.0.0.1:1", "topic")


def made(work: Coroutine[Any, Any, Made]) -> Made:
    return asyncio.run(work)


def batches() -> Batches:
    return Batches(CONFIG, Messages("engine-a", values_of))


def counts(found: Made) -> dict[int, int]:
    return {partition: records.record_count() for partition, records in found.batches}


async def ready(batches: Batches, events: Sequence[Stored]) -> None:
    """Prepared to the end."""
    batches.prepare(events)
    await asyncio.gather(*(ahead.making for ahead in batches._ahead))


def test_each_partition_gets_the_records_of_its_lots() -> None:
    """All of them, whatever the size of what is encoded at once."""
    found = made(batches().of(offered(777)))
    wanted: dict[int, int] = {}
    for stored in offered(777):
        partition = partition_of(stored.event.lot.encode(), CONFIG.partitions)
        wanted[partition] = wanted.get(partition, 0) + 1
    assert counts(found) == wanted and not found.refused


def test_what_was_prepared_is_what_would_be_made_now(monkeypatch: Any) -> None:
    """And is the very batch, handed out once."""
    monkeypatch.setattr(kafka_batches, "now_ms", lambda: 5)

    async def work() -> None:
        events, mine = offered(500), batches()
        await ready(mine, events)
        prepared = mine._ahead[0].making.result()
        assert await mine.of(events) is prepared
        again = await mine.of(events)
        assert again is not prepared
        assert [(at, records._build()) for at, records in again.batches] == [
            (at, records._build()) for at, records in prepared.batches
        ]

    asyncio.run(work())


def test_other_events_are_not_given_what_was_prepared() -> None:
    """Equal or not: a batch that is offered again after a failure may begin elsewhere."""

    async def work() -> None:
        events, mine = offered(50), batches()
        await ready(mine, events)
        assert counts(await mine.of(events[10:])) == counts(await mine.of(offered(40, 11)))
        assert counts(await mine.of(events)) == counts(await mine.of(list(events)))

    asyncio.run(work())


def test_the_next_but_one_may_be_prepared_and_no_more() -> None:
    """What was prepared and never asked for goes, oldest first; forget() lets all of it go."""

    async def work() -> None:
        mine = batches()
        several = [offered(10, 1 + 10 * turn) for turn in range(AHEAD_MAX + 1)]
        tasks = []
        for events in several:
            mine.prepare(events)
            tasks.append(mine._ahead[-1].making)
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks] == [True] + [False] * AHEAD_MAX
        mine.prepare(several[0])
        last = mine._ahead[-1].making
        mine.forget()
        await asyncio.wait([last])
        assert last.cancelled() and not mine._ahead

    asyncio.run(work())


def test_what_cannot_be_written_is_named_and_the_rest_is_made() -> None:
    """By position, as it is to be a dead letter."""

    def picky(event_type: Any) -> Any:
        def of(event: Any) -> Any:
            if event.seq == 3:
                raise ValueError("no threes")
            return values_of(event_type)(event)

        return of

    found = made(Batches(CONFIG, Messages("engine-a", picky)).of(offered(60)))
    assert len(found.refused) == len(LOTS)
    assert set(found.refused.values()) == {"cannot be written as json: ValueError: no threes"}
    assert sum(counts(found).values()) == 60 - len(LOTS)
