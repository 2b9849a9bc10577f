"""Passes, visitors, groups and chargers: desks order, and holders drive."""

import random
from datetime import timedelta
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.cars import capacity, credential, population
from liftgate.sim.world.happenings.cars import Visit, draw_steps
from liftgate.sim.world.happenings.services import ACTOR, Asked, Ordered
from liftgate.sim.world.plan import Happening
from liftgate.sim.world.rules.classes import CLASSES
from liftgate.sim.world.shape import Shape
from liftgate.sim.world.zones import clock, draw_days, today

MINUTE_MS = 60_000
NAMES = ("p0", "p1", "p2", "p3", "p4", "p5")
GROUPS = ("acme", "club")

Order = tuple[str, dict[str, Any]]


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """In lots that have the rules; now and then an order in one that has none."""
    happenings: list[Happening] = []
    for lot in shape.lots:
        if "entitlements" in lot.rules:
            happenings += _draw_holders(rng, shape, lot, span_ms)
        if "classes" in lot.rules:
            happenings += _draw_chargers(rng, shape, lot, span_ms)
            happenings += _draw_registered(rng, shape, lot, span_ms)
        if not lot.rules and rng.random() < 0.3:
            order = rng.choice((_issue(rng, shape, lot, span_ms), _charger(rng, lot), _set_group(rng, lot)))
            happenings.append(_ordered(rng, shape, lot, rng.randrange(span_ms), order))
    return happenings


