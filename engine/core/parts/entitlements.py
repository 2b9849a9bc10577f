"""Passes, groups and single-use codes: what a lot remembers of who may come in."""

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events import entitlements as ev
from liftgate.codecs.events.operators import OperatorEvent
from liftgate.configs.rules.entitlements import Entitlements
from liftgate.engine.core.events import HistoryRecorded, ReaderEvent, ScanDecided
from liftgate.engine.core.marks import Marks
from liftgate.engine.core.model import Area, Lot, Stay
from liftgate.engine.core.parts import pass_orders, pass_queries
from liftgate.engine.core.parts.base import NEVER, Part
from liftgate.engine.core.parts.calendar import Calendar
from liftgate.engine.core.parts.ends import Ends
from liftgate.engine.core.parts.passes import THEME, Group, Holder, Pass, PassSpec, before_barrier, kept_with

KEPT = ("pass", "group", "casual")


class EntitlementsPart(Part):
    """Passes and groups by name, and for the hot path holders: both by credential.

    Who came in by what stands in the notes of the stays (`passes.kept_with`); counts are made from those,
    anew whenever the rules are set: while there are none nothing is counted. promises: whether any pass was
    promised to a car before its barrier since the part was made; lots that count at once never do.
    """

    THEME = THEME
    ORDERS: ClassVar[Any] = pass_orders.ORDERS
    QUERIES: ClassVar[Any] = pass_queries.QUERIES
    APPLIERS: ClassVar[Any] = {}

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.rules: Entitlements | None = None
        self.calendar = Calendar("UTC", ())
        self.passes: dict[str, Pass] = {}
        self.groups: dict[str, Group] = {}
        self.holders: dict[bytes, Holder] = {}
        self.last_number = 0
        self.ends = Ends(self.passes)
        self.promises = False

    def configure(self, rules: msgspec.Struct | None) -> None:
        self.rules = rules if isinstance(rules, Entitlements) else None
        self.on = self.rules is not None
        self.calendar = Calendar(self.lot.timezone, self.rules.holidays if self.rules else ())
        for each in self.passes.values():
            each.low_ms = each.high_ms = 0
        self.recount()
        self._wait()

    def dump(self) -> Any:
        if not self.passes and not self.groups and not self.last_number:
            return None
        passes = [(each.spec, each.number, each.used, each.spent_ms) for each in self.passes.values()]
        groups = [
            (group.name, group.limit, group.areas, group.over, list(group.members))
            for group in self.groups.values()
        ]
        return {"passes": passes, "groups": groups, "last": self.last_number}

    def load(self, data: Any) -> None:
        self.last_number = data["last"]
        for spec, number, used, spent_ms in data["passes"]:
            found = self._add_pass(msgspec.convert(spec, PassSpec), number)
            found.used, found.spent_ms = used, spent_ms
            self._schedule(found)
        for name, limit, areas, over, members in data["groups"]:
            self.set_group(name, limit, areas, over, members, ())

    def members(self, group: str) -> list[bytes]:
        """The credentials of a group; none where there is no such group."""
        found = self.groups.get(group)
        return [] if found is None else list(found.members)

    def holder(self, credential: bytes) -> Holder:
        """What the credential holds, made where it held nothing."""
        found = self.holders.get(credential)
        if found is None:
            found = self.holders[credential] = Holder()
        return found

    # Passes

    def issue(self, spec: PassSpec) -> None:
        """The pass is there."""
        self.last_number += 1
        self._schedule(self._add_pass(spec, self.last_number))

    def _add_pass(self, spec: PassSpec, number: int) -> Pass:
        found = self.passes[spec.name] = Pass(spec, number)
        self._hand_out(found)
        for stay in self.lot.moving.values():
            if kept_with(stay).get("pass") == spec.name and before_barrier(self.lot, stay, b""):
                self._promise(found, stay)
        return found

    def _hand_out(self, found: Pass) -> None:
        """Its credentials hold it, in the order of issue whatever came to pass in between."""
        for credential in found.spec.credentials:
            self.holder(credential).hold(found)

    def _promise(self, found: Pass, stay: Stay) -> None:
        self.promises = True
        found.promise(self.lot, stay)

    def _take_in(self, found: Pass) -> None:
        for credential in found.spec.credentials:
            self.holders[credential].drop(found)
            self._tidy(credential)

    def change(self, spec: PassSpec, at_ms: int) -> None:
        """The pass of that name is as `spec` says."""
        found = self.passes[spec.name]
        self._take_in(found)
        found.take(spec)
        found.settle(at_ms)
        self._hand_out(found)
        self._schedule(found)

    def drop(self, name: str) -> None:
        """The pass is no more."""
        found = self.passes.pop(name)
        found.gone = True
        self._take_in(found)
        self._wait()

    def _tidy(self, credential: bytes) -> None:
        holder = self.holders[credential]
        if not holder.passes and holder.group is None:
            del self.holders[credential]

    def _schedule(self, found: Pass) -> None:
        self.ends.note(found)
        self._wait()

    def _wait(self) -> None:
        """Set when `due` has something: the first end, and the time that passes are kept."""
        first = self.ends.first_ms()
        self.next_ms = NEVER if first is None or self.rules is None else first + self._keep_ms()

    def _keep_ms(self) -> int:
        return self.rules.keep_s * 1000 if self.rules is not None else 0

    def due(self, now_ms: int) -> list[OperatorEvent]:
        """Passes that ended long ago are forgotten, so that their number has a bound that is not years."""
        names = self.ends.until(now_ms - self._keep_ms())
        return [ev.PassForgotten(self.lot.id, 0, now_ms, name) for name in names]

    # Groups

    def set_group(
        self,
        name: str,
        limit: int | None,
        areas: dict[str, int],
        over: str,
        added: Iterable[bytes],
        removed: Iterable[bytes],
    ) -> None:
        """The group is so, with its stays counted anew: its name may have been another's."""
        group = self.groups.get(name)
        if group is None:
            group = self.groups[name] = Group(name)
        group.set(limit, areas, over)
        for credential in added:
            group.members[credential] = None
            self.holder(credential).group = group
        for credential in removed:
            if credential in group.members:
                del group.members[credential]
                self._leave(credential)
        self._recount(group)

    def remove_group(self, name: str) -> None:
        """The group is no more."""
        group = self.groups.pop(name)
        group.gone = True
        for credential in group.members:
            self._leave(credential)

    def _leave(self, credential: bytes) -> None:
        self.holders[credential].group = None
        self._tidy(credential)

    def recount(self) -> None:
        """Count the stays of all groups anew."""
        for group in self.groups.values():
            self._recount(group)

    def _recount(self, group: Group) -> None:
        group.counted = {}
        group.by_area = {area: {} for area in group.areas}
        for stay in self.lot.stays.values():
            if kept_with(stay).get("group") == group.name:
                group.count(self.lot, stay)

    # Stays

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        if stay is None:
            return
        if isinstance(event, ScanDecided):
            scan = event
            if scan.verdict != codes.OPEN or scan.way != codes.IN:
                return
            moved = scan.effect == codes.MOVED
            if self.lot.said is not None and stay.notes is None:
                self._remember_usual(stay, self.lot.said, moved)
            elif self.lot.marks is not None:
                self._remember(stay, self.lot.marks, moved)
            if stay.notes is not None:
                self._count(stay)
        elif isinstance(event, HistoryRecorded) and event.way == codes.IN and event.effect:
            self._take_history(stay, event)

    def _remember_usual(self, stay: Stay, said: Marks, moved: bool) -> None:
        """As `_remember` does, of a stay that has no notes: all that came in by the same share theirs."""
        notes = said.notes
        if notes is None:
            own = _kept_of(said.values)
            notes = said.notes = {THEME: own} if own else {}
        if notes:
            stay.notes = notes
            stay.by = said
            if moved:
                self._use(stay)

    def _remember(self, stay: Stay, marks: dict[str, Any], moved: bool) -> None:
        """Keep with the stay by what it came in. Later marks only make it casual: a scan again at its
        barrier finds it as it was.
        """
        own = _kept_of(marks)
        before = kept_with(stay)
        if before and "casual" in own:
            self._let_go(stay)
            kept = {name: before[name] for name in before if name != "group"}
            own = {**kept, "casual": own["casual"]}
        elif before or not own:
            return
        stay.notes = {THEME: own} if stay.notes is None else {**stay.notes, THEME: own}
        stay.by = None
        if moved and not before:
            self._use(stay)

    def came_by(self, credential: bytes, at_ms: int) -> str | None:
        """The pass by which a car comes in that nobody asks: the first that is valid then, else its first."""
        holder = self.holders.get(credential)
        if holder is None or not holder.passes:
            return None
        valid = (each for each in holder.passes if each.from_ms <= at_ms < each.until_ms)
        return next(valid, holder.passes[0]).spec.name

    def _take_history(self, stay: Stay, event: HistoryRecorded) -> None:
        """A car that came in while its reader was alone counts for its credential's group, full or not, and
        uses the first pass that was valid then, else its first: it did come in.
        """
        if event.verdict_given != codes.OPEN:
            return
        holder = self.holders.get(stay.credential)
        if holder is not None and stay.entered_at_ms == event.at_ms and not kept_with(stay):
            own: dict[str, Any] = {}
            found = self.came_by(stay.credential, event.at_ms)
            if found is not None:
                own["pass"] = found
            if holder.group is not None:
                own["group"] = holder.group.name
            self._remember(stay, own, event.effect == "moved")
        self._count(stay)

    def moved(self, stay: Stay, before: Area | None) -> None:
        if stay.notes is None:
            return
        if stay.area is None:
            self._let_go(stay)
            if self.promises:
                self._no_longer_pending(stay)
            return
        if before is None:
            self._use(stay)
        self._count(stay)

    def _count(self, stay: Stay) -> None:
        """The stay counts for its group, and its pass is promised while it stands before its barrier."""
        group = self._group_of(stay)
        if group is not None:
            group.count(self.lot, stay)
        if stay.area is None and before_barrier(self.lot, stay, b""):
            found = self._pass_of(stay)
            if found is not None:
                self._promise(found, stay)

    def _let_go(self, stay: Stay) -> None:
        group = self._group_of(stay)
        if group is not None:
            group.uncount(stay)

    def _use(self, stay: Stay) -> None:
        """The car came in: what it came in by is used once."""
        found = self._no_longer_pending(stay)
        if found is not None:
            found.count_use(stay.entered_at_ms)
            if found.spent_ms:
                self._schedule(found)

    def _no_longer_pending(self, stay: Stay) -> Pass | None:
        found = self._pass_of(stay)
        if found is not None and self.promises:
            found.pending.pop(stay.session, None)
        return found

    def _pass_of(self, stay: Stay) -> Pass | None:
        """The pass it came in by."""
        if stay.by is not None:
            found: Pass | None = stay.by.found
            if found is None or not found.gone:
                return found
        name = kept_with(stay).get("pass")
        return None if name is None else self.passes.get(name)

    def _group_of(self, stay: Stay) -> Group | None:
        """The group it counts for."""
        if stay.by is not None:
            group: Group | None = stay.by.group
            if group is None or not group.gone:
                return group
        name = kept_with(stay).get("group")
        return None if name is None else self.groups.get(name)


