"""People at desks, and programs, order and ask."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.cars import capacity, credential, population
from liftgate.sim.world.plan import Happening
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

MINUTE_MS = 60_000
NORMAL = 1
ACTOR = "desk"


class Ordered(Happening, frozen=True, kw_only=True):
    """A service sends a command."""

    service: str
    lot: str
    name: str
    args: dict[str, Any]

    def line(self) -> str:
        args = ", ".join(f"{key} {value!r}" for key, value in self.args.items() if key != "actor")
        return f"{self.service} orders {self.name} in {self.lot}: {args}"

    def do(self, world: "World") -> None:
        id = self.rng().randbytes(16)
        world.services[self.service].order(id, self.lot, self.name, dict(self.args))


class OrderedAgain(Happening, frozen=True, kw_only=True):
    """A service sends its last commands again, under their ids."""

    service: str
    count: int

    def line(self) -> str:
        return f"{self.service} sends its last {self.count} commands again"

    def do(self, world: "World") -> None:
        world.services[self.service].order_again(self.count)


class Asked(Happening, frozen=True, kw_only=True):
    """A service asks about a lot."""

    service: str
    lot: str
    name: str
    args: dict[str, Any]

    def line(self) -> str:
        return f"{self.service} asks {self.name} of {self.lot}"

    def do(self, world: "World") -> None:
        args = dict(self.args)
        if self.name == "why":
            args["boot"] = world.readers[args["reader"]].log.boot
        world.services[self.service].query(self.lot, self.name, args)


Order = tuple[str, dict[str, Any]]


def _correct_count(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    area = rng.choice(lot.areas).id if rng.random() < 0.95 else "nowhere"
    to = rng.randrange(capacity(lot) + 4)
    return "correct_count", {"area": area, "to": to, "actor": ACTOR, "reason": "counted"}


def _set_lane(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    mode = rng.choice((NORMAL, 2, 3, 4, 5))
    return "set_lane", {**_lane(rng, shape, lot), "mode": mode, "actor": ACTOR}


def _open_lane(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    return "open_lane", {**_lane(rng, shape, lot), "cause": "help", "actor": ACTOR}


def _display(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    text = rng.choice(("", "Welcome", "Straße gesperrt", "x" * 512))
    return "display", {**_lane(rng, shape, lot), "text": text, "seconds": 10, "actor": ACTOR}


def _of_credential(name: str) -> Callable[[random.Random, Shape, LotConfig], Order]:
    def draw_order(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
        return name, {**_card(rng.randrange(population(lot))), "actor": ACTOR}

    return draw_order


def _wrong(rng: random.Random, shape: Shape, lot: LotConfig) -> Order:
    """What cannot be done."""
    return rng.choice(
        (
            ("correct_count", {"area": "out", "to": -1, "actor": ACTOR, "reason": ""}),
            ("set_lane", {"reader": "nobody", "lane": 0, "mode": 1, "actor": ACTOR}),
            ("open_lane", {**_lane(rng, shape, lot), "lane": 99, "cause": "", "actor": ACTOR}),
            ("deny_credential", {"kind": 9, "token": b"x", "actor": ACTOR}),
            ("reset_passback", {"kind": 2, "token": b"", "actor": ACTOR}),
            ("paint_spots", {}),
        )
    )


_ORDERS: tuple[tuple[Callable[[random.Random, Shape, LotConfig], Order], int], ...] = (
    (_correct_count, 2),
    (_set_lane, 3),
    (_open_lane, 6),
    (_display, 1),
    (_of_credential("deny_credential"), 4),
    (_of_credential("allow_credential"), 3),
    (_of_credential("register_credential"), 3),
    (_of_credential("forget_credential"), 2),
    (_of_credential("reset_passback"), 5),
    (_wrong, 1),
)
"""What is ordered, with how often beside each other."""


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """Orders in every lot, what was ordered sent again, and questions."""
    happenings: list[Happening] = []
    for lot in shape.lots:
        happenings += _draw_registrations(rng, shape, lot)
        for _ in range(rng.randrange(5, 40)):
            happenings += _draw_orders(rng, shape, lot, span_ms)
        for _ in range(rng.randrange(3, 15)):
            happenings.append(_draw_question(rng, shape, lot, span_ms))
    for _ in range(rng.randrange(4)):
        at_ms, service = rng.randrange(span_ms), rng.choice(shape.services).id
        happenings.append(OrderedAgain(at_ms=at_ms, service=service, count=rng.choice((1, 3, 100))))
    return happenings


def _draw_registrations(rng: random.Random, shape: Shape, lot: LotConfig) -> list[Happening]:
    """Where a lane takes only registered cards, half of all who come are."""
    if all(
        lane.cards != "known" for reader in shape.readers if reader.lot == lot.id for lane in reader.lanes
    ):
        return []
    cards = rng.sample(range(population(lot)), population(lot) // 2)
    return [
        _order(rng, shape, lot, 1_000 + 200 * n, ("register_credential", {**_card(card), "actor": ACTOR}))
        for n, card in enumerate(cards)
    ]


def _draw_orders(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> list[Happening]:
    """An order, and what sets a lane right again: a lot that stays closed is not worth its time."""
    draws = [draw_order for draw_order, often in _ORDERS for _ in range(often)]
    name, args = rng.choice(draws)(rng, shape, lot)
    at_ms = rng.randrange(span_ms)
    orders = [_order(rng, shape, lot, at_ms, (name, args))]
    if name == "set_lane" and args["mode"] != NORMAL:
        later_ms = at_ms + rng.randrange(MINUTE_MS, 15 * MINUTE_MS)
        orders.append(_order(rng, shape, lot, min(later_ms, span_ms), (name, {**args, "mode": NORMAL})))
    return orders


def _order(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int, order: Order) -> Happening:
    name, args = order
    lot_id = lot.id if rng.random() < 0.98 else "nowhere"
    service = rng.choice(shape.services).id
    return Ordered(at_ms=at_ms, seed=rng.getrandbits(64), service=service, lot=lot_id, name=name, args=args)


def _draw_question(rng: random.Random, shape: Shape, lot: LotConfig, span_ms: int) -> Happening:
    _, token = credential(rng.randrange(population(lot)))
    reader = rng.choice([reader.id for reader in shape.readers if reader.lot == lot.id])
    questions: tuple[Order, ...] = (
        ("occupancy", {}),
        ("occupancy", {}),
        ("occupancy", {}),
        ("session", {"credential": token}),
        ("why", {"reader": reader, "no": 1 + int(rng.expovariate(0.1))}),
        ("lanes", {}),
    )
    name, args = rng.choice(questions)
    service = rng.choice(shape.services).id
    return Asked(at_ms=rng.randrange(span_ms), service=service, lot=lot.id, name=name, args=args)


def _card(card: int) -> dict[str, Any]:
    kind, token = credential(card)
    return {"kind": kind, "token": token}


def _lane(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any]:
    reader = rng.choice([reader for reader in shape.readers if reader.lot == lot.id])
    return {"reader": reader.id, "lane": rng.choice(reader.lanes).number}
