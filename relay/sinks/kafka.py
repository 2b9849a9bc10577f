"""The stream: each event once, in order, for `read_committed` readers of a Kafka topic.

A batch and the cursor behind it are one transaction. Older relays of the same name are fenced before the
cursor is read, so of two relays that run by mistake one writes at a time, and each begins where the other
ended.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import structlog

from liftgate.configs.stream import StreamConfig
from liftgate.history import privacy
from liftgate.history.privacy import Hasher
from liftgate.relay.sink import SinkMisfit, SinkRejected, SinkUnavailable, Stored
from liftgate.relay.sinks.kafka_producer import Producer
from liftgate.relay.sinks.worker import Worker
from liftgate.relay.stream.messages import Messages, ValuesOf

log = structlog.get_logger()
T = TypeVar("T")


def stream_sink(config: StreamConfig, engine: str) -> KafkaSink:
    """The sink that a configuration asks for, not opened. engine: its name."""
    return KafkaSink(config, engine, partial(privacy.values_of, hasher=Hasher(config.key)))


class KafkaSink:
    """Implements `relay/sink.py`. Its memory: two batches as messages, besides what the relay holds."""

    name = "stream"

    def __init__(self, config: StreamConfig, engine: str, values_of: ValuesOf) -> None:
        """engine: its name, no other engine's; values_of: makes an event's values, credentials hashed."""
        self._config = config
        self._id = f"liftgate.{engine}.{config.topic}"
        self._messages = Messages(engine, values_of, config.format)
        self._worker: Worker | None = None
        self._producer: Producer | None = None
        self._clean = False

    async def open(self) -> int | None:
        """Fence older relays, then say how far they came. Raises SinkUnavailable, SinkMisfit."""
        return (await self._open()).position

    async def write(self, batch: Sequence[Stored]) -> int:
        """Store the batch in one transaction; what is in the topic already is passed over.

        Raises SinkUnavailable (its subclass Fenced where another relay took over), SinkMisfit, SinkRejected.
        """
        producer = await self._ready()
        position = producer.position
        fresh = batch
        if position is not None and batch and batch[0].position <= position:
            fresh = [stored for stored in batch if stored.position > position]
        if not fresh:
            return position or 0
        if position is not None and fresh[0].position > position + 1:
            log.warning("stream.gap", after=position, before=fresh[0].position)
        last = fresh[-1].position
        refused = await self._work(producer.store(fresh, last))
        if refused:
            raise SinkRejected(refused, last)
        return last

    def prepare(self, batch: Sequence[Stored]) -> None:
        """Make the batch's messages while the one before it is stored."""
        if self._worker is not None and self._producer is not None:
            self._worker.begin(partial(self._producer.prepare, batch))

    async def resend(self, letter: Stored) -> None:
        """Store an event that was refused once, behind all others. Raises as write() does."""
        producer = await self._ready()
        refused = await self._work(producer.resend(letter))
        if refused:
            raise SinkRejected(refused)

    async def aclose(self) -> None:
        """Let go of everything; a transaction under way is aborted, now or by the next open()."""
        worker, producer = self._worker, self._producer
        self._worker, self._producer, self._clean = None, None, False
        if worker is not None:
            if producer is not None:
                await worker.run(producer.aclose())
            await worker.aclose()

    async def _ready(self) -> Producer:
        """The producer, a new one where the last one failed or was left in the midst of something."""
        if self._clean and self._producer is not None:
            return self._producer
        return await self._open()

    async def _open(self) -> Producer:
        await self.aclose()
        self._worker = Worker("kafka")
        producer = self._producer = Producer(self._config, self._id, self._messages)
        await self._work(producer.start())
        return producer

    async def _work(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the worker do it. Whatever goes wrong, a cancellation too, the producer is not used again."""
        assert self._worker is not None  # _open() has made it
        self._clean = False
        try:
            done = await self._worker.run(work)
        except (SinkUnavailable, SinkMisfit):
            await self.aclose()
            raise
        self._clean = True
        return done
