"""Modes of lanes in layers: by lot, area and lane, by hand and by plan, each with its end.

Which one a lane works in: the most specific scope that has any: the lane, then its area, then the areas
around that from the inside out, then the lot; nothing anywhere is normal. Within one scope the one that was
set last; when it ends, the one before it, if that still holds. By hand a scope has at most one until further
notice and one with an end on top of it: a new word without an end replaces both, one with an end the other.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from liftgate.codecs import codes
from liftgate.engine.core.model import Area, Lane, Lot

LOT = "lot"


class Setting(msgspec.Struct, frozen=True, array_like=True):
    """One layer; until_ms 0: until further notice; plan, step: whose, "" by hand."""

    mode: int
    until_ms: int
    actor: str
    reason: str
    since_ms: int
    plan: str = ""
    step: int = 0


Stack = tuple[Setting, ...]
"""The settings of one scope, the one in force last. Never empty in `Modes.stacks`."""


def at_area(id: str) -> str:
    return f"area/{id}"


def at_lane(reader: str, number: int) -> str:
    return f"lane/{reader}/{number}"


def pushed(stack: Stack, new: Setting) -> Stack:
    """The stack with `new` on top. By hand it replaces what its like was before."""
    if new.plan:
        return (*stack, new)
    kept = tuple(s for s in stack if s.plan or (new.until_ms and not s.until_ms))
    return (*kept, new)


def without(stack: Stack, plan: str, step: int, until_ms: int) -> Stack:
    """The stack without one setting: a plan's step, or the one of that end by hand."""
    return tuple(s for s in stack if s.plan != plan or (s.step != step if plan else s.until_ms != until_ms))


class Modes:
    """The settings of one lot; lane.mode is what they come to, kept so that a scan asks nothing."""

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.stacks: dict[str, Stack] = {}

    # -- looking

    def over(self, lane: Lane, stacks: dict[str, Stack]) -> tuple[str, Setting | None]:
        """The scope and the setting that a lane obeys under `stacks`; None: normal, nobody said anything."""
        for at in _scopes(lane):
            stack = stacks.get(at)
            if stack:
                return at, stack[-1]
        return "", None

    def mode(self, lane: Lane, stacks: dict[str, Stack]) -> int:
        """The mode that a lane works in under `stacks`."""
        setting = self.over(lane, stacks)[1]
        return codes.NORMAL if setting is None else setting.mode

    def under(self, lane: Lane, at: str) -> bool:
        """Whether a scope reaches the lane."""
        return at in _scopes(lane)

    def lanes(self) -> Iterator[Lane]:
        for reader in self.lot.readers.values():
            yield from reader.lanes.values()

    def exists(self, at: str) -> bool:
        """Whether the lot has that area or lane."""
        kind, _, name = at.partition("/")
        if kind == "area":
            return name in self.lot.areas
        if kind == "lane":
            reader, _, number = name.rpartition("/")
            return reader in self.lot.readers and int(number) in self.lot.readers[reader].lanes
        return True

    def _normal_beneath(self, at: str) -> bool:
        """Whether the scopes around this one leave it normal."""
        return all(self.stacks[around][-1].mode == codes.NORMAL for around in self._around(at)[:1])

    def _around(self, at: str) -> list[str]:
        """The scopes around this one that have settings, from the inside out."""
        kind, _, name = at.partition("/")
        area: Area | None = None
        if kind == "area":
            area = self.lot.areas[name].parent
        elif kind == "lane":
            reader, _, number = name.rpartition("/")
            area = self.lot.readers[reader].lanes[int(number)].area
        wider = [*_areas(area), LOT] if kind != LOT else []
        return [scope for scope in wider if scope in self.stacks]

    # -- changing

    def set(self, at: str, new: Setting) -> None:
        """Put a setting on top of its scope; nothing where that is gone from the configuration.

        Normal until further notice, where normal lies beneath, is no setting: else a lane that was closed and
        opened again by hand would stay open when its area is closed.
        """
        if not self.exists(at):
            return
        self._put(at, pushed(self.stacks.get(at, ()), new))
        stack = self.stacks[at]
        lonely = len(stack) == 1 and not new.plan and not new.until_ms
        if lonely and new.mode == codes.NORMAL and self._normal_beneath(at):
            self._put(at, ())
        self.refresh()

    def end(self, at: str, plan: str, step: int, until_ms: int) -> None:
        """Take a setting away; nothing where it is gone already."""
        self._put(at, without(self.stacks.get(at, ()), plan, step, until_ms))
        self.refresh()

    def _put(self, at: str, stack: Stack) -> None:
        if stack:
            self.stacks[at] = stack
        else:
            self.stacks.pop(at, None)

    def prune(self) -> None:
        """The configuration changed: forget what was set where nothing is any more."""
        if self.stacks:
            for at in [at for at in self.stacks if not self.exists(at)]:
                del self.stacks[at]
            self.refresh()

    def refresh(self) -> None:
        """Have every lane work in its mode, and note whom to tell."""
        for lane in self.lanes():
            mode = self.mode(lane, self.stacks)
            if mode != lane.mode:
                before, lane.mode, lane.mode_set = lane.mode, mode, True
                self.tell(lane)
                for part in self.lot.parts.values():
                    part.mode_changed(lane, before)

    def tell(self, lane: Lane) -> None:
        """Have the gateway tell the lane's reader its mode."""
        self.lot.untold[lane.reader.id, lane.number] = None

    # -- time

    def ended(self, now_ms: int) -> list[tuple[str, Setting]]:
        """What was set by hand and is over. What a plan sets ends by its plan."""
        return [
            (at, setting)
            for at, stack in self.stacks.items()
            for setting in stack
            if not setting.plan and 0 < setting.until_ms <= now_ms
        ]

    def ends(self) -> Iterator[int]:
        """When something set by hand will be over."""
        for stack in self.stacks.values():
            yield from (s.until_ms for s in stack if s.until_ms and not s.plan)

    def by_hand(self, at: str) -> Stack:
        """What was set by hand at a scope."""
        return tuple(setting for setting in self.stacks.get(at, ()) if not setting.plan)

    # -- snapshots

    def dump(self) -> Any:
        return {at: msgspec.to_builtins(stack) for at, stack in self.stacks.items()}

    def load(self, data: Any) -> None:
        """The lanes' modes themselves are in the snapshot already."""
        self.stacks = {at: msgspec.convert(stack, Stack) for at, stack in data.items()}

    def adopt(self) -> None:
        """The lanes have modes from before there were layers: they hold until further notice."""
        for lane in self.lanes():
            if lane.mode != codes.NORMAL:
                at = at_lane(lane.reader.id, lane.number)
                self.stacks[at] = (Setting(lane.mode, 0, "", "set before modes had layers", 0),)


def _areas(area: Area | None) -> Iterator[str]:
    while area is not None:
        yield at_area(area.id)
        area = area.parent


def _scopes(lane: Lane) -> Iterator[str]:
    """From the most specific on."""
    yield at_lane(lane.reader.id, lane.number)
    yield from _areas(lane.area)
    yield LOT
