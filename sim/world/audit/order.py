"""Order: positions and each lot's seq count without a gap, and the engine's time never goes back."""

from typing import TYPE_CHECKING

from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, Record, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor


class Order(Chapter):
    """Records one after another, each in a group that began at it or before."""

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.next = 1
        self.group = 0
        self.now_ms = 0

    def record(self, record: Record) -> None:
        if record.first != self.next:
            self.find("position", f"a record begins with {record.first}", f"it begins with {self.next}")
        if not self.group <= record.group <= record.first:
            text = f"record {record.first} is of group {record.group}, after one of group {self.group}"
            self.find("group", text, "groups in order, each beginning with its first record")
        if record.now_ms < self.now_ms:
            text = f"record {record.first} of {record.now_ms} after one of {self.now_ms}"
            self.find("time", text, "the engine's time never goes back")
        self.next, self.group, self.now_ms = record.last + 1, record.group, record.now_ms

    def judge(self, event: Event, lot: Lot) -> None:
        if event["seq"] != lot.seq + 1:
            self.find("seq", tell(event), f"seq {lot.seq + 1} of lot {lot.id}")
