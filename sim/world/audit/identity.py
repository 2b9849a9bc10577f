"""Identity: plates that are only witnesses, credentials that were lost, stays that are presumed gone.

As docs/rules/identity.md has it.
"""

from collections.abc import Iterable
from typing import Any

from liftgate.sim.world.audit import plates
from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.passback import is_ruled
from liftgate.sim.world.audit.records import Event, tell

WITNESS, DENIED, LOOK = 102, 201, 500
PRESUMED_GONE = "presumed gone"


class Identity(Chapter):
    """A witness opens nothing; a plate that is not its stay's refuses or is told; nobody leaves
    on a ticket that was lost; nobody is presumed gone early. closed: per lot, stays since a finding of them.
    """

    def __init__(self, audit: Any) -> None:
        super().__init__(audit)
        self.closed: dict[str, int] = {}

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        if is_witness(look, lot):
            yield WITNESS
        lost = look.credential in lot.unseen.lost and look.credential in lot.denied
        if look.way == r.OUT and lost and is_ruled(lot):
            yield DENIED
        if mismatches(look, lot) and lot.rules["identity"].get("mismatch") == "refuse":
            yield LOOK

    def passed_over(self, look: Look, lot: Lot) -> Iterable[int]:
        if mismatches(look, lot) and lot.rules["identity"].get("mismatch") != "refuse":
            yield LOOK

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.SCAN:
            self._judge_scan(event, lot)
        elif event["type"] == r.CLOSED:
            self._judge_closed(event, lot)
        elif event["type"] == r.FINDING and event["kind"] == PRESUMED_GONE:
            count = self.closed.pop(lot.id, 0)
            if event["about"] != {"stays": count}:
                self.find("wrongly closed", tell(event), f"a finding about {count} stays")

    def _judge_scan(self, event: Event, lot: Lot) -> None:
        look, marks = lot.look(event), r.marks(event)
        if is_witness(look, lot):
            said = [event[name] for name in ("verdict", "reason", "effect")] + [marks.get("witness")]
            if said != [r.REFUSE, WITNESS, r.NOTHING, plates.normal(event["token"])]:
                self.find("witness", tell(event), "noted, and nothing else")
        elif event["verdict"] == r.OPEN:
            expected = waiting_plate(look, lot), mismatches(look, lot)
            if (marks.get("plate"), "plate_mismatch" in marks) != expected:
                self.find("wrong plate", f"{tell(event)}, {marks}", f"(plate, mismatch) {expected}")

    def _judge_closed(self, event: Event, lot: Lot) -> None:
        """The stay is told as it was. Whom a rule closes was in for long, and stands before no barrier."""
        stay = lot.stay(event["credential"])
        if stay is None:
            self.find("wrongly closed", tell(event), "an open stay")
            return
        expected = {**lot.told(stay), "credential": stay.credential}
        if any(event[name] != value for name, value in expected.items()):
            self.find("wrongly closed", tell(event), f"{expected}")
        if event["actor"]:
            return
        self.closed[lot.id] = self.closed.get(lot.id, 0) + 1
        after_ms = lot.rules.get("identity", {}).get("close_after_s", 0) * 1000
        age_ms = event["at_ms"] - stay.entered_at_ms
        if not after_ms or age_ms < after_ms or stay.waits or event["cause"] != PRESUMED_GONE:
            self.find("wrongly closed", tell(event), f"{after_ms} ms old and not moving, not {age_ms}")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        if self.closed:
            self.find("closed untold", f"{self.closed}", "a finding that says how many")


def is_witness(look: Look, lot: Lot) -> bool:
    return look.kind == plates.PLATE and plates.is_witnessed(lot.rules, look.lane.key)


def waiting_plate(look: Look, lot: Lot) -> str | None:
    """The plate that this credential comes with. Nothing is looked for where no lane has a witness."""
    return plates.seen_at(lot.rules, lot.unseen.plates.get(look.lane.key), look.at_ms)


def mismatches(look: Look, lot: Lot) -> bool:
    """Whether an exit's plate is known, the stay's too, and they are not one plate."""
    if look.way != r.OUT or look.stay is None or look.lane.key not in lot.unseen.plates:
        return False
    came, seen = look.stay.known_plate(), waiting_plate(look, lot)
    most = lot.rules.get("identity", {}).get("edits_max", 1.0)
    return came is not None and seen is not None and plates.apart(came, seen) > most
