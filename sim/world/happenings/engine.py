"""The engine's process ends and starts again, sometimes with another configuration."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from liftgate.sim.world.plan import Happening
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World


class Killed(Happening, frozen=True, kw_only=True):
    """The process is killed between two operations."""

    def line(self) -> str:
        return "the engine is killed"

    def do(self, world: "World") -> None:
        world.node.kill()


class PowerGone(Happening, frozen=True, kw_only=True):
    """The engine's machine loses power: what was not synced may be lost, and no device is told."""

    def line(self) -> str:
        return "the engine's machine loses power"

    def do(self, world: "World") -> None:
        world.node.power_cut()


class Stopped(Happening, frozen=True, kw_only=True):
    """The engine is stopped in order and started again."""

    def line(self) -> str:
        return "the engine is stopped in order and started again"

    def do(self, world: "World") -> None:
        world.node.stop()


class EndsWithin(Happening, frozen=True, kw_only=True):
    """The process ends in the midst of the n-th operation on its disk from now on; with the power, if so.

    started: it is killed first, so that this comes while it starts.
    """

    operations: int
    power: bool
    starting: bool

    def line(self) -> str:
        what = "the engine's machine loses power" if self.power else "the engine is killed"
        return f"{what} within operation {self.operations} on its disk{' of its next start' * self.starting}"

    def do(self, world: "World") -> None:
        if self.starting:
            world.node.kill()
        world.node.end_within(self.operations, self.power)


class FoldCut(Happening, frozen=True, kw_only=True):
    """A snapshot is begun, and all ends while it is half written."""

    power: bool

    def line(self) -> str:
        how = "the power goes" if self.power else "the engine is killed"
        return f"a snapshot is begun, and {how} while it is half written"

    def do(self, world: "World") -> None:
        world.node.fold_cut(self.power)


class Folded(Happening, frozen=True, kw_only=True):
    """A snapshot is made earlier than it would be."""

    def line(self) -> str:
        return "a snapshot is made"

    def do(self, world: "World") -> None:
        world.node.fold()


class KeyRotated(Happening, frozen=True, kw_only=True):
    """A reader gets a new key, and the engine's file says so from its next start on, which comes at once."""

    reader: str
    key: bytes

    def line(self) -> str:
        return f"{self.reader} gets a new key, and the engine is restarted with it"

    def do(self, world: "World") -> None:
        if not world.shape.reader(self.reader).registered:  # whose key the file does not have
            world.reshape(world.newest_shape.with_reader(self.reader, key=self.key))
            world.node.stop()


class ReaderReplaced(Happening, frozen=True, kw_only=True):
    """A new box takes a reader's place under its id: its log is empty, its numbering a new one."""

    reader: str

    def line(self) -> str:
        return f"{self.reader} is replaced by a new box of that name"

    def do(self, world: "World") -> None:
        world.readers[self.reader].respec(world.shape.reader(self.reader), True)


class SpotsChanged(Happening, frozen=True, kw_only=True):
    """A lot has more spots, or fewer, from the next start on, which comes at once."""

    lot: str
    more: int

    def line(self) -> str:
        what = f"{self.more} spots more" if self.more > 0 else f"{-self.more} spots fewer"
        return f"{self.lot} gets {what}, and the engine is restarted with them"

    def do(self, world: "World") -> None:
        world.reshape(world.newest_shape.with_spots(self.lot, self.more))
        world.node.stop()


class LanesSwapped(Happening, frozen=True, kw_only=True):
    """Two readers of a lot change places: each has the other's lanes from the next start on."""

    one: str
    other: str

    def line(self) -> str:
        return f"{self.one} and {self.other} change lanes, and the engine is restarted with that"

    def do(self, world: "World") -> None:
        shape = world.newest_shape
        one, other = shape.reader(self.one), shape.reader(self.other)
        if one.registered or other.registered:
            return
        shape = shape.with_reader(self.one, lanes=other.lanes).with_reader(self.other, lanes=one.lanes)
        world.reshape(shape)
        world.node.stop()


Draw = Callable[[random.Random, Shape, int], Happening]


def _killed(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return Killed(at_ms=at_ms)


def _power_gone(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return PowerGone(at_ms=at_ms)


def _stopped(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return Stopped(at_ms=at_ms)


def _ends_within(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    starting = rng.random() < 0.3
    operations = rng.randint(1, 8) if starting else rng.choice((1, 2, 3, 4, 5, 30, 100))
    return EndsWithin(at_ms=at_ms, operations=operations, power=rng.random() < 0.6, starting=starting)


def _fold_cut(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return FoldCut(at_ms=at_ms, power=rng.random() < 0.5)


def _folded(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return Folded(at_ms=at_ms)


def _key_rotated(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return KeyRotated(at_ms=at_ms, reader=rng.choice(shape.readers).id, key=rng.randbytes(32))


def _reader_replaced(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return ReaderReplaced(at_ms=at_ms, reader=rng.choice(shape.readers).id)


def _spots_changed(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return SpotsChanged(at_ms=at_ms, lot=rng.choice(shape.lots).id, more=rng.choice((-3, -1, 1, 2, 10)))


def _lanes_swapped(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    lot = rng.choice(shape.lots).id
    one, other = rng.sample([reader.id for reader in shape.readers if reader.lot == lot] * 2, 2)
    return LanesSwapped(at_ms=at_ms, one=one, other=other)


_KINDS: tuple[tuple[Draw, int], ...] = (
    (_killed, 3),
    (_power_gone, 3),
    (_stopped, 2),
    (_ends_within, 5),
    (_fold_cut, 1),
    (_folded, 2),
    (_key_rotated, 1),
    (_reader_replaced, 1),
    (_spots_changed, 1),
    (_lanes_swapped, 1),
)
"""What happens, with how often beside each other."""


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """None to a dozen; in some worlds only a few kinds, so that each is seen alone too."""
    kinds = rng.sample(_KINDS, rng.choice((2, 4, len(_KINDS))))
    draws = [draw_one for draw_one, often in kinds for _ in range(often)]
    return [rng.choice(draws)(rng, shape, rng.randrange(span_ms)) for _ in range(rng.randrange(12))]
