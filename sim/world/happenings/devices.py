"""Devices lose power, time, connections and patience."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from liftgate.sim.world.cars import FOLLOWED, FORCED
from liftgate.sim.world.devices.session import Caller
from liftgate.sim.world.plan import HOUR_MS, Happening
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

MINUTE_MS = 60_000
BARRIER_DOWN, BARRIER_FAULT = 0, 3


class PowerCut(Happening, frozen=True, kw_only=True):
    """A reader loses power."""

    reader: str
    off_ms: int
    quiet: bool

    def line(self) -> str:
        how = "without a word" if self.quiet else "with a reset"
        return f"{self.reader} loses power for {self.off_ms} ms, {how}"

    def do(self, world: "World") -> None:
        world.readers[self.reader].power_cut(self.off_ms, close=not self.quiet)


class LogLost(Happening, frozen=True, kw_only=True):
    """A reader's event log is lost, and its numbering with it."""

    reader: str

    def line(self) -> str:
        return f"{self.reader} loses its event log and begins a new numbering"

    def do(self, world: "World") -> None:
        world.readers[self.reader].lose_log()


class ClockJump(Happening, frozen=True, kw_only=True):
    """A reader's clock jumps."""

    reader: str
    by_ms: int

    def line(self) -> str:
        return f"the clock of {self.reader} jumps by {self.by_ms} ms"

    def do(self, world: "World") -> None:
        world.readers[self.reader].clock_jump(self.by_ms)


class SecondConnection(Happening, frozen=True, kw_only=True):
    """A device connects while it is connected."""

    owner: str

    def line(self) -> str:
        return f"{self.owner} opens a second connection"

    def do(self, world: "World") -> None:
        device(world, self.owner).dial()


class HangUp(Happening, frozen=True, kw_only=True):
    """A device says goodbye and comes back."""

    owner: str

    def line(self) -> str:
        return f"{self.owner} says goodbye and connects again"

    def do(self, world: "World") -> None:
        device(world, self.owner).hang_up()


class SentAgain(Happening, frozen=True, kw_only=True):
    """A reader forgets that its last events were answered."""

    reader: str
    count: int

    def line(self) -> str:
        return f"{self.reader} sends its last {self.count} answered events again"

    def do(self, world: "World") -> None:
        world.readers[self.reader].send_again(self.count)


class LaneFault(Happening, frozen=True, kw_only=True):
    """A lane reports a fault, and later that it is over."""

    reader: str
    lane: int
    for_ms: int

    def line(self) -> str:
        return f"{self.reader}/{self.lane} reports a fault for {self.for_ms} ms"

    def do(self, world: "World") -> None:
        reader = world.readers[self.reader]
        reader.status(self.lane, BARRIER_FAULT, loop=True, faults=("motor", "loop"))
        world.loop.after(self.for_ms, lambda: reader.status(self.lane, BARRIER_DOWN))


class Intruder(Happening, frozen=True, kw_only=True):
    """A car that shows no card goes through a lane."""

    reader: str
    lane: int
    what: int

    def line(self) -> str:
        how = "behind another" if self.what == FOLLOWED else "through the barrier"
        return f"a car without a card goes {how} at {self.reader}/{self.lane}"

    def do(self, world: "World") -> None:
        world.readers[self.reader].passage(self.lane, self.what)


class SinkFails(Happening, frozen=True, kw_only=True):
    """A subscriber's sink takes nothing for a while."""

    subscriber: str
    for_ms: int

    def line(self) -> str:
        return f"the sink of {self.subscriber} takes nothing for {self.for_ms} ms"

    def do(self, world: "World") -> None:
        world.subscribers[self.subscriber].sink_fails(self.for_ms)


class SubscriberGone(Happening, frozen=True, kw_only=True):
    """A subscriber's process ends and comes back later."""

    subscriber: str
    off_ms: int

    def line(self) -> str:
        return f"{self.subscriber} is gone for {self.off_ms} ms"

    def do(self, world: "World") -> None:
        world.subscribers[self.subscriber].restart(self.off_ms)


def device(world: "World", owner: str) -> Caller:
    """Whoever has that id."""
    return {**world.readers, **world.services, **world.subscribers}[owner]


Draw = Callable[[random.Random, Shape, int], Happening]


def _power_cut(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    off_ms = rng.choice((200, 5_000, MINUTE_MS, 10 * MINUTE_MS))
    return PowerCut(at_ms=at_ms, reader=_reader(rng, shape), off_ms=off_ms, quiet=rng.random() < 0.5)


def _log_lost(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return LogLost(at_ms=at_ms, reader=_reader(rng, shape))


def _clock_jump(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    by_ms = rng.choice((-24 * HOUR_MS, -HOUR_MS, -11_000, -9_000, 3_000, 10_001, 2 * HOUR_MS))
    return ClockJump(at_ms=at_ms, reader=_reader(rng, shape), by_ms=by_ms)


def _second_connection(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return SecondConnection(at_ms=at_ms, owner=rng.choice(shape.owners()))


def _hang_up(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return HangUp(at_ms=at_ms, owner=rng.choice(shape.owners()))


def _sent_again(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return SentAgain(at_ms=at_ms, reader=_reader(rng, shape), count=rng.choice((1, 5, 30, 300)))


def _lane_fault(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    reader, lane = _lane(rng, shape)
    return LaneFault(at_ms=at_ms, reader=reader, lane=lane, for_ms=rng.randrange(1_000, 5 * MINUTE_MS))


def _intruder(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    reader, lane = _lane(rng, shape)
    return Intruder(at_ms=at_ms, reader=reader, lane=lane, what=rng.choice((FOLLOWED, FOLLOWED, FORCED)))


def _sink_fails(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    for_ms = rng.choice((1_000, MINUTE_MS, 20 * MINUTE_MS))
    return SinkFails(at_ms=at_ms, subscriber=rng.choice(shape.subscribers).id, for_ms=for_ms)


def _subscriber_gone(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    off_ms = rng.choice((100, MINUTE_MS, 10 * MINUTE_MS, 40 * MINUTE_MS))
    return SubscriberGone(at_ms=at_ms, subscriber=rng.choice(shape.subscribers).id, off_ms=off_ms)


_KINDS: tuple[tuple[Draw, int], ...] = (
    (_power_cut, 4),
    (_log_lost, 1),
    (_clock_jump, 2),
    (_second_connection, 4),
    (_hang_up, 2),
    (_sent_again, 3),
    (_lane_fault, 2),
    (_intruder, 3),
    (_sink_fails, 2),
    (_subscriber_gone, 2),
)
"""What happens to devices, with how often beside each other."""


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """A handful to some dozens; in some worlds only a few kinds, so that each is seen alone too."""
    kinds = rng.sample(_KINDS, rng.choice((2, 4, len(_KINDS))))
    draws = [draw_one for draw_one, often in kinds for _ in range(often)]
    return [rng.choice(draws)(rng, shape, rng.randrange(span_ms)) for _ in range(rng.randrange(4, 30))]


def _reader(rng: random.Random, shape: Shape) -> str:
    return rng.choice(shape.readers).id


def _lane(rng: random.Random, shape: Shape) -> tuple[str, int]:
    reader = rng.choice(shape.readers)
    return reader.id, rng.choice(reader.lanes).number
