"""Who may sign on as a reader, with which keys, and in which lot: the one way to a reader's keys.

Readers stand in the configuration file or in a lot's registry (`engine/core/parts/registry.py`), where keys
are wrapped. Unwrapped they are here, in memory, and nowhere else.
"""

from collections.abc import Iterable, Iterator

import structlog

from liftgate.codecs.keywrap import WrongKey, unwrap
from liftgate.configs.schema import Config
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.registry import RegistryPart, registry_of

log = structlog.get_logger()

KEYS_TRIED = 2
"""Keys that every sign-on is held against: as many as a reader has while its key is rotated. Fewer are filled
up with one that is nobody's, so how long a refusal takes tells neither whether an id is known nor what is
being done about it."""


NAMED_MAX = 50
"""Readers that one line of the log names; `liftgate reader list` has all of them."""


NO_KEY = "no [engine] registry_key is configured"
OTHER_KEY = "its key was wrapped under another [engine] registry_key"


class Directory:
    """The readers of one engine.

    nobody: a key that no reader has; filed: ids that the file names; registry_key: unwraps the others' keys,
    None where none is configured; locked: registered readers by id, that cannot sign on as their keys cannot
    be unwrapped, with the reason for people.
    """

    def __init__(self, config: Config, lots: Iterable[Lot], nobody: bytes) -> None:
        self.nobody = nobody
        self.filed = frozenset(reader.id for reader in config.readers)
        self.registry_key = config.engine.registry_key
        self.locked: dict[str, str] = {}
        self._awaited: dict[str, bytes] = {}
        self._lots: dict[str, str] = {}
        self._keys: dict[str, tuple[bytes, ...]] = {}
        for reader in config.readers:
            self.put(reader.id, reader.lot, (bytes(reader.key),))
        self._open_registries(config, lots)

    def _open_registries(self, config: Config, lots: Iterable[Lot]) -> None:
        """Take over the readers of every registry, and say at once which of them cannot sign on and why.

        An engine whose registry_key is wrong starts all the same: readers of the file do not need it, and a
        closed car park is worse than a few dead lanes that the log, `status` and `reader list` name.
        """
        listed = {lot.id for lot in config.lots}
        for lot in lots:
            registry = registry_of(lot)
            if registry is None:
                continue
            if lot.id in listed:
                registry.changed.update(dict.fromkeys(registry.readers))
                self.follow(lot)
            elif active := [each.reader for each in registry.active()]:
                log.warning("registry.lot_gone", lot=lot.id, readers=_some(active), count=len(active))
        if self.locked:
            locked, why = list(self.locked), sorted(set(self.locked.values()))
            log.error("registry.readers_locked_out", readers=_some(locked), count=len(locked), why=why)

    def follow(self, lot: Lot) -> list[str]:
        """Take over what changed in the lot's registry; the readers concerned."""
        registry = registry_of(lot)
        if registry is None or not registry.changed:
            return []
        changed = list(registry.changed)
        registry.changed.clear()
        for id in changed:
            self._take(lot, registry, id)
        return changed

    def _take(self, lot: Lot, registry: RegistryPart, id: str) -> None:
        found = registry.readers[id]
        self.locked.pop(id, None)
        self._awaited.pop(id, None)
        if found.keys:
            keys = [self._unwrapped(wrapped) for wrapped in found.keys]
            if found.in_rotation() and keys[-1] is not None:
                self._awaited[id] = keys[-1]
            self.put(id, lot.id, tuple(key for key in keys if key is not None))
            if not self.keys(id):
                self.locked[id] = NO_KEY if self.registry_key is None else OTHER_KEY
        elif id not in self.filed:  # a revoked one may be the file's by now
            self.drop(id)

    def _unwrapped(self, wrapped: bytes) -> bytes | None:
        """The key, None where it was wrapped under another one."""
        if self.registry_key is None:
            return None
        try:
            return unwrap(self.registry_key, wrapped)
        except WrongKey:
            return None

    def takes(self, wrapped: object) -> bool:
        """Whether a key out of an order can be unwrapped here."""
        return isinstance(wrapped, bytes) and self._unwrapped(wrapped) is not None

    def is_awaited(self, id: str, key: bytes) -> bool:
        """Whether that key is the newer of two, whose first use ends the older one."""
        return self._awaited.get(id) == key

    def awaited(self) -> list[str]:
        """The readers whose newer key waits for its first use."""
        return list(self._awaited)

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


def _some(ids: list[str]) -> str:
    """Names for a log line, not thousands of them."""
    return ", ".join(ids[:NAMED_MAX]) + (", …" if len(ids) > NAMED_MAX else "")


def tried(keys: tuple[bytes, ...], nobody: bytes) -> tuple[bytes, ...]:
    """`keys`, filled up to KEYS_TRIED."""
    return (*keys, nobody, nobody)[:KEYS_TRIED]
