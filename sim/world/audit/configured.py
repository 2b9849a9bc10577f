"""Configured: what is on record as a lot's configuration is what the operator's file says."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.disk import Kept
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor


class Configured(Chapter):
    """A start records what differs before it serves anybody, so with every commit that is told here file and
    records are alike. judged: the configuration that they were last compared with.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.judged: Any = None

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] in (r.LOT_CONFIGURED, r.READER_CONFIGURED):
            self.judged = None

    def durable(self, kept: Kept) -> None:
        if self.judged is not self.audit.config:
            self.judged = self.audit.config
            for wanted in self.judged.lots:
                if wanted.id in self.audit.lots:  # else nothing is durable, as the first answer will show
                    self._judge_lot(wanted, self.audit.lots[wanted.id])

    def _judge_lot(self, wanted: Any, lot: Lot) -> None:
        layout, registry = lot.layout, lot.registry
        if layout.spec != _spec(wanted):
            self._differs(f"lot {wanted.id}", layout.spec, _spec(wanted))
        readers = {reader.id: reader for reader in self.judged.readers if reader.lot == wanted.id}
        for id in [*readers, *(id for id in layout.reader_specs if id not in readers)]:
            lanes = [_lane(lane) for lane in readers[id].lanes] if id in readers else registry.lanes(id) or []
            if layout.reader_specs.get(id, []) != lanes:
                self._differs(f"reader {id} in lot {wanted.id}", layout.reader_specs.get(id), lanes)

    def _differs(self, whose: str, recorded: Any, wanted: Any) -> None:
        self.find("configured otherwise", f"{whose} is recorded as {recorded}", f"{wanted}")


def _spec(lot: Any) -> dict[str, Any]:
    """What a lot's record should say, from the file's tables."""
    names = ("name", "timezone", "currency", "assign")
    return {name: getattr(lot, name) for name in names} | {
        "confirm_ms": 1000 * lot.confirm_s,
        "areas": [{"id": a.id, "parent": a.parent, "spots": [_spots(s) for s in a.spots]} for a in lot.areas],
        "gates": [{"id": gate.id, "nearest": list(gate.nearest)} for gate in lot.gates],
        **({"rules": r.plain(lot.rules)} if lot.rules else {}),
    }


def _spots(spots: Any) -> dict[str, Any]:
    return {"level": spots.level, "prefix": spots.prefix, "class": spots.spot_class, "count": spots.count}


def _lane(lane: Any) -> list[Any]:
    """Codes are taken where they are registered; a lane that takes no tags says so after all else."""
    codes = "known" if "qr" in lane.kinds else "off"
    cards = lane.cards if "card" in lane.kinds else "off"
    plates = "open" if "plate" in lane.kinds else "off"
    tags = [] if "sun" in lane.kinds else ["off"]
    return [lane.number, lane.direction, lane.area, lane.gate, lane.confirm, codes, cards, plates, *tags]
