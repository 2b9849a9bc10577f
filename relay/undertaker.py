"""What a pipeline does with events that its sink refuses: puts them aside, sends them again when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog

from liftgate.codecs.events import events_of
from liftgate.history.clock import now_ms
from liftgate.relay.dead import DeadLetters, Letter
from liftgate.relay.health import Health
from liftgate.relay.sink import Sink, SinkRejected, SinkUnavailable, Stored

log = structlog.get_logger()

LOOK_S = 1.0
"""How soon room is seen that somebody made in a full store, in another process."""

RESENT_AT_ONCE = 100
"""Letters sent again in one go; then it is the feed's turn."""


class Undertaker:
    """One sink's dead letters. The order of calls is the pipeline's: never beside a write."""

    def __init__(self, letters: DeadLetters, health: Health, letters_max: int) -> None:
        self._letters, self._health, self._max = letters, health, letters_max
        self._count()

    def _count(self) -> int:
        status = self._health.status
        status.dead_letters = self._letters.count(status.name)
        return status.dead_letters

    async def bury(self, batch: Sequence[Stored], refused: dict[int, str]) -> None:
        """Keep what was refused of a batch, durably. At the bound wait until somebody made room.

        The bound may be passed by one batch: which part of it would have to wait could not be said to the
        sink.
        """
        while self._count() >= self._max:
            text = f"{self._max} dead letters are kept, which is the bound: resend or drop some"
            self._health.degrade("relay", text)
            await asyncio.sleep(LOOK_S)
        self._health.recover("relay")
        name, when_ms = self._health.status.name, now_ms()
        by_position = {stored.position: stored for stored in batch}
        letters = []
        for position, reason in sorted(refused.items()):
            event = by_position[position].event
            raw = msgspec.msgpack.encode(event)
            letters.append(Letter(name, position, event.lot, event.seq, when_ms, reason, 1, False, raw))
            log.error(
                "relay.dead_letter", sink=name, lot=event.lot, seq=event.seq, position=position, reason=reason
            )
        self._letters.put(letters)
        self._count()

    async def resend(self, sink: Sink) -> None:
        """Send again what somebody asked for. What is refused again stays, its reason renewed."""
        if not self._count():
            return
        for letter in self._letters.wanted(sink.name, RESENT_AT_ONCE):
            event = events_of(letter.raw, 1)[0]
            try:
                await sink.resend(Stored(letter.position, event))
            except SinkUnavailable as error:
                self._health.degrade("sink", str(error))
                return
            except SinkRejected as rejected:
                reason = next(iter(rejected.refused.values()), str(rejected))
                self._letters.put([letter._replace(reason=reason, at_ms=now_ms())])
                log.error("relay.refused_again", sink=sink.name, position=letter.position, reason=reason)
            else:
                self._letters.resent(sink.name, letter.position)
                log.info("relay.resent", sink=sink.name, position=letter.position)
            self._health.recover("sink")
        self._count()
