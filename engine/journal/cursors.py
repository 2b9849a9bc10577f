"""How far each subscriber has come: what it may still need, and where it goes on after a restart."""

import zlib

import msgspec

from liftgate.engine.journal.storage import FileMissing, Storage

FILE_NAME = "cursors"

CURSORS_MAX = 1000
"""Each can hold segments back, and all are written at every save; an operator has a handful."""


class CursorsDamaged(Exception):
    """The file of cursors cannot be read; without it, segments could go that a subscriber still needs."""


class Cursors:
    """Name → position, set in memory, stored by `save`.

    A position stored is never ahead of one set, so a subscriber may get events again after a crash, and
    misses none.
    """

    __slots__ = ("_positions", "_saved", "_storage")

    def __init__(self, storage: Storage) -> None:
        """Read the stored cursors; raises CursorsDamaged."""
        self._storage = storage
        self._saved = read_cursors(storage)
        self._positions = dict(self._saved)

    def set(self, name: str, position: int) -> None:
        """Note that everything up to `position` is safe for `name`.

        A cursor may move back: a sink can be refilled. Raises ValueError with one more than CURSORS_MAX.
        """
        if name not in self._positions and len(self._positions) >= CURSORS_MAX:
            raise ValueError(f"there are {CURSORS_MAX} cursors already: forget one")
        self._positions[name] = position

    def get(self, name: str) -> int | None:
        """Return the position of `name`, None if it has no cursor."""
        return self._positions.get(name)

    def forget(self, name: str) -> None:
        """Drop the cursor, so that it holds no segment any more; one that isn't there is no error."""
        self._positions.pop(name, None)

    def all(self) -> dict[str, int]:
        """Return a copy of the cursors."""
        return dict(self._positions)

    def lowest(self) -> int | None:
        """Return the position that all are past, in memory and as stored; None without cursors."""
        return min((*self._positions.copy().values(), *self._saved.values()), default=None)

    def highest(self) -> int:
        """Return the highest position of a cursor, 0 without cursors."""
        return max(self._positions.values(), default=0)

    def save(self) -> None:
        """Store the cursors if they changed; raises StorageError with the stored ones as they were."""
        positions = dict(self._positions)
        if positions != self._saved:
            self._storage.write_whole(FILE_NAME, _encode(positions))
            self._saved = positions


def read_cursors(storage: Storage) -> dict[str, int]:
    """Return the stored cursors, none if there is no file; raises CursorsDamaged."""
    try:
        data = storage.read_whole(FILE_NAME)
    except FileMissing:
        return {}
    crc, _, text = data.partition(b"\n")
    if crc != b"%08x" % zlib.crc32(text):
        raise CursorsDamaged(f"the file {FILE_NAME!r} is damaged; `liftgate journal repair` sets it aside")
    return msgspec.json.decode(text, type=dict[str, int])


def _encode(positions: dict[str, int]) -> bytes:
    """One line of CRC-32 in hex, then JSON that an operator can read."""
    text = msgspec.json.format(msgspec.json.encode(positions, order="sorted"), indent=1) + b"\n"
    return b"%08x\n" % zlib.crc32(text) + text
