"""The device registry: nothing is decided for a revoked reader, and nobody is connected by a dead key."""

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

LATE_MS = 5_000
"""How much later than its time an old key may die in an engine that can write: it looks every 250 ms."""


class Registry(Chapter):
    """writable_ms: since when the engine could write all that it wanted to; used_ms: by reader, since when it
    is seen connected by the newer of its two keys; clear: keys by their wrapped bytes, as it is asked after
    every commit.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.writable_ms = 0
        self.used_ms: dict[str, int] = {}
        self.clear: dict[bytes, bytes] = {}

    def judge(self, event: Event, lot: Lot) -> None:
        found = lot.registry.readers.get(event.get("reader", ""))
        if event["type"] in r.READER_EVENTS and found is not None and not found.keys:
            self.find("decided for a revoked reader", tell(event), "nothing of it, until it is restored")
        elif event["type"] == r.KEY_RETIRED:
            keys = 0 if found is None else len(found.keys)
            too_soon = event["cause"] == "time" and found is not None and event["at_ms"] < found.until_ms
            if keys != 2 or too_soon:
                self.find("key retired", tell(event), "the older of two keys, in its time or when it is due")

    def connected(self, links: list[tuple[str, bytes]], accepting: bool) -> None:
        """After a commit: the readers that are connected, each by which key."""
        now_ms = self.audit.now()
        if not accepting:
            self.writable_ms = now_ms
        filed = {reader.id: bytes(reader.key) for reader in self.audit.config.readers}
        entries = {
            id: found for lot in self.audit.lots.values() for id, found in lot.registry.readers.items()
        }
        by_id = dict(links)
        for id, key in links:
            good = [filed[id]] if id in filed else [self._clear(each) for each in self._keys(entries, id)]
            if key not in good:
                self.find(
                    "dead key",
                    f"{id} is connected by a key that is not good now",
                    "cut in the round that killed it",
                )
        for id, found in entries.items():
            if len(found.keys) < 2 or by_id.get(id) != self._clear(found.keys[1]):
                self.used_ms.pop(id, None)
            else:
                self.used_ms.setdefault(id, now_ms)
            if len(found.keys) == 2:
                self._judge_old(id, min(found.until_ms, self.used_ms.get(id, found.until_ms)))

    def _judge_old(self, id: str, due_ms: int) -> None:
        since_ms = max(due_ms, self.writable_ms, self.audit.up_ms)
        if self.audit.now() - since_ms > LATE_MS:
            text = f"the old key of {id} is good {self.audit.now() - since_ms} ms after it was due to die"
            self.find("old key", text, "dead as soon as the new one is used, or its time is over")

    def _keys(self, entries: dict[str, Any], id: str) -> list[bytes]:
        return entries[id].keys if id in entries else []

    def _clear(self, wrapped: bytes) -> bytes:
        clear = self.clear.get(wrapped)
        if clear is None:
            registry_key = bytes(self.audit.config.engine.registry_key)
            clear = self.clear[wrapped] = aes_key_unwrap(registry_key, wrapped)
        return clear
