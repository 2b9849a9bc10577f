"""How far a relay came, kept in the compacted topic of cursors, in the same transaction as the events.

A record's key is the relay's name (its transactional id), its value the last cursor; a letter sent again has
a record of its own, `<name>/<position>`. Rejected: a consumer group's offsets, because Kafka forgets them
when the group has been away for a week (`offsets.retention.minutes`), and each transaction takes two round
trips more; the last record of each partition of the events, because retention may have taken it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aiokafka import TopicPartition

from liftgate.relay.sinks.kafka_client import consumer, very_ends
from liftgate.relay.sinks.kafka_topics import CURSOR_PARTITIONS, partition_of

FETCH_MS = 500


class Cursor(msgspec.Struct, frozen=True):
    """position: up to which all events are in the topic; partitions: that the topic had then."""

    position: int
    partitions: int


class Kept(msgspec.Struct):
    """What the topic of cursors says about one relay. resent: positions of letters that were sent again."""

    cursor: Cursor | None
    resent: set[int]


def cursor_place(name: str) -> int:
    """The partition of the cursors' topic in which a relay's records stand."""
    return partition_of(name.encode(), CURSOR_PARTITIONS)


def letter_key(name: str, position: int) -> bytes:
    """Key of the record that says that a letter was sent again."""
    return f"{name}/{position}".encode()


async def read_cursor(topic: str, name: str, options: dict[str, Any]) -> Kept:
    """What was committed under this name; to be asked when older producers of it are fenced.

    Reads to the partition's very end, not to what is stable now: where another relay's transaction is open,
    our own last cursor may stand behind its beginning, and an older one would be believed. So this waits for
    that transaction to end; the caller bounds the time.
    """
    place = TopicPartition(topic, cursor_place(name))
    end = (await very_ends([place], options))[place]
    kept = Kept(None, set())
    async with consumer("read_committed", options) as stable:
        stable.assign([place])
        stable.seek(place, (await stable.beginning_offsets([place]))[place])
        while await stable.position(place) < end:
            found = await stable.getmany(place, timeout_ms=FETCH_MS)
            for record in found.get(place, ()):
                _take(kept, name, record.key, record.value)
    return kept


def _take(kept: Kept, name: str, key: bytes, value: bytes) -> None:
    whose, _, letter = key.decode().partition("/")
    if whose != name:
        return
    if letter:
        kept.resent.add(int(letter))
    else:
        kept.cursor = msgspec.json.decode(value, type=Cursor)
