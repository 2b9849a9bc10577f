"""A plan: a shape, and what happens to it when. All of it comes from the seed before anything runs.

A happening that needs chance carries a seed of its own, so a plan with some happenings left out is the same
story without them: that is what shrinking needs.
"""

import importlib
import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from liftgate.sim.world.registry import with_registered
from liftgate.sim.world.rules import with_rules
from liftgate.sim.world.rules.classes import with_classes
from liftgate.sim.world.rules.lanes import with_ramps
from liftgate.sim.world.shape import Shape, draw_shape
from liftgate.sim.world.zones import with_zones

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

HOUR_MS = 3_600_000


def rng_of(seed: int, name: str) -> random.Random:
    """The random numbers of one purpose; those of another do not change them."""
    return random.Random(f"{seed}/{name}")


class Happening(Struct, frozen=True, kw_only=True):
    """Something that happens once. at_ms: since the world's start; seed: of its own chance."""

    at_ms: int
    seed: int = 0

    def line(self) -> str:
        """What happens, as one plain sentence."""
        raise NotImplementedError

    def do(self, world: "World") -> None:
        """Let it happen."""
        raise NotImplementedError

    def rng(self) -> random.Random:
        """Its own chance."""
        return random.Random(self.seed)


Drawer = Callable[[random.Random, Shape, int], list[Happening]]
"""Draws the happenings of one theme for a span in ms."""


class Plan(Struct, frozen=True, kw_only=True):
    """All that a world does. happenings: in the order of their times."""

    seed: int
    shape: Shape
    hours: float
    happenings: tuple[Happening, ...]

    @property
    def span_ms(self) -> int:
        """Until the world comes to rest."""
        return int(self.hours * HOUR_MS)


def draw_plan(seed: int, drawers: Iterable[tuple[str, Drawer]] | None = None) -> Plan:
    """The plan of a seed. drawers: named themes, all that there are unless given."""
    rng = rng_of(seed, "shape")
    shape = draw_shape(rng)
    hours = rng.choice((0.5, 1.0, 1.0, 2.0))
    span_ms = int(hours * HOUR_MS)
    shape = with_classes(shape, rng_of(seed, "shape.classes"))
    shape = with_zones(shape, rng_of(seed, "shape.zones"))
    shape = with_ramps(shape, rng_of(seed, "shape.ramps"))
    shape = with_rules(shape, lambda name: rng_of(seed, name))
    shape = with_registered(shape, rng_of(seed, "shape.registry"))
    happenings: list[Happening] = []
    for name, draw in all_drawers() if drawers is None else drawers:
        happenings += draw(rng_of(seed, name), shape, span_ms)
    happenings.sort(key=lambda happening: happening.at_ms)
    return Plan(seed=seed, shape=shape, hours=hours, happenings=tuple(happenings))


def all_drawers() -> Iterable[tuple[str, Drawer]]:
    """Those of `happenings/`. Found late: happenings need this module themselves."""
    drawers: Iterable[tuple[str, Drawer]] = importlib.import_module("liftgate.sim.world.happenings").DRAWERS
    return drawers
