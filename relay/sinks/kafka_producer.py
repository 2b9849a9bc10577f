"""One life of the transactional producer: from fencing the older ones to its end or its first failure.

Whatever fails, the producer is given up, and with it the transaction: the next one's start makes Kafka abort
what was left open, or finish a commit whose answer was lost, and only then reads the cursor. So nothing here
has to guess what became of a commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError

from liftgate.configs.stream import StreamConfig
from liftgate.relay.sink import SinkMisfit, Stored
from liftgate.relay.sinks.kafka_batches import Batches
from liftgate.relay.sinks.kafka_client import (
    RETRY_BACKOFF_MS,
    client_options,
    reach_broker,
    said,
    translated,
)
from liftgate.relay.sinks.kafka_cursor import Cursor, cursor_place, letter_key, read_cursor
from liftgate.relay.sinks.kafka_topics import BATCH_BYTES, ensure_cursors, ensure_events
from liftgate.relay.stream.messages import Messages, Refused

REQUEST_BYTES = 8 << 20
"""Of one request, with a batch of each partition; a broker takes 100 MiB (`socket.request.max.bytes`)."""

SLICE = 5000
"""Events that are encoded before they go out, or ahead: all of a relay's batch, so that one request takes
them, and a bound for memory where somebody gives more. Measured on two busy cores with 4,000 events: 17.6 µs
each in one, 26.1 in two slices; what the broker can do meanwhile is less than what a second request costs it.
"""

END_S = 2.0
"""For an orderly end; a producer that takes longer has nothing committed to lose."""

UNTIDY = (KafkaError, OSError, AssertionError, TimeoutError)
"""What ending a producer may raise whose broker is gone."""

Sent = list["asyncio.Future[Any]"]

log = structlog.get_logger()


class Producer:
    """Everything here runs in the worker's loop.

    position: up to which everything is in the topic, None: nothing was ever written under this name.
    """

    def __init__(self, config: StreamConfig, name: str, messages: Messages) -> None:
        """name: transactional id, by which producers fence each other."""
        self._config = config
        self._name = name
        self._batches = Batches(config, messages)
        self._producer: AIOKafkaProducer | None = None
        self._resent: set[int] = set()
        self.position: int | None = None

    async def start(self) -> None:
        """Fence older producers of this name, then learn how far they came.

        Raises SinkUnavailable, SinkMisfit.
        """
        config = self._config
        options = client_options(config, self._name)
        with translated("connect to Kafka"):
            async with asyncio.timeout(config.timeout_s):
                await reach_broker(config, self._name)
                await ensure_cursors(config, options)
                self._producer = self._make(options)
                await self._producer.start()
        with translated("read the cursor from Kafka"):
            # Not as long as another's open transaction may take: a client that hangs would cost as much, and
            # the relay tries again anyway.
            async with asyncio.timeout(config.timeout_s):
                kept = await read_cursor(config.cursors, self._name, options)
                written = None if kept.cursor is None else kept.cursor.position
                await ensure_events(config, written, options)
        if kept.cursor is not None and kept.cursor.partitions != config.partitions:
            raise SinkMisfit(
                f"topic {config.topic} had {kept.cursor.partitions} partitions when it was last written, now "
                f"{config.partitions}: lots would go on in other partitions; configure another topic"
            )
        self._resent, self.position = kept.resent, written

    def _make(self, options: dict[str, Any]) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            transactional_id=self._name,
            transaction_timeout_ms=self._config.transaction_timeout_s * 1000,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
            compression_type=None if self._config.compression == "none" else self._config.compression,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            **options,
        )

    async def store(self, events: Sequence[Stored], last: int) -> Refused:
        """These events and the cursor `last` in one transaction; which of them are refused for good.

        Raises SinkUnavailable, SinkMisfit.
        """
        cursor = Cursor(last, self._config.partitions)
        refused = await self._transact(events, self._name.encode(), msgspec.json.encode(cursor))
        self.position = last
        return refused

    def prepare(self, events: Sequence[Stored]) -> None:
        """Begin to make the records of what store() will be given next."""
        if len(events) <= SLICE:
            self._batches.prepare(events)

    async def resend(self, letter: Stored) -> Refused:
        """One event behind all others, once. Raises SinkUnavailable, SinkMisfit."""
        if letter.position in self._resent:
            return {}
        refused = await self._transact([letter], letter_key(self._name, letter.position), b"{}")
        if not refused:
            self._resent.add(letter.position)
        return refused

    async def _transact(self, events: Sequence[Stored], key: bytes, value: bytes) -> Refused:
        producer = self._producer
        assert producer is not None  # start() has made it, or raised
        refused: Refused = {}
        sent: Sent = []
        with translated("write to Kafka"):
            async with asyncio.timeout(self._config.timeout_s):
                await producer.begin_transaction()
                try:
                    await self._send(producer, events, refused, sent)
                    place = cursor_place(self._name)
                    sent.append(await producer.send(self._config.cursors, value, key, partition=place))
                except IllegalOperation as ended:
                    # The transaction failed in the background; what was sent in it knows why.
                    raise await _failure(sent) or ended from ended
                # All of them are looked at before the commit: the library commits what is there, whether or
                # not some of it failed.
                if failure := await _failure(sent):
                    raise failure
                await producer.commit_transaction()
        return refused

    async def _send(
        self, producer: AIOKafkaProducer, events: Sequence[Stored], refused: Refused, sent: Sent
    ) -> None:
        for begin in range(0, len(events), SLICE):
            # What was prepared is known by its object, so all of a batch must stay what it is.
            made = await self._batches.of(events if len(events) <= SLICE else events[begin : begin + SLICE])
            refused.update(made.refused)
            for partition, batch in made.batches:
                # Waits while the partition's last batch has not left yet: so much is in memory and no more.
                sent.append(await producer.send_batch(batch, self._config.topic, partition=partition))

    async def aclose(self) -> None:
        """Let go of all connections, in order where that is quick; the worker's end does the rest."""
        self._batches.forget()
        if self._producer is None:
            return
        try:
            async with asyncio.timeout(END_S):
                await self._producer.stop()
        except UNTIDY as error:
            log.debug("stream.producer_left", why=said(error))
            with suppress(*UNTIDY):
                async with asyncio.timeout(END_S):
                    await self._producer.client.close()


async def _failure(sent: Sent) -> BaseException | None:
    """The first error of what was sent, once all of it has come to an end."""
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    return next((outcome for outcome in outcomes if isinstance(outcome, BaseException)), None)
