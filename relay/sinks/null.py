"""A sink that takes everything and keeps nothing: what the way there costs, and a place for a first trial."""

from __future__ import annotations

from collections.abc import Sequence

from liftgate.relay.sink import Stored


class NullSink:
    """Everything is safe at once, for nobody will ask for it."""

    name = "null"

    def __init__(self) -> None:
        self.events = 0

    async def open(self) -> int | None:
        """It knows no position: the engine's cursor counts."""
        return None

    async def write(self, batch: Sequence[Stored]) -> int:
        self.events += len(batch)
        return batch[-1].position

    def prepare(self, batch: Sequence[Stored]) -> None:
        """There is nothing to do ahead."""

    async def resend(self, letter: Stored) -> None:
        """It refuses nothing, so there are none."""

    async def aclose(self) -> None:
        """There is nothing to let go of."""
