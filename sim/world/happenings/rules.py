"""Rules change while the lot runs: a theme is switched on or off, or says something else, cars inside."""

import random

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.happenings.services import ACTOR, MINUTE_MS, Ordered
from liftgate.sim.world.plan import Happening
from liftgate.sim.world.rules import classes, entitlements, lanes, reservations
from liftgate.sim.world.shape import Shape

THEMES = {
    "lanes": lanes.draw,
    "entitlements": entitlements.draw,
    "classes": classes.draw,
    "reservations": reservations.draw,
}
"""Those of `ledger.py` are drawn there."""


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """In about half of the lots; there mostly to themes that they began with, which others here order for."""
    happenings: list[Happening] = []
    for lot in shape.lots:
        for _ in range(rng.choice((0, 0, 1, 3, 6))):
            known = [theme for theme in THEMES if theme in lot.rules]
            theme = rng.choice(known if known and rng.random() < 0.8 else list(THEMES))
            change = _break if theme in lot.rules and rng.random() < 0.5 else _other
            happenings += change(rng, shape, lot, theme, span_ms)
    return happenings


def _other(rng: random.Random, shape: Shape, lot: LotConfig, theme: str, span_ms: int) -> list[Happening]:
    """Drawn anew, or none."""
    return [_set(rng, shape, lot, rng.randrange(span_ms), theme, THEMES[theme](rng, shape, lot))]


def _break(rng: random.Random, shape: Shape, lot: LotConfig, theme: str, span_ms: int) -> list[Happening]:
    """Off for some minutes, then as the file says it: what was kept meanwhile holds again."""
    off_ms = rng.randrange(span_ms)
    on_ms = min(off_ms + rng.randrange(1_000, 20 * MINUTE_MS), span_ms)
    off = _set(rng, shape, lot, off_ms, theme, None)
    return [off, _set(rng, shape, lot, on_ms, theme, lot.rules[theme])]


def _set(
    rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int, theme: str, rules: object
) -> Happening:
    args = {"rules": {theme: rules}, "actor": ACTOR, "reason": "tried"}
    service = rng.choice(shape.services).id
    return Ordered(
        at_ms=at_ms, seed=rng.getrandbits(64), service=service, lot=lot.id, name="set_rules", args=args
    )
