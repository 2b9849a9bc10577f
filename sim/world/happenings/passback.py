"""Drivers whose credential is not where it should be, plates beside cards, and orders about both."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.cars import PLATE, Driver, Step, credential, population
from liftgate.sim.world.devices.log import Answer
from liftgate.sim.world.happenings.cars import Visit
from liftgate.sim.world.happenings.entitlements import GROUPS
from liftgate.sim.world.happenings.services import ACTOR, Asked, Order, Ordered
from liftgate.sim.world.plan import Happening
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

MINUTE_MS = 60_000
_MISREAD = {"0": "O", "O": "D", "1": "I", "I": "T", "8": "B", "B": "8", "5": "S", "2": "X", "A": "4"}


class PlatedDriver(Driver):
    """A driver whose plate is read before the card, by cameras that see what they see."""

    __slots__ = ("plates",)

    plates: tuple[bytes, ...]

    def _scan(self) -> None:
        step = self._steps[0]
        plate = self.plates[len(self._steps) % len(self.plates)]
        self._world.readers[step.reader].scan(step.lane, PLATE, plate, _ignore)
        self._later(200, 7_000, super()._scan)


class PlatedVisit(Happening, frozen=True, kw_only=True):
    """Somebody drives in and out, and cameras read the plate, not always alike."""

    card: int
    steps: tuple[Step, ...]
    plates: tuple[bytes, ...]

    def line(self) -> str:
        plates = ", ".join(plate.decode() for plate in self.plates)
        way = ", ".join(f"after {step.after_ms // 1000} s {step.reader}/{step.lane}" for step in self.steps)
        return f"card-{self.card} with plate {plates} drives {way}"

    def do(self, world: "World") -> None:
        driver = PlatedDriver(world, self.card, self.steps, self.rng())
        driver.plates = self.plates
        driver.go()


def _ignore(answer: Answer) -> None:
    """Nobody sees what is answered to a camera."""


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """In lots that have such rules, and now and then in others: its orders work in every lot."""
    happenings: list[Happening] = []
    for lot in shape.lots:
        ruled = "passback" in lot.rules or "identity" in lot.rules
        count = rng.randrange(4, 14) if ruled else rng.choice((0, 0, 3))
        for _ in range(count):
            at_ms = rng.randrange(span_ms)
            happenings += rng.choice(_SCENES)(rng, shape, lot, at_ms)
            happenings.append(_ask(rng, shape, lot, min(span_ms, at_ms + rng.randrange(2 * MINUTE_MS))))
    return [each for each in happenings if each.at_ms <= span_ms]


def _twice(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """In, and in again when the time of a `timed` lot is just not or just over."""
    within_ms = lot.rules.get("passback", {}).get("within_s", 60) * 1000
    area = rng.choice(lot.areas).id
    ways = [_step(rng, shape, lot, "out", False, 0)]
    if area != "out":
        ways.append(_step(rng, shape, lot, area, False, 5_000))
    ways.append(_step(rng, shape, lot, area, False, max(1_000, within_ms + rng.randrange(-9_000, 3_000))))
    ways.append(_step(rng, shape, lot, "out", True, rng.randrange(10 * MINUTE_MS)))
    return [_visit(rng, lot, at_ms, tuple(ways))]


def _stranger(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """Out, or into the inner area, without having come in."""
    area = rng.choice(lot.areas).id
    return [_visit(rng, lot, at_ms, (_step(rng, shape, lot, area, area == "out" or rng.random() < 0.5, 0),))]


def _stays(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """In, and not out again."""
    return [_visit(rng, lot, at_ms // 4, (_step(rng, shape, lot, "out", False, 0),))]


def _plated(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """In and out under plates that are the same, nearly, or another's."""
    plate = "".join(rng.choice("B0O1I58A2TX") for _ in range(rng.randrange(4, 8)))
    read = "".join(_MISREAD.get(char, char) if rng.random() < 0.2 else char for char in plate)
    if rng.random() < 0.2:
        read = plate[:-1] if rng.random() < 0.5 else "XYZ999"
    steps = (
        _step(rng, shape, lot, "out", False, 0),
        _step(rng, shape, lot, "out", True, rng.randrange(20_000, 15 * MINUTE_MS)),
    )
    plates = (f"{plate[:2]}-{plate[2:].lower()}".encode(), read.encode())
    card = rng.randrange(population(lot))
    return [PlatedVisit(at_ms=at_ms, seed=rng.getrandbits(64), card=card, steps=steps, plates=plates)]