def _kept_of(marks: dict[str, Any]) -> dict[str, Any]:
    """What stays keep of the marks of an entry: themselves, where nothing else is said."""
    for name in marks:
        if name not in KEPT:
            return {name: marks[name] for name in KEPT if name in marks}
    return marks


def _part(lot: Lot) -> EntitlementsPart:
    part: EntitlementsPart = lot.parts[THEME]
    return part


def _issued(lot: Lot, event: ev.PassIssued, position: int) -> None:
    _part(lot).issue(msgspec.convert(event.spec, PassSpec))


def _changed(lot: Lot, event: ev.PassChanged, position: int) -> None:
    _part(lot).change(msgspec.convert(event.spec, PassSpec), event.at_ms)


def _dropped(lot: Lot, event: ev.PassRevoked | ev.PassForgotten, position: int) -> None:
    _part(lot).drop(event.name)


def _group_set(lot: Lot, event: ev.GroupSet, position: int) -> None:
    _part(lot).set_group(event.name, event.limit, event.areas, event.over, event.added, event.removed)


def _group_removed(lot: Lot, event: ev.GroupRemoved, position: int) -> None:
    _part(lot).remove_group(event.name)


# Filled, not set: in the compiled build the class is C.
EntitlementsPart.APPLIERS.update(
    {
        ev.PassIssued: _issued,
        ev.PassChanged: _changed,
        ev.PassRevoked: _dropped,
        ev.PassForgotten: _dropped,
        ev.GroupSet: _group_set,
        ev.GroupRemoved: _group_removed,
    }
)
