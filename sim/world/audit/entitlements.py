"""Entitlements: who comes in by a pass or for a group, when, where, how often and how many at once."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.entitled import FORGOTTEN, KEPT, Group, Pass, is_valid, permits
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.layout import KNOWN_ONLY
from liftgate.sim.world.audit.records import Event, tell

UNKNOWN, NOT_VALID, USED_UP, OUTSIDE_TIMES, GROUP_FULL = 200, 202, 204, 220, 302
_NEAREST = (UNKNOWN, NOT_VALID, USED_UP, OUTSIDE_TIMES)
KEEP_S = 30 * 86_400
LATE_MS = 5_000
"""How much later than its time a pass may be forgotten in an engine at rest."""


class Asked(NamedTuple):
    """What passes and groups say of a scan: a reason to refuse, one that is told only, and the marks that an
    opened one leaves.
    """

    objection: int = 0
    told: int = 0
    marks: dict[str, Any] = {}


class Entitlements(Chapter):
    """Of several passes the first that lets in; where none does, the reason of the one that came nearest.
    Uses count the entries that took effect, groups the stays that came in for them.
    """

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        if reason := ask(look, lot).objection:
            yield reason

    def passed_over(self, look: Look, lot: Lot) -> Iterable[int]:
        if reason := ask(look, lot).told:
            yield reason

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.SCAN and event["verdict"] == r.OPEN:
            marks = {name: value for name, value in r.marks(event).items() if name in KEPT}
            expected = ask(lot.look(event), lot).marks
            if marks != expected:
                self.find("wrong marks", f"{tell(event)}, marks {marks}", f"{expected}")
        elif event["type"] == FORGOTTEN:
            due_ms = _forgotten_ms(lot.entitled.passes.get(event["name"]), lot)
            if due_ms is None or event["at_ms"] < due_ms:
                self.find("forgotten too early", tell(event), f"not before {due_ms}")

    def folded(self, event: Event, lot: Lot) -> None:
        lot.entitled.fold(event, lot)

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for lot in self.audit.lots.values():
            for name, found in lot.entitled.passes.items():
                due_ms = _forgotten_ms(found, lot)
                if due_ms is not None and due_ms + LATE_MS < self.audit.now():
                    self.find("never forgotten", f"pass {name} of {lot.id}", f"it went at {due_ms}")


def ask(look: Look, lot: Lot) -> Asked:
    """What passes and groups say of a scan. Nobody is locked in: they are asked on the way in."""
    rules, entitled = lot.rules.get("entitlements"), lot.entitled
    if rules is None or look.way != r.IN:
        return Asked()
    guarded = look.lane.area in rules.get("holders_only", ())
    passes, group = entitled.passes_of(look.credential), entitled.group_of(look.credential)
    if not passes and group is None:
        return Asked(UNKNOWN if guarded else 0)
    registered = look.credential in lot.known
    anybody = not guarded and not needs_known(look, lot)
    found, reason = best_pass(look, lot, passes)
    if reason == UNKNOWN and (group is not None or registered or anybody):
        reason = 0
    casual = rules.get("outside", "refuse") == "casual" and not guarded and (registered or anybody)
    if reason in (NOT_VALID, OUTSIDE_TIMES) and casual:
        return Asked(0, reason, {"casual": reason})
    if reason:
        return Asked(reason)
    marks = {"pass": found.spec["name"]} if found is not None and begins(look, lot) else {}
    return Asked(0, 0, marks) if group is None else _ask_group(look, lot, group, marks)


def needs_known(look: Look, lot: Lot) -> bool:
    """Whether the lane takes only credentials that are known."""
    return look.lane.taken[look.kind] != "open" or lot.mode(look.lane) == KNOWN_ONLY


def begins(look: Look, lot: Lot) -> bool:
    """Whether the car comes from the street, and does not stand before an opened barrier already."""
    return lot.outside(look.lane) is None and (look.stay is None or look.stay.area is not None)


def best_pass(look: Look, lot: Lot, passes: list[Pass]) -> tuple[Pass | None, int]:
    """The first that lets in, or the reason of the one that came nearest; (None, 0) of none."""
    reasons = []
    for found in passes:
        reason = _objection(look, lot, found)
        if not reason:
            return found, 0
        reasons.append(reason)
    return None, max(reasons, key=_NEAREST.index, default=0)


def _objection(look: Look, lot: Lot, found: Pass) -> int:
    spec, layout = found.spec, lot.layout
    good = [area for area in spec["areas"] if area in layout.parents and layout.within(area, look.lane.area)]
    if spec["areas"] and not good:
        return UNKNOWN
    if not is_valid(spec, look.at_ms):
        return NOT_VALID
    further_in = lot.outside(look.lane) is not None
    came_by_it = lot.entitled.came_by(look.stay).get("pass") == spec["name"]
    if spec["uses"] is not None and not (further_in and came_by_it):
        if lot.entitled.left(lot, found, look.credential) <= 0:
            return USED_UP
    rules, timezone = lot.rules["entitlements"], lot.layout.timezone
    if spec["weekly"] and not permits(spec["weekly"], rules, timezone, look.at_ms):
        return OUTSIDE_TIMES
    return 0


def _ask_group(look: Look, lot: Lot, name: str, marks: dict[str, Any]) -> Asked:
    """Who comes from the street is asked for the group; further in, who came in for it."""
    group, first = lot.entitled.groups[name], begins(look, lot)
    if not first and lot.entitled.came_by(look.stay).get("group") != name:
        return Asked(0, 0, marks)
    if not _is_full(look, lot, name, group, first):
        return Asked(0, 0, marks | {"group": name} if first else marks)
    if group.over == "refuse":
        return Asked(GROUP_FULL)
    return Asked(0, GROUP_FULL, marks | {"casual": GROUP_FULL})


def _is_full(look: Look, lot: Lot, name: str, group: Group, first: bool) -> bool:
    """Of the lot where the stay begins, and of each area that the entry leads into."""
    use, without = lot.entitled.use, look.credential
    if first and group.limit is not None and use(lot, name, None, without) >= group.limit:
        return True
    limits = [(area, limit) for area, limit in group.areas.items() if area in lot.layout.parents]
    into = [(area, limit) for area, limit in limits if lot.layout.within(look.lane.area, area)]
    return any(use(lot, name, area, without) >= limit for area, limit in into)


def _forgotten_ms(found: Pass | None, lot: Lot) -> int | None:
    """When a pass is to be forgotten; None: not yet known, or never."""
    rules, end_ms = lot.rules.get("entitlements"), None if found is None else found.end_ms()
    return None if rules is None or end_ms is None else end_ms + 1000 * int(rules.get("keep_s", KEEP_S))


def classes_of(look: Look, lot: Lot, came: dict[str, Any] | None = None) -> list[str]:
    """Classes of spot that a car may have, in order: its pass's, else its registration's, else standard; then
    what the lot falls back to, of which accessible is none. came: by what it came in, where nobody asked.
    """
    own = _pass_classes(look, lot, came) or lot.known.get(look.credential, ["standard"])
    fallback = lot.rules.get("classes", {}).get("fallback", {})
    others = [each for wanted in own for each in fallback.get(wanted, ())]
    return list(dict.fromkeys([*own, *(each for each in others if each != "accessible")]))


def _pass_classes(look: Look, lot: Lot, came: dict[str, Any] | None) -> list[str]:
    """Of the pass by which the car comes in or came in, if it names any."""
    if lot.rules.get("entitlements") is None:
        return []
    if came is None:
        came = ask(look, lot).marks if begins(look, lot) else lot.entitled.came_by(look.stay)
    name = came.get("pass")
    found = lot.entitled.passes.get(name) if name is not None else None
    return [] if found is None else list(found.spec["classes"])
