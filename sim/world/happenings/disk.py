"""The engine's disk fails, within what `engine/journal/memory.py` says that an engine must survive."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from liftgate.sim.world.plan import Happening
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

MINUTE_MS = 60_000

_FAULTS = {
    "failing_write": "write fails",
    "short_write": "write stops half-way",
    "failing_sync": "sync fails",
}


class WriteFails(Happening, frozen=True, kw_only=True):
    """The n-th write from now on fails. fault: which of the storage's faults it is."""

    fault: str
    operations: int

    def line(self) -> str:
        what = {
            "failing_write": "write fails",
            "short_write": "write stops half-way",
            "failing_sync": "sync fails",
        }
        return f"the engine's {self.operations}. {what[self.fault]}"

    def do(self, world: "World") -> None:
        setattr(world.node.storage.faults, self.fault, self.operations)


class SnapshotLies(Happening, frozen=True, kw_only=True):
    """The next snapshot is reported as written, and torn when the power goes."""

    def line(self) -> str:
        return "the next snapshot is reported as written, but torn when the power goes"

    def do(self, world: "World") -> None:
        world.node.storage.faults.lying_snapshot = 1


class DiskFull(Happening, frozen=True, kw_only=True):
    """The disk has room for so much more only, for a while."""

    free_bytes: int
    for_ms: int

    def line(self) -> str:
        return f"the engine's disk has {self.free_bytes} bytes left for {self.for_ms} ms"

    def do(self, world: "World") -> None:
        faults = world.node.storage.faults
        faults.bytes_max = world.node.storage.used_bytes() + self.free_bytes
        world.loop.after(self.for_ms, lambda: setattr(faults, "bytes_max", None))


class Rot(Happening, frozen=True, kw_only=True):
    """A bit of a closed segment, of a snapshot or of the cursors is another one at the engine's next start.

    That comes at once. An operator with a copy puts it right when the engine says where it is.
    what: "segment", "snapshot" or "cursors".
    """

    what: str

    def line(self) -> str:
        return f"a bit of the {self.what} rots, and the engine is restarted"

    def do(self, world: "World") -> None:
        world.node.rot(self.what, self.rng())


Draw = Callable[[random.Random, Shape, int], Happening]


def _write_fails(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    fault = rng.choice(("failing_write", "short_write", "failing_sync"))
    return WriteFails(at_ms=at_ms, fault=fault, operations=rng.choice((1, 1, 2, 3, 10, 50)))


def _disk_full(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    free_bytes = rng.choice((0, 1_000, shape.segment_bytes, 3 * shape.segment_bytes))
    return DiskFull(at_ms=at_ms, free_bytes=free_bytes, for_ms=rng.choice((5_000, MINUTE_MS, 20 * MINUTE_MS)))


def _rot(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return Rot(
        at_ms=at_ms, seed=rng.getrandbits(32), what=rng.choice(("segment", "segment", "snapshot", "cursors"))
    )


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """In half of the worlds the disk is good; in the others it fails in one way or in all."""
    if rng.random() < 0.5:
        return []
    draws: list[Draw] = rng.choice(([_write_fails], [_disk_full], [_rot], [_write_fails, _disk_full, _rot]))
    faults = [rng.choice(draws)(rng, shape, rng.randrange(span_ms)) for _ in range(rng.randrange(1, 8))]
    if rng.random() < 0.3:
        faults.append(SnapshotLies(at_ms=rng.randrange(span_ms)))
    return faults
