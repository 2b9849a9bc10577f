"""The history as a sink: a recorder that folds the feed, with its errors as the relay knows them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from liftgate.history.fold import Gap
from liftgate.history.port import StoreMisfit, StoreRejected, StoreUnavailable
from liftgate.history.recorder import Recorder
from liftgate.relay.sink import SinkMisfit, SinkRejected, SinkUnavailable, Stored


class HistorySink:
    """Rows are in the store when write() returns; the folds' checkpoint, and with it what is safe, lags."""

    name = "history"

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def open(self) -> int | None:
        """Where the store's progress stands."""
        async with self._translated(()):
            return await self._recorder.open()

    async def write(self, batch: Sequence[Stored]) -> int:
        """An empty batch asks for the checkpoint."""
        async with self._translated(batch):
            if not batch:
                return await self._recorder.settle()
            return await self._recorder.write([(stored.position, stored.event) for stored in batch])

    def prepare(self, batch: Sequence[Stored]) -> None:
        """There is nothing to do ahead: the folds go on from what the batch before it was."""

    async def resend(self, letter: Stored) -> None:
        """Its row alone: the folds saw the event when it came."""
        async with self._translated([letter]):
            await self._recorder.resend(letter.position, letter.event)

    async def aclose(self) -> None:
        """What was folded and not checkpointed comes again."""
        await self._recorder.aclose()

    @asynccontextmanager
    async def _translated(self, batch: Sequence[Stored]) -> AsyncIterator[None]:
        """The store's errors as the sink's; what it refuses by (lot, seq) is named by position."""
        try:
            yield
        except StoreUnavailable as error:
            raise SinkUnavailable(str(error)) from error
        except (StoreMisfit, Gap) as error:
            raise SinkMisfit(str(error)) from error
        except StoreRejected as error:
            positions = {(stored.event.lot, stored.event.seq): stored.position for stored in batch}
            refused = {positions[name]: why for name, why in error.refused.items()}
            raise SinkRejected(refused, self._recorder.safe) from error
