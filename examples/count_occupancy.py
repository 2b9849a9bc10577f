"""How many cars are in each lot, counted from the stream: a consumer to begin yours with.

    python examples/count_occupancy.py --brokers 127.0.0.1:9092

Reads the topic from its beginning, prints a lot's count whenever it changed, and goes on until Ctrl-C; with
--once it ends at the topic's present end and prints one JSON object, lot -> cars. It counts as the engine
does, for `liftgate.history.fold` knows every event that moves a car. What it keeps is in memory only: a
consumer that must not begin anew stores `fold.dump()` beside the offsets.
"""

from __future__ import annotations

import argparse
import asyncio
import json

from aiokafka import AIOKafkaConsumer, TopicPartition

from liftgate.history.fold import Fold
from liftgate.relay.stream.reading import Hashed, event_of


class Counter:
    """The lots' folds. A gap or a wrong order would raise `history.fold.Gap`."""

    def __init__(self) -> None:
        self.folds: dict[str, Fold] = {}

    def take(self, value: bytes) -> tuple[str, int]:
        """Count an event; the lot that it is of, and the cars there now."""
        event = event_of(json.loads(value))
        fold = self.folds.setdefault(event.lot, Fold(event.lot, Hashed()))
        fold.apply(event)
        fold.take()  # the changes, for a store; kept here they would only grow
        return event.lot, self.count(event.lot)

    def count(self, lot: str) -> int:
        """Cars in the lot, whatever area they are in."""
        return sum(self.folds[lot].counts.by_area.values())


async def main(brokers: str, topic: str, once: bool) -> None:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=brokers.split(","),
        isolation_level="read_committed",  # else one sees what a killed relay began and Kafka took back
        auto_offset_reset="earliest",
    )
    counter = Counter()
    shown: dict[str, int] = {}
    await consumer.start()
    try:
        places = consumer.assignment()
        if not places:
            raise SystemExit(f"there is no topic {topic}")
        ends = await consumer.end_offsets(places)
        while not (once and await there(consumer, ends)):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    lot, cars = counter.take(record.value)
                    if not once and shown.get(lot) != cars:
                        shown[lot] = cars
                        print(f"{lot}: {cars} cars", flush=True)
    finally:
        await consumer.stop()
    print(json.dumps({lot: counter.count(lot) for lot in sorted(counter.folds)}))


async def there(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    """Whether everything before `ends` is read."""
    return all([await consumer.position(place) >= end for place, end in ends.items()])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Count the cars in each lot from the stream of events.")
    parser.add_argument("--brokers", default="127.0.0.1:9092", help="host:port,… (%(default)s)")
    parser.add_argument("--topic", default="liftgate.events", help="(%(default)s)")
    parser.add_argument("--once", action="store_true", help="end at the topic's present end")
    arguments = parser.parse_args()
    try:
        asyncio.run(main(arguments.brokers, arguments.topic, arguments.once))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
