"""The rules that lots of a world begin with, by theme: each draws from a random source of its own."""

import random
from collections.abc import Callable
from typing import Any

import msgspec

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.rules import classes, entitlements, lanes, offline, passback, reservations, tickets
from liftgate.sim.world.rules.ledger import draw_ledger, draw_limits, draw_reconciliation
from liftgate.sim.world.shape import Shape
from liftgate.sim.world.wallet import secrets_of

DrawRules = Callable[[random.Random, Shape, LotConfig], dict[str, Any] | None]
"""The theme's rules for this lot, as the file would say them; None: this lot has none."""

RULES: tuple[tuple[str, DrawRules], ...] = (
    ("lanes", lanes.draw),
    ("entitlements", entitlements.draw),
    ("classes", classes.draw),
    ("ledger", draw_ledger),
    ("limits", draw_limits),
    ("reconciliation", draw_reconciliation),
    ("reservations", reservations.draw),
    ("passback", passback.draw_passback),
    ("identity", passback.draw_identity),
    ("tickets", tickets.draw),
    ("offline", offline.draw),
)
"""By theme; the name is part of the seed."""


def with_rules(shape: Shape, rng_of: Callable[[str], random.Random]) -> Shape:
    """The shape with every lot's rules. rng_of: the random source of a name."""
    sources = {theme: rng_of(f"rules.{theme}") for theme, _ in RULES}
    lots = tuple(_ruled(shape, lot, sources) for lot in shape.lots)
    return msgspec.structs.replace(shape, lots=lots)


def _ruled(shape: Shape, lot: LotConfig, sources: dict[str, random.Random]) -> LotConfig:
    drawn = {theme: draw(sources[theme], shape, lot) for theme, draw in RULES}
    ruled = msgspec.structs.replace(
        lot, rules={name: rules for name, rules in drawn.items() if rules is not None}
    )
    return msgspec.structs.replace(ruled, secrets=secrets_of(ruled))
