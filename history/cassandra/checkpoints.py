"""How far a feed is, and its folds' states, which may be larger than what Cassandra takes in one piece."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Sequence

from liftgate.history.cassandra.node import Row
from liftgate.history.cassandra.tables import Write
from liftgate.history.cassandra.writer import Writer
from liftgate.history.port import Checkpoint, Progress, StoreUnavailable

CHUNK_BYTES = 512 * 1024
"""A mutation above 16 MiB is refused (8 MiB with small commit log segments), and one of some MiB already
stands in the way of others."""
READS_MAX = 3
"""A checkpoint may be replaced between its head and its chunks, which is rare: it takes the relay seconds."""

Read = Callable[..., Awaitable[list[Row]]]


class Checkpoints:
    """Reads by `_rows` of the store, writes by its writer.

    Written are the chunks, then the heads that name them by seq, then the position; read are the position,
    the heads, then the chunks. So what is read is never older than the position, wherever a write stopped.
    """

    def __init__(self, read: Read) -> None:
        self._read = read

    async def write(self, progress: Progress, writer: Writer) -> None:
        """Raises StoreUnavailable. A checkpoint that is not newer than what is there is left out."""
        feed = progress.feed
        heads = await self._heads(feed)
        folds = [fold for fold in progress.folds if fold.lot not in heads or fold.seq > heads[fold.lot][0]]
        for fold in folds:  # one by one: the states of all lots together may be large
            await _put(writer, chunks_of(feed, fold))
        await _put(writer, [_head(feed, fold) for fold in folds])
        at = progress.position
        await _put(writer, [Write("progress", ("progress", feed), (feed, at, at), 0, (feed, at))])
        # Chunks of older ones, also of those whose head was never written; timed below our own.
        await _put(writer, [_forget(feed, fold) for fold in folds])

    async def read(self, feed: str) -> Progress | None:
        """Raises StoreUnavailable, also where a state is not whole: to begin without it would lose cars."""
        found = await self._read("progress", feed)
        if not found or found[0][0] is None:
            return None
        folds = []
        for lot in await self._heads(feed):
            folds.append(await self._fold(feed, lot))
        return Progress(feed, found[0][0], folds)

    async def _heads(self, feed: str) -> dict[str, tuple[int, int, int]]:
        """By lot: seq, number of chunks, CRC of the state."""
        return {lot: (seq, chunks, crc) for lot, seq, chunks, crc in await self._read("checkpoints", feed)}

    async def _fold(self, feed: str, lot: str) -> Checkpoint:
        for _ in range(READS_MAX):
            seq, chunks, crc = (await self._heads(feed))[lot]
            found = await self._read("chunks", feed, lot, seq)
            state = b"".join(data for (data,) in found)
            if len(found) == chunks and zlib.crc32(state) == crc:
                return Checkpoint(lot, seq, state)
        raise StoreUnavailable(f"Cassandra: the checkpoint of lot {lot} at seq {seq} is not whole")


async def _put(writer: Writer, writes: Sequence[Write]) -> None:
    if refused := await writer.write(writes):
        raise StoreUnavailable(f"Cassandra refuses the progress: {next(iter(refused.values()))}")


def chunks_of(feed: str, fold: Checkpoint) -> list[Write]:
    """At least one, so that an empty state is one that is there."""
    pieces = [fold.state[at : at + CHUNK_BYTES] for at in range(0, len(fold.state), CHUNK_BYTES)] or [b""]
    partition, origin = ("chunks", feed, fold.lot), (fold.lot, fold.seq)
    return [
        Write("chunks", partition, (feed, fold.lot, fold.seq, number, piece, fold.seq), len(piece), origin)
        for number, piece in enumerate(pieces)
    ]


def _head(feed: str, fold: Checkpoint) -> Write:
    chunks = max(1, -(-len(fold.state) // CHUNK_BYTES))
    values = (feed, fold.lot, fold.seq, chunks, zlib.crc32(fold.state), fold.seq)
    return Write("checkpoints", ("checkpoints", feed), values, 0, (fold.lot, fold.seq))


def _forget(feed: str, fold: Checkpoint) -> Write:
    values = (fold.seq - 1, feed, fold.lot, fold.seq)
    return Write("chunks older", ("chunks", feed, fold.lot), values, 0, (fold.lot, fold.seq))
