"""Where events go: the port that every sink of the relay implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from liftgate.codecs.events import Event


class Stored(NamedTuple):
    """An event as the feed gave it. position: the journal's."""

    position: int
    event: Event


class SinkUnavailable(Exception):
    """It cannot be had now: the same batch is offered again, later."""


class SinkMisfit(Exception):
    """Waiting will not help: unknown keyspace, older schema, fewer partitions. The text is for people.

    The pipeline stays degraded with that text and looks again once a minute, as somebody may mend it; nothing
    is lost meanwhile, since the cursor stays where it is.
    """


class SinkRejected(Exception):
    """It refuses some events for good; the rest of the batch is stored.

    refused: position -> why, for people. The relay puts them aside as dead letters and counts the whole batch
    as given: the next one begins behind it. safe: as write() returns it, the position up to which all that
    was not refused is safe for good; None: all of the batch is.
    """

    def __init__(self, refused: dict[int, str], safe: int | None = None) -> None:
        super().__init__(f"{len(refused)} events refused: {next(iter(refused.values()), '')}")
        self.refused = refused
        self.safe = safe


class Sink(Protocol):
    """One destination. The relay calls from one task, and never two methods at once, but prepare()."""

    name: str
    """Whose cursor it is with the engine, and how dead letters and `liftgate status` call it."""

    async def open(self) -> int | None:
        """Connect, and return the position up to which it has everything for good.

        None: it keeps none itself, the engine's cursor is all there is. Called again after aclose(). Raises
        SinkUnavailable, SinkMisfit.
        """

    async def write(self, batch: Sequence[Stored]) -> int:
        """Store the batch, in order and never twice; return the position up to which all is safe for good.

        batch: positions without a gap, from behind the last batch's end on, but where a person had the sink
        go past what the journal has no more (`relay/gaps.py`). What it returns may lie before
        the batch's end, where a sink's own checkpoint comes more rarely than a batch; when the feed is
        quiet, and before the relay stops, such a sink (and no other) is given an empty batch: make safe what
        was taken. Raises SinkUnavailable (part may be stored: the very same batch comes again), SinkRejected,
        SinkMisfit.
        """

    def prepare(self, batch: Sequence[Stored]) -> None:
        """Called while write() has the batch before this one: begin what can be done for it meanwhile.

        Returns at once and raises nothing. A hint: the same object comes to write() as the next batch, or
        never, as when the one before it fails; nothing of it may be stored until it comes.
        """

    async def resend(self, letter: Stored) -> None:
        """Store one event that was refused once; later ones of its lot may be stored already.

        Returns when it is safe for good. Raises as write() does.
        """

    async def aclose(self) -> None:
        """Let go of connections; what was not said to be safe may come again."""
