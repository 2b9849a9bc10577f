"""Who may sign on as a reader, with which keys, and in which lot: the one way to a reader's keys.

Keys stand here in memory and nowhere else in the clear, but for the file's own.
"""

from collections.abc import Iterable, Iterator

from liftgate.configs.schema import ReaderConfig

KEYS_TRIED = 2
"""Keys that every sign-on is held against: as many as a reader has while its key is rotated. Fewer are filled
up with one that is nobody's, so how long a refusal takes tells neither whether an id is known nor what is
being done about it."""


class Directory:
    """The readers of one engine. nobody: a key that no reader has."""

    def __init__(self, readers: Iterable[ReaderConfig], nobody: bytes) -> None:
        self.nobody = nobody
        self._lots: dict[str, str] = {}
        self._keys: dict[str, tuple[bytes, ...]] = {}
        for reader in readers:
            self.put(reader.id, reader.lot, (bytes(reader.key),))

    def put(self, id: str, lot: str, keys: tuple[bytes, ...]) -> None:
        """The reader belongs to `lot`, and any of these keys is its own; the newest last."""
        self._lots[id] = lot
        self._keys[id] = keys

    def drop(self, id: str) -> None:
        """Nobody may sign on by that id."""
        self._lots.pop(id, None)
        self._keys.pop(id, None)

    def keys(self, id: str) -> tuple[bytes, ...]:
        """The keys that are good for the id now, the newest last; none for one that is not known."""
        return self._keys.get(id, ())

    def tried(self, id: str) -> tuple[bytes, ...]:
        """KEYS_TRIED keys to hold a proof against, the reader's own first: see there."""
        return tried(self.keys(id), self.nobody)

    def lot(self, id: str) -> str:
        """The lot of a known reader. Raises KeyError."""
        return self._lots[id]

    def items(self) -> Iterator[tuple[str, str]]:
        """(id, lot) of every reader that may sign on."""
        return iter(list(self._lots.items()))


def tried(keys: tuple[bytes, ...], nobody: bytes) -> tuple[bytes, ...]:
    """`keys`, filled up to KEYS_TRIED."""
    return (*keys, nobody, nobody)[:KEYS_TRIED]
