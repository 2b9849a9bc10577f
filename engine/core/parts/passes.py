"""A pass, a group of credentials, and what one credential holds of them: the data behind entitlements."""

from typing import Any

import msgspec

from liftgate.configs.rules.hours import Window
from liftgate.configs.schema import SpotClass
from liftgate.engine.core.marks import Marks
from liftgate.engine.core.model import Area, Lot, Stay

THEME = "entitlements"

NO_LIMIT = 1 << 62


class PassSpec(msgspec.Struct, frozen=True):
    """What a pass says. from_ms, until_ms: its validity, the end not part of it, None: open; weekly: its
    times, none: always; areas: where it is good, none: everywhere; classes: spots it may have, in order of
    preference; uses: entries, None: any number; host: whom a visitor visits.
    """

    name: str
    credentials: tuple[bytes, ...]
    from_ms: int | None = None
    until_ms: int | None = None
    weekly: tuple[Window, ...] = ()
    areas: tuple[str, ...] = ()
    classes: tuple[SpotClass, ...] = ()
    uses: int | None = None
    host: str = ""


class Pass:
    """A pass with what became of it.

    number: its place in the order of issue; used: entries that took effect; spent_ms: when the last of its
    uses was used, 0: some are left; pending: stays before an opened barrier by it, by session, perhaps
    with some that lapsed since; permitted, low_ms, high_ms: the calendar's last answer and how long it
    holds, said: the marks of an entry by it, with said_with, its credential's group (no part of the state);
    timed: whether it has weekly times; gone: it was dropped, and its name may be another's.
    """

    def __init__(self, spec: PassSpec, number: int) -> None:
        self.number = number
        self.used = 0
        self.spent_ms = 0
        self.pending: dict[bytes, Stay] = {}
        self.said: Marks | None = None
        self.said_with: Group | None = None
        self.gone = False
        self.take(spec)

    def take(self, spec: PassSpec) -> None:
        """Be as `spec` says."""
        self.spec = spec
        self.areas = spec.areas
        self.classes = spec.classes
        self.weekly = spec.weekly
        self.timed = bool(spec.weekly)
        self.uses = spec.uses
        self.from_ms = spec.from_ms or 0
        self.until_ms = spec.until_ms if spec.until_ms is not None else 1 << 62
        self.permitted = True
        self.low_ms = self.high_ms = 0

    def covers(self, area: Area, lot: Lot) -> bool:
        """Whether it is good in `area`: named by it, or on the way to an area that it names."""
        for name in self.areas:
            found = lot.areas.get(name)
            if found is not None and found.within(area):
                return True
        return not self.areas

    def left(self, lot: Lot, without: bytes) -> int:
        """Uses left, those promised to others than `without` counted as used."""
        waiting = sum(1 for stay in self.pending.values() if before_barrier(lot, stay, without))
        return (self.uses or 0) - self.used - waiting

    def promise(self, lot: Lot, stay: Stay) -> None:
        """A barrier was opened for an entry by it."""
        self.pending = _tidied(lot, self.pending, len(self.spec.credentials))
        self.pending[stay.session] = stay

    def count_use(self, at_ms: int) -> None:
        """An entry by it took effect."""
        self.used += 1
        self.settle(at_ms)

    def settle(self, at_ms: int) -> None:
        """Note whether its uses are used up."""
        spent = self.uses is not None and self.used >= self.uses
        self.spent_ms = (self.spent_ms or at_ms) if spent else 0

    def end_ms(self) -> int:
        """When it ends or ended, as far as that is known; 1 << 62 where it has no end."""
        return min(self.until_ms, self.spent_ms or 1 << 62)


