"""The device registry: readers that came by an order. Their lanes are configured like those of the file, and
their keys are kept wrapped, which is all that the core knows of them.
"""

from typing import Any, ClassVar, cast

import msgspec

from liftgate.codecs.events import registry as ev
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts import registry_orders as orders
from liftgate.engine.core.parts.base import NEVER, Applier, Part
from liftgate.engine.core.parts.registry_entry import Registered

UNUSED = "reader_key_unused"


class RegistryPart(Part):
    """readers: by id, revoked ones too, since their ids are taken for ever and people ask who they were;
    changed: those whose keys changed since the gateway looked (no part of the state).
    """

    THEME = "registry"
    ORDERS: ClassVar[Any] = orders.ORDERS

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.on = False
        self.readers: dict[str, Registered] = {}
        self.changed: dict[str, None] = {}

    def active(self) -> list[Registered]:
        """Those that may sign on."""
        return [each for each in self.readers.values() if each.keys]

    def is_active(self, reader: str) -> bool:
        """Whether a reader of that id is registered and not revoked."""
        found = self.readers.get(reader)
        return found is not None and bool(found.keys)

    # -- what time and readers bring

    def due(self, now_ms: int) -> list[OperatorEvent]:
        """An old key dies in its time, and somebody should know that its reader never took the new one."""
        found: list[OperatorEvent] = []
        for each in self.readers.values():
            if each.in_rotation() and each.until_ms <= now_ms:
                text = f"reader {each.reader} did not use its new key in time, and its old one is dead"
                about = {"reader": each.reader, "rotated_ms": each.rotated_ms}
                found += [
                    ev.ReaderKeyRetired(self.lot.id, 0, now_ms, each.reader, "time"),
                    FindingMade(self.lot.id, 0, now_ms, UNUSED, text, about),
                ]
        return found

    def key_used(self, reader: str, now_ms: int) -> tuple[OperatorEvent, ...]:
        """A reader signed on with its newest key: the one before is not needed any more."""
        found = self.readers.get(reader)
        if found is None or not found.in_rotation():
            return ()
        return (ev.ReaderKeyRetired(self.lot.id, self.lot.seq + 1, now_ms, reader, "used"),)

    def _wait(self) -> None:
        ends = (each.until_ms for each in self.readers.values() if each.in_rotation())
        self.next_ms = min(ends, default=NEVER)

    # -- what happened

    def registered(self, event: ev.ReaderRegistered) -> None:
        before = self.readers.pop(event.reader, None)
        found = self.readers[event.reader] = Registered(
            reader=event.reader,
            keys=(event.key,),
            lanes=event.lanes,
            added_ms=event.at_ms,
            added_by=event.actor,
            reason=event.reason,
        )
        if before is not None:
            found.revoked_ms, found.revoked_by = before.revoked_ms, before.revoked_by
        self._changed(event.reader)

    def relaned(self, event: ev.ReaderChanged) -> None:
        self.readers[event.reader].lanes = event.lanes

    def rotated(self, event: ev.ReaderKeyRotated) -> None:
        found = self.readers[event.reader]
        found.keys = (found.keys[0], event.key)
        found.until_ms, found.rotated_ms, found.rotated_by = event.until_ms, event.at_ms, event.actor
        self._changed(event.reader)

    def retired(self, event: ev.ReaderKeyRetired) -> None:
        found = self.readers[event.reader]
        found.keys, found.until_ms = found.keys[-1:], 0
        self._changed(event.reader)

    def revoked(self, event: ev.ReaderRevoked) -> None:
        found = self.readers[event.reader]
        found.keys, found.until_ms = (), 0
        found.revoked_ms, found.revoked_by, found.reason = event.at_ms, event.actor, event.reason
        self._changed(event.reader)

    def _changed(self, reader: str) -> None:
        self.changed[reader] = None
        self._wait()

    # -- snapshots

    def dump(self) -> Any:
        return [msgspec.structs.astuple(each) for each in self.readers.values()] or None

    def load(self, data: Any) -> None:
        for fields in data:
            found = msgspec.convert(dict(zip(Registered.__struct_fields__, fields, strict=False)), Registered)
            self.readers[found.reader] = found
            self.changed[found.reader] = None
        self._wait()


def registry_of(lot: Lot) -> RegistryPart | None:
    """The lot's registry; None while the lot was never configured."""
    return cast(RegistryPart | None, lot.parts.get(RegistryPart.THEME))


_FOLDS: dict[type, Any] = {
    ev.ReaderRegistered: RegistryPart.registered,
    ev.ReaderChanged: RegistryPart.relaned,
    ev.ReaderKeyRotated: RegistryPart.rotated,
    ev.ReaderKeyRetired: RegistryPart.retired,
    ev.ReaderRevoked: RegistryPart.revoked,
}


def _applier(fold: Any) -> Applier:
    return lambda lot, event, position: fold(lot.parts[RegistryPart.THEME], event)


RegistryPart.APPLIERS = {kind: _applier(fold) for kind, fold in _FOLDS.items()}
