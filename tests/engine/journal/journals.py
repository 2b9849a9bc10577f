"""What the journal's tests share: opening a journal, filling it, and seeing what a recovery gives back."""

from random import Random

from liftgate.engine.journal.journal import Journal
from liftgate.engine.journal.recovery import Recovery
from liftgate.engine.journal.segments import segment_names
from liftgate.engine.journal.storage import Storage

SMALL = 8192

Entry = tuple[int, int, int, bytes]
"""First position, at_ms, count, payload of one record."""


def opened(
    storage: Storage, after: int = 0, segment_bytes: int = SMALL
) -> tuple[Journal, list[Entry], Recovery]:
    """Return a recovered journal, the records that it replayed, and what recovery said."""
    entries: list[Entry] = []
    journal = Journal(storage, segment_bytes=segment_bytes)
    recovery = journal.recover(
        lambda first, at_ms, count, payload: entries.append((first, at_ms, count, bytes(payload))), after
    )
    return journal, entries, recovery


def replayed(storage: Storage, after: int = 0) -> list[Entry]:
    """Return what a recovery replays, and leave the folder unlocked."""
    journal, entries, _ = opened(storage, after)
    journal.close()
    return entries


def put(journal: Journal, payload: bytes = b"event", count: int = 1, at_ms: int = 1) -> Entry:
    """Append and commit one record; return it."""
    first = journal.append(payload, count, at_ms)
    journal.commit()
    return (first, at_ms, count, payload)


def fill(journal: Journal, segments: int, seed: int = 0) -> list[Entry]:
    """Commit random records until the journal has so many segments; return them."""
    rng = Random(seed)
    entries = []
    while len(journal.catalogue.all()) < segments:
        entries.append(
            put(journal, rng.randbytes(rng.randrange(1, 900)), rng.randrange(1, 5), rng.randrange(1 << 41))
        )
    return entries


def segment_files(storage: Storage) -> list[str]:
    """Return the names of the segments, in order."""
    return segment_names(storage.names())