class Group:
    """Credentials that share an allotment.

    limit, most: stays at once, None and NO_LIMIT: any number; areas: the same by area; over: "refuse" or
    "casual"; counted: stays that count, by session, and by_area those in or on the way into each limited
    area, both perhaps with some that ended unseen (a lapse): whoever stands before a full group counts them
    (`use`); gone: it was removed, and its name may be another's.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.limit: int | None = None
        self.areas: dict[str, int] = {}
        self.over = "refuse"
        self.members: dict[bytes, None] = {}
        self.counted: dict[bytes, Stay] = {}
        self.by_area: dict[str, dict[bytes, Stay]] = {}
        self.said: Marks | None = None
        self.most = NO_LIMIT
        self.gone = False

    def set(self, limit: int | None, areas: dict[str, int], over: str) -> None:
        """These are its allotments from here on."""
        self.limit, self.areas, self.over = limit, areas, over
        self.most = NO_LIMIT if limit is None else limit
        self.by_area = {area: {} for area in areas}

    def count(self, lot: Lot, stay: Stay) -> None:
        """The stay counts, wherever it is or goes."""
        self.counted = _tidied(lot, self.counted, len(self.members))
        self.counted[stay.session] = stay
        for name, stays in self.by_area.items():
            if len(stays) > len(self.counted):
                stays = self.by_area[name] = {key: stays[key] for key in stays if key in self.counted}
            if heads_for(lot.areas.get(name), stay):
                stays[stay.session] = stay
            else:
                stays.pop(stay.session, None)

    def uncount(self, stay: Stay) -> None:
        """The stay is over, or counts no more."""
        self.counted.pop(stay.session, None)
        for stays in self.by_area.values():
            stays.pop(stay.session, None)

    def use(self, lot: Lot, without: bytes = b"") -> int:
        """Stays that count, inside or promised, without that of one credential."""
        return sum(1 for stay in self.counted.values() if is_open(lot, stay, without))

    def use_of(self, lot: Lot, area: str, without: bytes = b"") -> int:
        """The same of an area that has an allotment."""
        found = lot.areas.get(area)
        stays = self.by_area[area].values()
        return sum(1 for stay in stays if is_open(lot, stay, without) and heads_for(found, stay))

    def is_full(self, lot: Lot, without: bytes) -> bool:
        """Whether one more stay would be too many. What `counted` holds is never too few."""
        if len(self.counted) < self.most:
            return False
        return self.use(lot, without) >= self.most

    def full_area(self, lot: Lot, area: Area, without: bytes) -> str:
        """The first of the areas that an entry into `area` leads into whose allotment is used up, or ""."""
        inside: Area | None = area
        while inside is not None and self.areas:
            limit = self.areas.get(inside.id)
            if limit is not None:
                stays = self.by_area[inside.id]
                if len(stays) >= limit and self.use_of(lot, inside.id, without) >= limit:
                    return inside.id
            inside = inside.parent
        return ""


class Holder:
    """What one credential holds: passes in the order of their issue, and its group. only: the pass, where it
    is one, as nearly always.
    """

    def __init__(self) -> None:
        self.passes: list[Pass] = []
        self.only: Pass | None = None
        self.group: Group | None = None

    def hold(self, found: Pass) -> None:
        """It has one more pass."""
        self._set(sorted([*self.passes, found], key=lambda each: each.number))

    def drop(self, found: Pass) -> None:
        """It has that pass no longer."""
        self._set([each for each in self.passes if each is not found])

    def _set(self, passes: list[Pass]) -> None:
        self.passes = passes
        self.only = passes[0] if len(passes) == 1 else None


def _tidied(lot: Lot, stays: dict[bytes, Stay], members: int) -> dict[bytes, Stay]:
    """Without those that ended unseen, once they may be more than the others."""
    if len(stays) <= 64 + 2 * members:
        return stays
    return {session: stay for session, stay in stays.items() if lot.stays.get(stay.credential) is stay}


def is_open(lot: Lot, stay: Stay, without: bytes) -> bool:
    """Whether the stay goes on, or its barrier is open and its promise stands."""
    return stay.credential != without and lot.stays.get(stay.credential) is stay


def before_barrier(lot: Lot, stay: Stay, without: bytes) -> bool:
    """Whether the car still stands before the barrier that was opened for its entry."""
    return stay.area is None and stay.moving and is_open(lot, stay, without)


def heads_for(area: Area | None, stay: Stay) -> bool:
    """Whether the car is in the area or promised to it."""
    if area is None:
        return False
    if stay.area is not None and stay.area.within(area):
        return True
    return stay.moving and stay.to is not None and stay.to.within(area)


def kept_with(stay: Stay | None) -> dict[str, Any]:
    """What entitlements keep with a stay: `pass`, `group`, `casual` (the reason), each where it applies."""
    own: dict[str, Any] | None = None
    if stay is not None and stay.notes is not None:
        own = stay.notes.get(THEME)
    return {} if own is None else own