def _draw_holders(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> list[Happening]:
    """Passes and groups early on, changes all along, questions, and more visits by a few of the cards."""
    happenings: list[Happening] = []
    early_ms = span_ms // 8
    for _ in range(rng.randint(3, 9)):
        order = _issue(rng, shape, lot, span_ms)
        happenings.append(_ordered(rng, shape, lot, rng.randrange(early_ms), order))
    for _ in range(rng.randint(0, 3)):
        happenings.append(_ordered(rng, shape, lot, rng.randrange(early_ms), _set_group(rng, lot)))
    for _ in range(rng.randint(2, 10)):
        change = rng.choice((_issue, _change, _change, _revoke, _regroup, _regroup, _remove_group, _wrong))
        happenings.append(
            _ordered(rng, shape, lot, rng.randrange(span_ms), change(rng, shape, lot, span_ms)),
        )
    for _ in range(rng.randint(2, 8)):
        happenings.append(_question(rng, shape, lot, span_ms))
    for _ in range(rng.randint(5, 25)):
        steps = draw_steps(rng, shape, lot, rng.choice((2, 8)) * MINUTE_MS)
        at_ms, card = rng.randrange(span_ms), _card(rng, lot)
        happenings.append(Visit(at_ms=at_ms, seed=rng.getrandbits(32), card=card, steps=steps))
    return happenings


def _ordered(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int, order: Order) -> Happening:
    name, args = order
    service = rng.choice(shape.services).id
    args = {**args, "actor": ACTOR}
    return Ordered(at_ms=at_ms, seed=rng.getrandbits(64), service=service, lot=lot.id, name=name, args=args)


def _card(rng: random.Random, lot: LotConfig) -> int:
    """Mostly one of a few, so that the same card has passes, groups and visits."""
    return rng.randrange(min(population(lot), 8) if rng.random() < 0.7 else population(lot))


def _credentials(rng: random.Random, lot: LotConfig, most: int) -> list[dict[str, Any]]:
    cards = (credential(_card(rng, lot)) for _ in range(rng.randint(1, most)))
    return [{"kind": kind, "token": token} for kind, token in cards]


def _issue(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Order:
    said = {"name": rng.choice(NAMES), "credentials": _credentials(rng, lot, 3)}
    return "issue_pass", said | _limits(rng, shape, lot, span_ms)


def _limits(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> dict[str, Any]:
    """Some of what a pass may say; times begin and end while the world goes on."""
    said: dict[str, Any] = {}
    day = today(shape, lot)
    if rng.random() < 0.3:
        said["valid_from"] = rng.choice((shape.start_ms + rng.randrange(span_ms // 2), day.isoformat(), None))
    if rng.random() < 0.4:
        said["valid_until"] = rng.choice(
            (
                shape.start_ms + rng.randrange(1, span_ms),
                day.isoformat(),
                (day - timedelta(days=1)).isoformat(),
            )
        )
    if rng.random() < 0.3:
        begin, end = sorted(rng.sample(range(120), 2))
        said["weekly"] = [{"from": clock(shape, lot, begin), "to": clock(shape, lot, end)}]
        if rng.random() < 0.5:
            said["weekly"][0]["days"] = draw_days(rng, shape, lot, begin)
    if rng.random() < 0.4:
        said["areas"] = [rng.choice(lot.areas).id]
    if rng.random() < 0.4:
        said["classes"] = rng.sample(("standard", *CLASSES), rng.randint(1, 3))
    if rng.random() < 0.5:
        said["uses"] = rng.choice((1, 1, 2, 5))
    return said


def _change(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Order:
    said = {"name": rng.choice(NAMES), **_limits(rng, shape, lot, span_ms)}
    if rng.random() < 0.3:
        said["credentials"] = _credentials(rng, lot, 3)
    return "change_pass", said


def _revoke(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Order:
    return "revoke_pass", {"name": rng.choice(NAMES)}


def _set_group(rng: random.Random, lot: LotConfig) -> Order:
    said: dict[str, Any] = {"name": rng.choice(GROUPS), "add": _credentials(rng, lot, 8)}
    said["limit"] = rng.choice((None, 0, 1, 2, capacity(lot) // 3))
    if rng.random() < 0.5:
        said["areas"] = {rng.choice(lot.areas).id: rng.randint(0, 2)}
    if rng.random() < 0.5:
        said["over"] = rng.choice(("refuse", "casual"))
    return "set_group", said


def _regroup(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Order:
    said: dict[str, Any] = {"name": rng.choice(GROUPS)}
    if rng.random() < 0.5:
        said["limit"] = rng.randint(0, 4)
    if rng.random() < 0.5:
        said["over"] = rng.choice(("refuse", "casual"))
    said[rng.choice(("add", "remove"))] = _credentials(rng, lot, 2)
    return "set_group", said


def _remove_group(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Order:
    return "remove_group", {"name": rng.choice(GROUPS)}


def _wrong(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Order:
    """What cannot be done."""
    return rng.choice(
        (
            ("issue_pass", {"name": "px", "credentials": []}),
            ("issue_pass", {"name": "px", "credentials": _credentials(rng, lot, 1), "areas": ["nowhere"]}),
            ("issue_pass", {"name": "p0", "credentials": _credentials(rng, lot, 1), "colour": "red"}),
            ("set_group", {"name": "acme", "areas": {"nowhere": 1}}),
            ("revoke_pass", {"name": "none"}),
            ("charger_reports", {"state": "full"}),
        )
    )


def _question(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Happening:
    kind, token = credential(_card(rng, lot))
    questions: tuple[Order, ...] = (
        ("passes", {"kind": kind, "token": token}),
        ("pass", {"name": rng.choice(NAMES)}),
        ("group", {"name": rng.choice(GROUPS)}),
        ("groups", {}),
    )
    name, args = rng.choice(questions)
    service = rng.choice(shape.services).id
    return Asked(at_ms=rng.randrange(span_ms), service=service, lot=lot.id, name=name, args=args)


def _draw_chargers(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> list[Happening]:
    times = [rng.randrange(span_ms) for _ in range(rng.randint(2, 15))]
    return [_ordered(rng, shape, lot, at_ms, _charger(rng, lot)) for at_ms in times]


def _charger(rng: random.Random, lot: LotConfig) -> Order:
    """About one of the first spots of a block, where cars are."""
    state = rng.choice(("charging", "full", "full", "full", "unplugged"))
    spots = rng.choice([spots for area in lot.areas for spots in area.spots])
    chance = rng.random()
    if chance < 0.05:
        return "charger_reports", {"state": state, "session": rng.randbytes(16)}
    name = (
        "P9-Z-001"
        if chance < 0.1
        else f"{spots.level}-{spots.prefix}-{rng.randint(1, min(3, spots.count)):03d}"
    )
    return "charger_reports", {"state": state, "spot": name}


def _draw_registered(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> list[Happening]:
    """Cards for spots of other classes."""
    orders = []
    for _ in range(rng.randint(1, 6)):
        kind, token = credential(_card(rng, lot))
        classes = rng.sample(("standard", *CLASSES), rng.randint(1, 2))
        args = {"kind": kind, "token": token, "classes": classes}
        order = ("register_credential", args)
        orders.append(_ordered(rng, shape, lot, rng.randrange(span_ms // 2), order))
    return orders
