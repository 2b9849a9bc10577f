"""The ledger: occupancy is what went in less what went out and what was corrected, and nothing else."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor


class Ledger(Chapter):
    """Per area: stays in it, and cars that no stay names. Corrections begin at that sum. No live admission
    takes what is available below zero; history, corrections and a changed configuration may.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.before = 0

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.CORRECTED:
            counted = lot.stays.occupancy(event["area"])
            if event["before"] != counted:
                self.find("ledger", tell(event), f"before {counted}, the sum of what is on record")
            if event["after"] < 0:
                self.find("ledger", tell(event), "no correction to less than nothing")

        elif _admits(event):
            self.before = lot.stays.available(event["area"])

    def folded(self, event: Event, lot: Lot) -> None:
        """Who was promised a place may scan again in an area that history made overfull meanwhile. A car that
        was counted out without a name, and is seen to be another's, counts again beside who comes in.
        """
        if not _admits(event):
            return
        back = r.marks(event).get("unnamed", ("", 0))[1]
        if lot.stays.available(event["area"]) < min(self.before, 0) - back:
            self.find("overfull", tell(event), f"available of area {event['area']} not below zero by this")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for id, body in occupancy.items():
            counted = counts(self.audit.lots[id])
            if {name: body.get(name) for name in counted} != counted:
                self.find("ledger", f"lot {id} says {body}", f"{counted}, the sum of what is on record")


def _admits(event: Event) -> bool:
    """Whether a barrier was opened for somebody's way in, live."""
    return bool(event["type"] == r.SCAN and event["verdict"] == r.OPEN and event["way"] == r.IN)


def counts(lot: Lot) -> dict[str, Any]:
    """What QUERY occupancy should say of a lot: the whole, and each area's own."""
    areas = {area: _area_counts(lot, area) for area in lot.layout.parents}
    return {name: sum(each[name] for each in areas.values()) for name in _NAMES} | {"areas": areas}


_NAMES = ("capacity", "occupancy", "held", "available")


def _area_counts(lot: Lot, area: str) -> dict[str, int]:
    stays = lot.stays
    values = lot.layout.capacity(area), stays.occupancy(area), stays.held(area), stays.available(area)
    return dict(zip(_NAMES, values, strict=True))
