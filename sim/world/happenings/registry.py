"""Readers are registered, get new keys in time or too late, are cut off and let in again."""

import random
from typing import TYPE_CHECKING

from liftgate.sim.world.plan import Happening
from liftgate.sim.world.registry import lanes_of
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

MINUTE_MS = 60_000


class ReaderAdded(Happening, frozen=True, kw_only=True):
    """A reader is registered with the key that it has."""

    reader: str

    def line(self) -> str:
        return f"{self.reader} is registered"

    def do(self, world: "World") -> None:
        key = world.shape.reader(self.reader).key
        world.installer.order("add_reader", self.reader, key, lanes=lanes_of(world.shape, self.reader))


class KeyOrdered(Happening, frozen=True, kw_only=True):
    """A registered reader gets a new key, which somebody has to bring there."""

    reader: str
    key: bytes
    overlap_s: int

    def line(self) -> str:
        return f"{self.reader} is to have a new key within {self.overlap_s} s"

    def do(self, world: "World") -> None:
        world.installer.order("rotate_reader_key", self.reader, self.key, overlap_s=self.overlap_s)


class KeyInstalled(Happening, frozen=True, kw_only=True):
    """The new key is put into the reader."""

    reader: str
    key: bytes

    def line(self) -> str:
        return f"{self.reader} has its new key"

    def do(self, world: "World") -> None:
        world.installer.install(self.reader, self.key)


class ReaderCutOff(Happening, frozen=True, kw_only=True):
    """A reader is revoked."""

    reader: str

    def line(self) -> str:
        return f"{self.reader} is revoked"

    def do(self, world: "World") -> None:
        world.installer.order("revoke_reader", self.reader)


class ReaderLetIn(Happening, frozen=True, kw_only=True):
    """A revoked reader is restored, with a new key that it has at once."""

    reader: str
    key: bytes

    def line(self) -> str:
        return f"{self.reader} is restored"

    def do(self, world: "World") -> None:
        world.installer.order("restore_reader", self.reader, self.key)
        world.installer.install(self.reader, self.key)


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """The lives of all registered readers."""
    happenings: list[Happening] = []
    for reader in shape.readers:
        if reader.registered:
            happenings += _draw_life(rng, reader.id, span_ms)
    return happenings


def _draw_life(rng: random.Random, reader: str, span_ms: int) -> list[Happening]:
    """One thing after the other: what overlaps would be two people who do not talk to each other."""
    now_ms = rng.randrange(5_000)
    happenings: list[Happening] = [ReaderAdded(at_ms=now_ms, reader=reader)]
    while True:
        now_ms += 1_000 + int(rng.expovariate(1 / (12 * MINUTE_MS)))
        key = rng.randbytes(32)
        if rng.random() < 0.6:
            overlap_s = rng.choice((0, 20, 60, 300, 1200))
            later_ms = now_ms + rng.randrange(100, 1500 * overlap_s + 30_000)
            episode: list[Happening] = [
                KeyOrdered(at_ms=now_ms, reader=reader, key=key, overlap_s=overlap_s),
                KeyInstalled(at_ms=later_ms, reader=reader, key=key),
            ]
        else:
            later_ms = now_ms + rng.randrange(100, 8 * MINUTE_MS)
            episode = [
                ReaderCutOff(at_ms=now_ms, reader=reader),
                ReaderLetIn(at_ms=later_ms, reader=reader, key=key),
            ]
        if later_ms >= span_ms:
            return happenings
        happenings += episode
        now_ms = later_ms
