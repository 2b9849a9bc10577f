"""Which mode each lane works in: settings by lot, area and lane, as docs/rules/lanes.md says."""

from typing import Any, NamedTuple

from liftgate.sim.world.audit.layout import NORMAL, Lane, Layout

LOT = "lot"


class Setting(NamedTuple):
    """A mode that was set at a scope. until_ms: 0 until further notice; plan, step: whose, "" by hand."""

    mode: int
    until_ms: int
    actor: str
    reason: str
    since_ms: int
    plan: str = ""
    step: int = 0

    def told(self) -> dict[str, Any]:
        """As queries say it."""
        names = ("mode", "until_ms", "actor", "reason", "since_ms", "plan")
        return {name: getattr(self, name) for name in names}


Stacks = dict[str, tuple[Setting, ...]]
"""By scope, what came last at the end."""


def at_lane(reader: str, number: int) -> str:
    return f"lane/{reader}/{number}"


def with_new(stack: tuple[Setting, ...], new: Setting) -> tuple[Setting, ...]:
    """By hand there is one until further notice and one with an end on top of it; a plan's lie between."""
    if new.plan:
        return (*stack, new)
    return (*(s for s in stack if s.plan or (new.until_ms > 0 and s.until_ms == 0)), new)


class Modes:
    """The settings of one lot."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.stacks: Stacks = {}

    def over(self, lane: Lane, stacks: Stacks | None = None) -> tuple[str, Setting | None]:
        """The scope that a lane obeys, and what holds there; None: nobody said anything."""
        stacks = self.stacks if stacks is None else stacks
        if not stacks:
            return "", None
        scopes = [at_lane(*lane.key), *self._areas(lane.area), LOT]
        found = next((at for at in scopes if stacks.get(at)), None)
        return ("", None) if found is None else (found, stacks[found][-1])

    def mode(self, lane: Lane, stacks: Stacks | None = None) -> int:
        setting = self.over(lane, stacks)[1]
        return NORMAL if setting is None else setting.mode

    def reaches(self, at: str, lane: Lane) -> bool:
        """Whether a scope has the lane in it."""
        return at in (at_lane(*lane.key), *self._areas(lane.area), LOT)

    def exists(self, at: str) -> bool:
        kind, _, name = at.partition("/")
        if kind == "lane":
            reader, _, number = name.rpartition("/")
            return (reader, int(number)) in self.layout.lanes
        return kind == LOT or name in self.layout.parents

    def by_hand(self, at: str) -> list[Setting]:
        return [setting for setting in self.stacks.get(at, ()) if not setting.plan]

    def set(self, at: str, new: Setting) -> None:
        """Normal until further notice, alone and where normal lies beneath, is no setting."""
        if self.exists(at):
            stack = with_new(self.stacks.get(at, ()), new)
            nothing_new = new.mode == NORMAL and not new.until_ms and not new.plan and len(stack) == 1
            self._keep(at, () if nothing_new and self._beneath(at) == NORMAL else stack)

    def end(self, at: str, plan: str, step: int, until_ms: int) -> None:
        """Take away a plan's step, or what was set by hand with that end."""
        stack = self.stacks.get(at, ())
        gone = [s for s in stack if s.plan == plan and (s.step == step if plan else s.until_ms == until_ms)]
        self._keep(at, tuple(setting for setting in stack if setting not in gone))

    def prune(self) -> None:
        """What was set where nothing is any more is forgotten."""
        self.stacks = {at: stack for at, stack in self.stacks.items() if self.exists(at)}

    def _keep(self, at: str, stack: tuple[Setting, ...]) -> None:
        self.stacks.pop(at, None) if not stack else self.stacks.update({at: stack})

    def _beneath(self, at: str) -> int:
        """The mode of the nearest wider scope where anything is set."""
        kind, _, name = at.partition("/")
        if kind == LOT:
            return NORMAL
        if kind == "lane":
            reader, _, number = name.rpartition("/")
            area: str | None = self.layout.lanes[reader, int(number)].area
        else:
            area = self.layout.parents[name]
        wider = [self.stacks[scope] for scope in (*self._areas(area), LOT) if scope in self.stacks]
        return wider[0][-1].mode if wider else NORMAL

    def _areas(self, area: str | None) -> list[str]:
        """An area and those around it, from the inside out."""
        found = []
        while area is not None:
            found.append(f"area/{area}")
            area = self.layout.parents[area]
        return found
