"""Barriers: each time one goes up there is a reason for it, and history is none."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Name
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.layout import HELD_OPEN
from liftgate.sim.world.audit.records import Event

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor


_MODES = (r.MODE_SET, r.MODE_SET_AT, r.MODE_ENDED, r.LOT_CONFIGURED, r.READER_CONFIGURED)
"""After these a lane may be one that is held open."""


class Barriers(Chapter):
    """Once for each scan that was decided open live, once for each that a reader opened for alone, once for
    each vend on record, and where the lane was set to be held open.

    due: how often a barrier may still go up, by (reader, lane, why, no).
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.due: Counter[tuple[str, int, str, int]] = Counter()
        self.answered: set[Name] = set()

    def event_made(self, name: Name, type: int, fields: list[Any], alone: bool, verdict: int) -> None:
        if alone and type == r.SCAN and verdict == r.OPEN:
            self.due[name[0], fields[1], "alone", name[2]] += 1

    def decision(self, name: Name, fields: list[Any]) -> None:
        made = self.audit.made.get(name)
        if fields[0] == r.OPEN and made is not None and not made.alone and name not in self.answered:
            self.due[name[0], made.lane, "decision", name[2]] += 1
            self.answered.add(name)

    def folded(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.VENDED:
            self.due[event["reader"], event["lane"], "vend", 0] += 1
        elif event["type"] in _MODES:
            for lane in lot.layout.lanes.values():
                if lot.mode(lane) == HELD_OPEN:
                    self.due[*lane.key, "mode", 0] = 1

    def barrier(self, reader: str, lane: int, why: str, no: int) -> None:
        key = (reader, lane, why, no)
        if self.due[key] <= 0:
            text = f"the barrier at lane {lane} of {reader} went up: {why} {no or ''}"
            self.find("barrier", text, "an open decision, a vend or a lane held open, each once")
        elif why != "mode":
            self.due[key] -= 1
