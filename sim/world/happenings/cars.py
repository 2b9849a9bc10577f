"""Cars come."""

import random
from typing import TYPE_CHECKING

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.cars import Driver, Step, population
from liftgate.sim.world.plan import Happening
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

MINUTE_MS = 60_000

VISITS_MAX = 400
"""Of one lot: what a seed's time allows. Lots are small, so that these fill them many times over."""

STAYS_MS = (3 * MINUTE_MS, 12 * MINUTE_MS, 40 * MINUTE_MS)


class Visit(Happening, frozen=True, kw_only=True):
    """Somebody with this card drives up to a barrier, and on to the next after a while."""

    card: int
    steps: tuple[Step, ...]

    def line(self) -> str:
        way = ", ".join(
            f"after {step.after_ms // 1000} s to {step.reader}/{step.lane}" for step in self.steps
        )
        return f"card-{self.card} drives {way}"

    def do(self, world: "World") -> None:
        Driver(world, self.card, self.steps, self.rng()).go()


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """As many visits as it takes to fill each lot, by cards of which some come while they are inside."""
    visits: list[Happening] = []
    for lot in shape.lots:
        stay_ms = rng.choice(STAYS_MS)
        count = int(span_ms / stay_ms * population(lot) * rng.uniform(0.3, 1.0)) + 40
        cards = population(lot)
        for _ in range(min(count, VISITS_MAX)):
            steps = draw_steps(rng, shape, lot, stay_ms)
            visits.append(
                Visit(
                    at_ms=rng.randrange(span_ms),
                    seed=rng.getrandbits(32),
                    card=rng.randrange(cards),
                    steps=steps,
                )
            )
    return visits


def draw_steps(rng: random.Random, shape: Shape, lot: LotConfig, stay_ms: int) -> tuple[Step, ...]:
    """The barriers of one visit, there and back."""
    steps = [_draw_step(rng, shape, lot, "out", False, 0)]
    if len(lot.areas) > 1 and rng.random() < 0.4:
        steps.append(_draw_step(rng, shape, lot, "in", False, _stay(rng, stay_ms / 8)))
        if rng.random() < 0.85:  # the others leave the inner area unseen
            steps.append(_draw_step(rng, shape, lot, "in", True, _stay(rng, stay_ms)))
    steps.append(_draw_step(rng, shape, lot, "out", True, _stay(rng, stay_ms)))
    return tuple(steps)


def _stay(rng: random.Random, mean_ms: float) -> int:
    return 1_000 + int(rng.expovariate(1 / mean_ms))


def _draw_step(rng: random.Random, shape: Shape, lot: LotConfig, area: str, out: bool, after_ms: int) -> Step:
    """One of the lanes that lead there, now and then one that does not."""
    lanes = [(r.id, lane) for r in shape.readers if r.lot == lot.id for lane in r.lanes]
    wanted = "exit" if out else "entry"
    right = [
        (reader, lane) for reader, lane in lanes if lane.area == area and lane.direction in (wanted, "both")
    ]
    reader, lane = rng.choice(right if right and rng.random() > 0.02 else lanes)
    return Step(reader, lane.number, after_ms, out)
