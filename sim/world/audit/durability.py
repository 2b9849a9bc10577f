"""Durability: what was durable once stays, byte for byte, until nobody needs it any more."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.disk import Kept, Segment, read_cursors
from liftgate.sim.world.audit.records import Bad

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

SNAPSHOTS = 2
"""How many snapshots stand behind a retired segment: the newest might turn out damaged."""


class Durability(Chapter):
    """Segments as they were, but for those that two snapshots cover and every subscriber is past; stored
    cursors that are never beyond what their subscribers called safe.

    safe_to: per cursor the furthest that its subscriber called safe, or began at.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.safe_to: dict[str, int] = {}
        self.cursors: bytes | bytearray | None = None

    def subscribed(self, subscriber: str, after: int, stored: bool) -> None:
        self.safe_to[subscriber] = max(self.safe_to.get(subscriber, 0), 0 if stored else after)

    def safe(self, subscriber: str, position: int) -> None:
        self.safe_to[subscriber] = max(self.safe_to.get(subscriber, 0), position)

    def durable(self, kept: Kept) -> None:
        for segment in kept.gone():
            self._judge_gone(segment, kept)
        data = kept.stable.kept("cursors")
        if data is not None and data != self.cursors:
            self.cursors = bytes(data)
            self._judge_cursors(self.cursors)

    def recovered(self, kept: Kept) -> None:
        self.durable(kept)
        changed = kept.changed()
        if changed is not None:
            text = f"the segment that begins with {changed.first} is not as it was"
            self.find("record changed", text, f"events {changed.first} to {changed.last} byte for byte")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        self.recovered(self.audit.kept)

    def _judge_cursors(self, data: bytes) -> None:
        try:
            cursors = read_cursors(data)
        except Bad as bad:
            self.find("cursors", str(bad), "a file that can be read")
            return
        for name, position in cursors.items():
            if position > self.safe_to.get(name, 0):
                expected = f"at most {self.safe_to.get(name, 0)}, which it called safe"
                self.find("cursor ahead", f"the stored cursor of {name} is {position}", expected)

    def _judge_gone(self, segment: Segment, kept: Kept) -> None:
        behind = {name: to for name, to in self.safe_to.items() if to < segment.last}
        needed = [f"subscriber {name} from {to + 1} on" for name, to in behind.items()]
        covered = kept.snapshots()[-SNAPSHOTS:]
        if len(covered) < SNAPSHOTS or covered[0] < segment.last:
            needed.append(f"recovery, as the snapshots are at {covered}")
        if needed:
            text = f"the segment with {segment.first} to {segment.last} is gone"
            self.find("record lost", text, f"it is kept for {' and '.join(needed)}")
