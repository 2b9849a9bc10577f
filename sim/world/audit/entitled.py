"""What a lot remembers of who may come in: passes, groups, and by what each stay came in. Plain dicts."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.clocks import DAYS, days_around, instant_ms, weekday
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.stays import Stay

if TYPE_CHECKING:
    from liftgate.sim.world.audit.facts import Lot

ISSUED, CHANGED, REVOKED, FORGOTTEN, GROUP_SET, GROUP_REMOVED = 0x40, 0x41, 0x42, 0x43, 0x44, 0x45
KEPT = ("pass", "group", "casual")


class Pass:
    """A pass as it was issued or last changed. used: entries; spent_ms: when it was used up, if it is."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.used = 0
        self.spent_ms: int | None = None

    def settle(self, at_ms: int) -> None:
        uses = self.spec["uses"]
        spent = uses is not None and self.used >= uses
        self.spent_ms = (at_ms if self.spent_ms is None else self.spent_ms) if spent else None

    def end_ms(self) -> int | None:
        """When it ends or ended; None: not known."""
        ends = [end for end in (self.spec["until_ms"], self.spent_ms) if end is not None]
        return min(ends, default=None)


class Group(NamedTuple):
    """An allotment. members: in the order in which they joined."""

    limit: int | None
    areas: dict[str, int]
    over: str
    members: tuple[bytes, ...]


NO_GROUP = Group(None, {}, "refuse", ())


class Entitled:
    """passes: in the order of issue; groups: by name; came: by session, by what it came in (`KEPT`);
    begun, inside: sessions that are on record, and those that came in; replaced: what the last change of a
    pass or a group was made to.
    """

    def __init__(self) -> None:
        self.passes: dict[str, Pass] = {}
        self.groups: dict[str, Group] = {}
        self.came: dict[bytes, dict[str, Any]] = {}
        self.begun: set[bytes] = set()
        self.inside: set[bytes] = set()
        self.replaced: Any = None

    # -- who holds what

    def passes_of(self, credential: bytes) -> list[Pass]:
        return [each for each in self.passes.values() if credential in each.spec["credentials"]]

    def group_of(self, credential: bytes) -> str | None:
        return next((name for name, group in self.groups.items() if credential in group.members), None)

    def holds(self, credential: bytes) -> bool:
        return bool(self.passes_of(credential)) or self.group_of(credential) is not None

    def came_by(self, stay: Stay | None) -> dict[str, Any]:
        return {} if stay is None else self.came.get(stay.session, {})

    def left(self, lot: "Lot", found: Pass, without: bytes) -> int:
        """Uses left, those of other cars before a barrier counted as used."""
        name = found.spec["name"]
        waiting = [
            s for s in lot.stays.open.values() if s.waits and s.area is None and s.credential != without
        ]
        promised = len([stay for stay in waiting if self.came_by(stay).get("pass") == name])
        uses: int = found.spec["uses"]
        return uses - found.used - promised

    def use(self, lot: "Lot", group: str, area: str | None = None, without: bytes = b"") -> int:
        """Stays that count for a group: in the lot, or in and on the way into one area."""
        stays = [s for s in lot.stays.open.values() if self.came_by(s).get("group") == group]
        return sum(
            stay.credential != without and (area is None or _heads_for(lot, area, stay)) for stay in stays
        )

    # -- what is on record

    def fold(self, event: Event, lot: "Lot") -> None:
        """Take in an event; the lot has it already."""
        if event["type"] in _ORDERED:
            _ORDERED[event["type"]](self, event)
        elif event["type"] in r.READER_EVENTS:
            if lot.rules.get("entitlements") is not None:
                self._note_entry(event, lot)
            self._count_uses(lot)
        if event.get("session") is not None:
            self.begun.add(event["session"])

    def _note_entry(self, event: Event, lot: "Lot") -> None:
        live = event["type"] == r.SCAN
        if event.get("session") is None or event.get("way") != r.IN or not event["effect"]:
            return
        if live and event["verdict"] == r.OPEN:
            self._note_marks(event["session"], r.marks(event))
        elif not live and event["type"] == r.HISTORY and event["what"] == r.SCAN:
            if own := self.came_alone(event):
                self.came[event["session"]] = own

    def _note_marks(self, session: bytes, marks: dict[str, Any]) -> None:
        """By what it came in stays with it; later it can only become casual, and then counts for nobody."""
        own, before = {name: marks[name] for name in KEPT if name in marks}, self.came.get(session)
        if before and "casual" in own:
            self.came[session] = {k: v for k, v in before.items() if k != "group"} | {"casual": own["casual"]}
        elif not before and own:
            self.came[session] = own

    def came_alone(self, event: Event) -> dict[str, Any]:
        """By what a car came in that its reader let in while it was alone: by the first pass that was valid
        then, else its first, and for its group; or by what it had come in already.
        """
        if event["session"] in self.begun:
            return self.came.get(event["session"], {})
        credential, own = r.credential(*event["detail"][:2]), {}
        passes, group = self.passes_of(credential), self.group_of(credential)
        if passes:
            valid = (each for each in passes if is_valid(each.spec, event["at_ms"]))
            own["pass"] = next(valid, passes[0]).spec["name"]
        if group is not None:
            own["group"] = group
        return own

    def _count_uses(self, lot: "Lot") -> None:
        for stay in lot.stays.open.values():
            if stay.area is not None and stay.session not in self.inside:
                self.inside.add(stay.session)
                found = self.passes.get(self.came_by(stay).get("pass", ""))
                if found is not None and lot.rules.get("entitlements") is not None:
                    found.used += 1
                    found.settle(stay.entered_at_ms)

    def _issued(self, event: Event) -> None:
        self.passes[event["spec"]["name"]] = Pass(event["spec"])

    def _changed(self, event: Event) -> None:
        found = self.passes[event["spec"]["name"]]
        self.replaced, found.spec = found.spec, event["spec"]
        found.settle(event["at_ms"])

    def _dropped(self, event: Event) -> None:
        del self.passes[event["name"]]

    def _group_set(self, event: Event) -> None:
        before = self.replaced = self.groups.get(event["name"], NO_GROUP)
        members = dict.fromkeys([*before.members, *event["added"]])
        left = tuple(each for each in members if each not in event["removed"])
        self.groups[event["name"]] = Group(event["limit"], event["areas"], event["over"], left)

    def _group_removed(self, event: Event) -> None:
        del self.groups[event["name"]]


