"""Anti-passback: who goes in was just outside, who goes out was inside, or a rule says why it opens anyway.

As docs/rules/passback.md has it; a lot without such rules is hard.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import IN, OUT, Event, tell

ALREADY_INSIDE, NOT_INSIDE = 210, 211
MARKS = ("passback", "unnamed", "unknown_entry")


class Ruling(NamedTuple):
    """What the rule says of a scan. against: the reason that refuses it; soft: the one it opens with."""

    against: int = 0
    soft: int = 0
    marks: dict[str, Any] = {}


class Passback(Chapter):
    """Where a car is, is what was last seen of it. A reset takes that back until it is seen again; of a car
    without a stay it allows the exit. Every opening that hard would refuse says why it was one.
    """

    def __init__(self, audit: Any) -> None:
        super().__init__(audit)
        self.owed: dict[str, dict[str, Any]] = {}

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        if reason := ruling(look, lot).against:
            yield reason

    def passed_over(self, look: Look, lot: Lot) -> Iterable[int]:
        if reason := ruling(look, lot).soft:
            yield reason

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.SCAN and event["verdict"] == r.OPEN:
            marks, expected = r.marks(event), ruling(lot.look(event), lot).marks
            said = {name: r.plain(marks[name]) for name in MARKS if name in marks}
            if said != expected:
                self.find("wrong marks", tell(event) + f", marks {said}", f"{expected}")
        elif event["type"] == r.RESETS:
            until_ms = event["at_ms"] + lot.unseen.doubt_ms() if event["whole"] and is_ruled(lot) else 0
            if event["until_ms"] != until_ms:
                self.find("wrong doubt", tell(event), f"until {until_ms}")
        elif event["type"] == r.DOUBT:
            self._judge_doubt(event, lot)
        elif event["type"] == r.FINDING and event["kind"] == "doubtful":
            about = self.owed.pop(lot.id, None)
            if about != event["about"]:
                self.find("wrong doubt", tell(event), f"a finding about {about}")

    def _judge_doubt(self, event: Event, lot: Lot) -> None:
        """It says how many stays it made unknown, and how long exits without an entry are taken."""
        said = event["reader"], event["lane"], event["area"], event["cause"]
        mine = [(cast, stays) for cast, stays in lot.unseen.casts.items() if cast[:4] == said]
        until_ms = event["at_ms"] + lot.unseen.doubt_ms()
        right = [(stays, until_ms if cast[4] else 0) for cast, stays in mine]
        if (event["stays"], event["until_ms"]) not in right:
            self.find("wrong doubt", tell(event), f"(stays, until) one of {right}")
        self.owed[lot.id] = {name: event[name] for name in ("reader", "lane", "area", "cause", "stays")}

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for lot in self.audit.lots.values():
            if lot.unseen.casts or lot.id in self.owed:
                self.find("doubt untold", f"lot {lot.id}: {lot.unseen.casts}", "an event and a finding of it")


def mode_of(lot: Lot, area: str) -> str:
    rules = lot.rules.get("passback", {})
    found: str = rules.get("areas", {}).get(area, rules.get("mode", "hard"))
    return found


def ruling(look: Look, lot: Lot) -> Ruling:
    """What the lot's rules of passback and identity say of where the credential is."""
    if look.way == IN:
        return _in(look, lot)
    return _out(look, lot)


def _in(look: Look, lot: Lot) -> Ruling:
    stay, area, outside = look.stay, look.lane.area, lot.outside(look.lane)
    if stay is None:
        return Ruling() if outside is None else _came_unseen(look, lot, outside)
    if stay.area == outside:
        return Ruling()
    inside = stay.area is not None and lot.layout.within(stay.area, area)
    marks: dict[str, Any] = {}
    if inside and lot.unseen.owes(area, OUT, look.at_ms):
        marks["unnamed"] = [area, 1]
        if not stay.forgiven:
            return Ruling(soft=ALREADY_INSIDE, marks={**marks, "passback": "followed"})
    if stay.forgiven:
        return Ruling(marks={**marks, "passback": "doubt"} if is_ruled(lot) else {})
    if inside and mode_of(lot, area) == "timed":
        since = stay.entered_at_ms
        if stay.inner_entry is not None and stay.inner_entry[0] == area:
            since = stay.inner_entry[1]
        early = look.at_ms - since < lot.rules["passback"].get("within_s", 900) * 1000
        return Ruling(against=ALREADY_INSIDE) if early else Ruling(marks={"passback": "timed"})
    return _by_mode(look, lot, ALREADY_INSIDE)


def _came_unseen(look: Look, lot: Lot, outside: str) -> Ruling:
    """Into an inner area, by a car that nobody saw come into the outer one."""
    if lot.unseen.owes(outside, IN, look.at_ms):
        return Ruling(soft=NOT_INSIDE, marks={"unnamed": [outside, 0], "passback": "followed"})
    if lot.unseen.may_be_in(outside, look.at_ms):
        return Ruling(soft=NOT_INSIDE, marks={"passback": "doubt"})
    return _by_mode(look, lot, NOT_INSIDE)


def _out(look: Look, lot: Lot) -> Ruling:
    stay, area = look.stay, look.lane.area
    if stay is None:
        return Ruling() if look.credential in lot.stays.forgiven else _no_entry(look, lot)
    if stay.area is not None and lot.layout.within(stay.area, area):
        return Ruling()
    marks: dict[str, Any] = {}
    if stay.area is not None and lot.unseen.owes(area, IN, look.at_ms):
        marks["unnamed"] = [area, 0]
        if not stay.forgiven:
            return Ruling(soft=NOT_INSIDE, marks={**marks, "passback": "followed"})
    if stay.forgiven:
        return Ruling(marks={**marks, "passback": "doubt"} if is_ruled(lot) else {})
    return _by_mode(look, lot, NOT_INSIDE)


def _no_entry(look: Look, lot: Lot) -> Ruling:
    """An exit without a stay: one of those who came in unseen, else as the rules say."""
    area, unknown = look.lane.area, {"unknown_entry": True}
    if lot.unseen.owes(area, IN, look.at_ms):
        marks = {**unknown, "unnamed": [area, 0], "passback": "followed"}
        return Ruling(soft=NOT_INSIDE, marks=marks)
    if lot.unseen.may_be_in(area, look.at_ms):
        return Ruling(soft=NOT_INSIDE, marks={**unknown, "passback": "doubt"})
    match lot.rules.get("identity", {}).get("exit_without_entry"):
        case "stay":
            return Ruling(soft=NOT_INSIDE, marks={**unknown, "passback": "no entry"})
        case "open":
            return Ruling(soft=NOT_INSIDE, marks={"passback": "no entry"})
        case "refuse":
            return Ruling(against=NOT_INSIDE)
    return _by_mode(look, lot, NOT_INSIDE)


def _by_mode(look: Look, lot: Lot, reason: int) -> Ruling:
    if mode_of(lot, look.lane.area) == "soft":
        return Ruling(soft=reason, marks={"passback": "soft"})
    return Ruling(against=reason)


def is_ruled(lot: Lot) -> bool:
    """Whether there are rules of passback or identity at all."""
    return "passback" in lot.rules or "identity" in lot.rules
