"""Whether the credential's passes and its group let it in: when, where, how often, how many at once."""

from datetime import datetime
from typing import Any

from liftgate.codecs import codes
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.marks import Marks
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.passes import THEME, Group, Holder, Pass, kept_with
from liftgate.engine.core.rules.base import PartRule, Rule

UNKNOWN = 200
NOT_VALID = 202
USED_UP = 204
OUTSIDE_TIMES = 220
GROUP_FULL = 302

NOT_HERE = -1
_NEAREST = (NOT_HERE, NOT_VALID, USED_UP, OUTSIDE_TIMES)
"""Of several passes that do not let in, the one that got furthest in this order gives the reason."""


class IsEntitled(PartRule):
    """What does not hold a pass or belong to a group passes here with one look; holders are judged.

    Marks of the event: `pass` and `group`, by which it came in; `casual`, the reason why it parks as anybody.
    """

    name = "entitlement"

    def __init__(self, part: Any) -> None:
        super().__init__(part)
        self.holders: dict[bytes, Holder] = part.holders
        self.guarded = frozenset(part.rules.holders_only)
        self.casual = part.rules.outside == "casual"

    @classmethod
    def made_for(cls, lot: Lot) -> "Rule | None":
        part = lot.ruled(THEME)
        return None if part is None else cls(part)

    def check(self, lot: Lot, read: ReadCredential) -> int:
        holder = self.holders.get(read.credential)
        if holder is None:
            return UNKNOWN if self.guarded and read.lane.area.id in self.guarded else 0
        return self._judge(lot, read, holder)

    def _judge(self, lot: Lot, read: ReadCredential, holder: Holder) -> int:
        begins = comes_from_street(read)
        found = self._good_pass(lot, read, holder)
        if found is None and holder.passes:
            reason = self._nearest(lot, read, holder)
            if reason == NOT_HERE:
                reason = self._without(lot, read, holder)
            elif self._may_be_casual(lot, read, reason):
                return _let_in_casually(read, reason)
            if reason:
                return reason
        group = holder.group
        if group is not None and not begins and kept_with(read.stay).get("group") != group.name:
            group = None
        if group is not None and _is_over(lot, read, group, begins):
            if begins and found is not None:
                read.mark("pass", found.spec.name)
            return GROUP_FULL if group.over == "refuse" else _let_in_casually(read, GROUP_FULL)
        if begins:
            _say_holder(read, found, group)
        return 0

    def _good_pass(self, lot: Lot, read: ReadCredential, holder: Holder) -> Pass | None:
        """The first pass that lets in."""
        if holder.only is not None:
            return None if self._objection(lot, read, holder.only) else holder.only
        for found in holder.passes:
            if not self._objection(lot, read, found):
                return found
        return None

    def _nearest(self, lot: Lot, read: ReadCredential, holder: Holder) -> int:
        """The reason of the pass that came nearest to letting in, where none does."""
        return max((self._objection(lot, read, found) for found in holder.passes), key=_NEAREST.index)

    def _objection(self, lot: Lot, read: ReadCredential, found: Pass) -> int:
        at_ms = read.time_ms
        if not found.covers(read.lane.area, lot):
            return NOT_HERE
        if not found.from_ms <= at_ms < found.until_ms:
            return NOT_VALID
        if found.uses is not None and _is_used_up(lot, read, found):
            return USED_UP
        if found.timed and not self._is_time(found, at_ms):
            return OUTSIDE_TIMES
        return 0

    def _is_time(self, found: Pass, at_ms: int) -> bool:
        """By the calendar's last answer while that holds: time zones are too slow for each scan."""
        if not found.low_ms <= at_ms < found.high_ms:
            stretch = self.part.calendar.stretch(found.weekly, at_ms)
            found.permitted, found.low_ms, found.high_ms = stretch
        return found.permitted

    def _without(self, lot: Lot, read: ReadCredential, holder: Holder) -> int:
        """No pass of the holder is good here: it is anybody, or its group's."""
        if holder.group is not None or read.credential in lot.known:
            return 0
        return UNKNOWN if read.lane.area.id in self.guarded or _needs_known(read) else 0

    def _may_be_casual(self, lot: Lot, read: ReadCredential, reason: int) -> bool:
        if not self.casual or reason == USED_UP or read.lane.area.id in self.guarded:
            return False
        return read.credential in lot.known or not _needs_known(read)

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        holder = self.holders.get(read.credential)
        if holder is None:
            only = "; only holders may enter this area" if read.lane.area.id in self.guarded else ""
            return f"no pass and no group{only}"
        said = [self._say_pass(lot, read, found) for found in holder.passes]
        if holder.group is not None:
            said.append(_say_group(lot, holder.group, read))
        return "; ".join(said)[:2000]

    def _say_pass(self, lot: Lot, read: ReadCredential, found: Pass) -> str:
        spec = found.spec
        words = {
            NOT_HERE: f"only for {', '.join(spec.areas)}",
            NOT_VALID: f"valid {self._say(spec.from_ms)} to {self._say(spec.until_ms)}",
            USED_UP: f"used {found.used} of {spec.uses}",
            OUTSIDE_TIMES: f"outside its times at {self._say(read.time_ms)}",
            0: "lets in",
        }
        return f"pass {spec.name}: {words[self._objection(lot, read, found)]}"

    def _say(self, at_ms: int | None) -> str:
        if at_ms is None:
            return "any time"
        seconds = min(at_ms, 253_370_764_800_000) // 1000
        return datetime.fromtimestamp(seconds, self.part.calendar.zone).strftime("%Y-%m-%d %H:%M (%a)")


def comes_from_street(read: ReadCredential) -> bool:
    """Whether the car comes from the street: one that waits before a barrier, or goes further in, does not
    begin its stay.
    """
    return read.lane.area.parent is None and (read.stay is None or read.stay.area is not None)


def _needs_known(read: ReadCredential) -> bool:
    lane = read.lane
    return lane.policy[read.kind] != "open" or lane.mode == codes.KNOWN_ONLY


def _is_used_up(lot: Lot, read: ReadCredential, found: Pass) -> bool:
    """Uses count at the outermost barrier; further in, the pass that the car came in by is good still."""
    if read.lane.area.parent is not None and kept_with(read.stay).get("pass") == found.spec.name:
        return False
    return found.left(lot, read.credential) <= 0


def _is_over(lot: Lot, read: ReadCredential, group: Group, begins: bool) -> bool:
    """Whether the group has no room for this car."""
    if begins and group.is_full(lot, read.credential):
        return True
    return bool(group.areas) and group.full_area(lot, read.lane.area, read.credential) != ""


def _say_holder(read: ReadCredential, found: Pass | None, group: Group | None) -> None:
    """By what it comes in; one pass comes with one group nearly always."""
    if found is not None:
        if found.said is None or found.said_with is not group:
            by = {"pass": found.spec.name}
            found.said = Marks(by if group is None else {**by, "group": group.name}, found, group)
            found.said_with = group
        read.say(found.said)
    elif group is not None:
        if group.said is None:
            group.said = Marks({"group": group.name}, None, group)
        read.say(group.said)


def _let_in_casually(read: ReadCredential, reason: int) -> int:
    read.soft_reason = reason
    read.mark("casual", reason)
    return 0


def _say_group(lot: Lot, group: Group, read: ReadCredential) -> str:
    limit = "any number" if group.limit is None else str(group.limit)
    said = f"group {group.name}: {group.use(lot, read.credential)} others of {limit}"
    area = group.full_area(lot, read.lane.area, read.credential)
    return f"{said}, all {group.areas[area]} in area {area}" if area else said