_ORDERED = {
    ISSUED: Entitled._issued,
    CHANGED: Entitled._changed,
    REVOKED: Entitled._dropped,
    FORGOTTEN: Entitled._dropped,
    GROUP_SET: Entitled._group_set,
    GROUP_REMOVED: Entitled._group_removed,
}


def _heads_for(lot: "Lot", area: str, stay: Stay) -> bool:
    """Whether a car is in the area, in one inside it, or before an opened barrier to it."""
    if stay.area is not None and lot.layout.within(stay.area, area):
        return True
    return stay.waits and stay.to is not None and lot.layout.within(stay.to, area)


def is_valid(spec: dict[str, Any], at_ms: int) -> bool:
    """Whether a pass is valid then; its end does not belong to it."""
    from_ms, until_ms = spec["from_ms"], spec["until_ms"]
    return (from_ms is None or from_ms <= at_ms) and (until_ms is None or at_ms < until_ms)


# -- times of day


def permits(weekly: list[Any], rules: dict[str, Any], timezone: str, at_ms: int) -> bool:
    """Whether weekly times hold at a time, with the holidays of the rules."""
    for day in days_around(at_ms, timezone, 1, 0):
        for hours in _hours_of(weekly, rules.get("holidays", ()), day):
            end = day + timedelta(days=1) if hours["to"] <= hours["from"] else day
            if instant_ms(day, hours["from"], timezone) <= at_ms < instant_ms(end, hours["to"], timezone):
                return True
    return False


def _hours_of(weekly: list[Any], holidays: Iterable[Any], day: date) -> Iterable[Any]:
    holiday = next((each for each in holidays if each["date"] == day.isoformat()), None)
    if holiday is not None and holiday.get("like") is None:
        return list(holiday.get("times", ()))
    name = weekday(day) if holiday is None else holiday["like"]
    return [hours for hours in weekly if name in hours.get("days", DAYS)]