def _held_open(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """A lane is held open, cars go through, and some come back with their cards."""
    readers = [reader for reader in shape.readers if reader.lot == lot.id]
    reader = rng.choice(readers)
    lane = {"reader": reader.id, "lane": rng.choice(reader.lanes).number, "actor": ACTOR}
    until_ms = at_ms + rng.randrange(MINUTE_MS, 4 * MINUTE_MS)
    scene = [
        _order(rng, shape, lot, at_ms, ("set_lane", {**lane, "mode": 2})),
        _order(rng, shape, lot, until_ms, ("set_lane", {**lane, "mode": 1})),
    ]
    for _ in range(3):
        scene += _stranger(rng, shape, lot, rng.randrange(at_ms, until_ms + 2 * MINUTE_MS))
        scene += _twice(rng, shape, lot, rng.randrange(at_ms, until_ms))
    return scene


def _reset(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """Some, or all, are believed no more; strangers leave."""
    some = [_card(rng.randrange(population(lot))) for _ in range(rng.randrange(1, 6))]
    whose: list[dict[str, Any]] = [{"whole": True}, {"credentials": some}, {"credentials": some}, {}]
    args = rng.choice([*whose, *({"group": group} for group in (*GROUPS, "x"))])
    order = _order(
        rng, shape, lot, at_ms, ("reset_passbacks", {**args, "actor": ACTOR, "reason": "power cut"})
    )
    return [order, *_stranger(rng, shape, lot, at_ms + rng.randrange(MINUTE_MS))]


def _lost(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """A ticket is lost and replaced, or not; who has the old one and who has the new one want to leave."""
    card, spare = rng.randrange(population(lot)), population(lot) + rng.randrange(20)
    came_in = shape.start_ms + max(0, at_ms - rng.randrange(20 * MINUTE_MS))
    args: dict[str, Any] = {"cause": "lost on deck 2", "actor": ACTOR}
    chance = rng.random()
    if chance < 0.7:
        args["credential"] = _card(card)
    else:
        args |= {"entered_at_ms": came_in, "within_s": rng.choice((30, 300))}
    if rng.random() < 0.7:
        args["replacement"] = _card(spare)
        if rng.random() < 0.4:
            args |= {"create": True, "entered_at_ms": came_in}
    scene = [
        _visit(rng, lot, max(0, at_ms - 3 * MINUTE_MS), (_step(rng, shape, lot, "out", False, 0),), card)
    ]
    scene.append(_order(rng, shape, lot, at_ms, ("lost_ticket", args)))
    for who in (card, spare):
        leaves_ms = at_ms + rng.randrange(5 * MINUTE_MS)
        scene.append(_visit(rng, lot, leaves_ms, (_step(rng, shape, lot, "out", True, 0),), who))
    if rng.random() < 0.3:
        allowed = ("allow_credential", {**_card(card), "actor": ACTOR})
        scene.append(_order(rng, shape, lot, at_ms + 2 * MINUTE_MS, allowed))
    return scene


def _lost_by_plate(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """A driver knows no more than the plate, and the time or not; the ticket is replaced, or not."""
    plate = "".join(rng.choice("B0O1I58A2TX") for _ in range(5))
    steps = (_step(rng, shape, lot, "out", False, 0),)
    came_in_ms = max(0, at_ms - rng.randrange(MINUTE_MS, 5 * MINUTE_MS))
    card, seed = rng.randrange(population(lot)), rng.getrandbits(64)
    visit = PlatedVisit(at_ms=came_in_ms, seed=seed, card=card, steps=steps, plates=(plate.encode(),))
    nearly = "".join(_MISREAD.get(char, char) for char in plate)
    said = f"{plate[:2]} {plate[2:].lower()}" if rng.random() < 0.7 else nearly
    args: dict[str, Any] = {"plate": said, "cause": "lost, plate seen", "actor": ACTOR}
    if rng.random() < 0.5:
        args |= {"entered_at_ms": shape.start_ms + came_in_ms, "within_s": rng.choice((60, 300))}
    spare = population(lot) + rng.randrange(20)
    if rng.random() < 0.7:
        args["replacement"] = _card(spare)
    leaves_ms = at_ms + rng.randrange(5 * MINUTE_MS)
    leaves = _visit(rng, lot, leaves_ms, (_step(rng, shape, lot, "out", True, 0),), spare)
    return [visit, _order(rng, shape, lot, at_ms, ("lost_ticket", args)), leaves]


def _swapped(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> list[Happening]:
    """A stay goes on under another card, or is ended by hand."""
    card, spare = rng.randrange(population(lot)), rng.randrange(population(lot) + 20)
    scene = [
        _visit(rng, lot, max(0, at_ms - 3 * MINUTE_MS), (_step(rng, shape, lot, "out", False, 0),), card)
    ]
    if rng.random() < 0.4:
        return [*scene, _order(rng, shape, lot, at_ms, ("close_stay", {**_card(card), "actor": ACTOR}))]
    swap = {"before": _card(card), "after": _card(spare), "actor": ACTOR}
    leaves_ms = at_ms + rng.randrange(5 * MINUTE_MS)
    leaves = _visit(rng, lot, leaves_ms, (_step(rng, shape, lot, "out", True, 0),), spare)
    return [*scene, _order(rng, shape, lot, at_ms, ("swap_credential", swap)), leaves]


_SCENES: tuple[Callable[[random.Random, Shape, LotConfig, int], list[Happening]], ...] = (
    _twice,
    _twice,
    _stranger,
    _stays,
    _plated,
    _plated,
    _plated,
    _held_open,
    _reset,
    _lost,
    _lost,
    _lost_by_plate,
    _swapped,
)


def _visit(
    rng: random.Random, lot: LotConfig, at_ms: int, steps: tuple[Step, ...], card: int | None = None
) -> Happening:
    who = rng.randrange(population(lot)) if card is None else card
    return Visit(at_ms=at_ms, seed=rng.getrandbits(64), card=who, steps=steps)


def _step(rng: random.Random, shape: Shape, lot: LotConfig, area: str, out: bool, after_ms: int) -> Step:
    """A lane of the area that leads that way."""
    wanted = ("exit" if out else "entry", "both")
    lanes = [
        (reader.id, lane.number)
        for reader in shape.readers
        if reader.lot == lot.id
        for lane in reader.lanes
        if lane.area == area and lane.direction in wanted
    ]
    reader, number = rng.choice(lanes)
    return Step(reader, number, after_ms, out)


def _order(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int, order: Order) -> Happening:
    name, args = order
    seed, service = rng.getrandbits(64), rng.choice(shape.services).id
    return Ordered(at_ms=at_ms, seed=seed, service=service, lot=lot.id, name=name, args=args)


def _ask(rng: random.Random, shape: Shape, lot: LotConfig, at_ms: int) -> Happening:
    service = rng.choice(shape.services).id
    early: dict[str, Any] = {"entered_before_ms": shape.start_ms + rng.randrange(at_ms + 1)}
    if rng.random() < 0.5:
        early["limit"] = rng.randrange(1, 6)
    name, args = rng.choice((("doubtful", {}), ("open_stays", early), ("lost_credentials", {})))
    return Asked(at_ms=at_ms, service=service, lot=lot.id, name=name, args=args)


def _card(card: int) -> dict[str, Any]:
    kind, token = credential(card)
    return {"kind": kind, "token": token}
