"""Events made into batches of records: when their turn has come, or ahead of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from liftgate.configs.stream import StreamConfig
from liftgate.history.clock import now_ms
from liftgate.relay.sink import Stored
from liftgate.relay.sinks.kafka_records import Frame, Records
from liftgate.relay.sinks.kafka_topics import BATCH_BYTES, partition_of
from liftgate.relay.stream.messages import OWN_HEADERS, Envelope, Messages, Refused

AT_ONCE = 100
"""Events that are encoded between two looks at the network, some 0.5 ms: what a transaction waits for is not
kept waiting by the next one's events.
"""

AHEAD_MAX = 2
"""What is about to be asked for, and the one after it: that one may be begun a moment before the first is
asked for, as both come from another thread.
"""


class Made(NamedTuple):
    """Batches, each with its partition, those of one partition in order; and what could not be written."""

    batches: list[tuple[int, Records]]
    refused: Refused


class Ahead(NamedTuple):
    """Events that come next, and what is being made of them."""

    events: Sequence[Stored]
    making: asyncio.Task[Made]


class Batches:
    """Makes them, in the loop of whoever calls."""

    def __init__(self, config: StreamConfig, messages: Messages) -> None:
        self._config, self._messages = config, messages
        self._frames: dict[Envelope, Frame] = {}
        self._ahead: deque[Ahead] = deque()

    def prepare(self, events: Sequence[Stored]) -> None:
        """Begin to make them, to be had by of()."""
        if len(self._ahead) >= AHEAD_MAX:
            self._ahead.popleft().making.cancel()
        self._ahead.append(Ahead(events, asyncio.create_task(self._make(events))))

    def forget(self) -> None:
        """Let go of what was begun."""
        while self._ahead:
            self._ahead.pop().making.cancel()

    async def of(self, events: Sequence[Stored]) -> Made:
        """The events' batches. Prepared are those of the very same object."""
        for ahead in self._ahead:
            if ahead.events is events:
                self._ahead.remove(ahead)
                return await ahead.making
        return await self._make(events)

    async def _make(self, events: Sequence[Stored]) -> Made:
        """Others get their turn meanwhile."""
        made = Made([], {})
        filling: dict[int, Records] = {}
        # The record's time is that of writing, and the event's stands in ce_time: retention by time would
        # else delete a backlog of last week's events as it arrives.
        written_ms = now_ms()
        for begin in range(0, len(events), AT_ONCE):
            self._add(events[begin : begin + AT_ONCE], written_ms, filling, made)
            await asyncio.sleep(0)
        made.batches.extend(filling.items())
        return made

    def _add(
        self, events: Sequence[Stored], written_ms: int, filling: dict[int, Records], made: Made
    ) -> None:
        frames = self._frames
        for envelope, value, number, time in self._messages.parts(events, made.refused):
            frame = frames.get(envelope) or self._frame(envelope)
            records = filling.get(frame.partition)
            if records is None or not records.put(frame, value, number, time):
                if records is not None:
                    made.batches.append((frame.partition, records))
                records = Records(written_ms, BATCH_BYTES, OWN_HEADERS[1], self._config.compression)
                filling[frame.partition] = records
                records.put(frame, value, number, time)  # fits: VALUE_BYTES_MAX

    def _frame(self, envelope: Envelope) -> Frame:
        partition = partition_of(envelope.key, self._config.partitions)
        frame = Frame(envelope.key, partition, envelope.headers, OWN_HEADERS)
        self._frames[envelope] = frame
        return frame
