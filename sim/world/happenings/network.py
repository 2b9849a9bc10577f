"""The network between devices and engine fails."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from liftgate.sim.world.plan import Happening
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.network import Wire
    from liftgate.sim.world.world import World

MINUTE_MS = 60_000
SMALL_ROOM_BYTES = 512
"""A socket that holds a few answers only, so that the engine's sends are short."""


class Cut(Happening, frozen=True, kw_only=True):
    """Somebody's connections break. end: "both", or where alone it is noticed: "device" or "engine"."""

    owner: str
    end: str

    def line(self) -> str:
        who = {
            "both": "both ends notice",
            "device": "only the device notices",
            "engine": "only the engine does",
        }
        return f"the connection of {self.owner} breaks, {who[self.end]}"

    def do(self, world: "World") -> None:
        world.network.cut(self.owner, device=self.end != "engine", engine=self.end != "device")


class Stalled(Happening, frozen=True, kw_only=True):
    """Nothing comes through for a while, then all of it."""

    owner: str
    for_ms: int

    def line(self) -> str:
        return f"nothing comes through between {self.owner} and the engine for {self.for_ms} ms"

    def do(self, world: "World") -> None:
        world.network.stall(self.owner, self.for_ms)


class Unreachable(Happening, frozen=True, kw_only=True):
    """Connections break, and dials fail for a while. owner: whose, "" for everybody's."""

    owner: str
    for_ms: int

    def line(self) -> str:
        return f"the engine cannot be reached by {self.owner or 'anybody'} for {self.for_ms} ms"

    def do(self, world: "World") -> None:
        world.network.dead(self.owner or None, self.for_ms)
        for owner in (self.owner,) if self.owner else world.plan.shape.owners():
            world.network.cut(owner)


class ReadsSlowly(Happening, frozen=True, kw_only=True):
    """The sockets of somebody's next connections hold little, and answers take their time."""

    owner: str
    for_ms: int

    def line(self) -> str:
        return f"{self.owner} connects anew and takes {SMALL_ROOM_BYTES} bytes at a time for {self.for_ms} ms"

    def do(self, world: "World") -> None:
        world.network.room_bytes[self.owner] = SMALL_ROOM_BYTES
        world.network.cut(self.owner)
        world.loop.after(self.for_ms, lambda: world.network.widen(self.owner))


class Stranger(Happening, frozen=True, kw_only=True):
    """Somebody who does not know the protocol connects: says nothing, or anything."""

    says: bytes

    def line(self) -> str:
        return f"a stranger connects and says {self.says[:16]!r}"

    def do(self, world: "World") -> None:
        world.network.dial("stranger", _Stranger(self.says))


class _Stranger:
    """The peer of a Stranger."""

    def __init__(self, says: bytes) -> None:
        self._says = says

    def connected(self, wire: "Wire") -> None:
        """Say it."""
        wire.send(self._says)

    def received(self, data: bytes) -> None:
        """Don't listen."""

    def broken(self) -> None:
        """Don't mind."""


Draw = Callable[[random.Random, Shape, int], Happening]


def _cut(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return Cut(at_ms=at_ms, owner=_owner(rng, shape), end=rng.choice(("both", "device", "engine")))


def _stalled(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    for_ms = rng.choice((100, 2_000, 12_000, MINUTE_MS, 5 * MINUTE_MS))
    return Stalled(at_ms=at_ms, owner=_owner(rng, shape), for_ms=for_ms)


def _unreachable(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    owner = "" if rng.random() < 0.2 else _owner(rng, shape)
    return Unreachable(at_ms=at_ms, owner=owner, for_ms=rng.choice((2_000, MINUTE_MS, 15 * MINUTE_MS)))


def _reads_slowly(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return ReadsSlowly(at_ms=at_ms, owner=_owner(rng, shape), for_ms=rng.choice((10_000, 10 * MINUTE_MS)))


def _stranger(rng: random.Random, shape: Shape, at_ms: int) -> Happening:
    return Stranger(at_ms=at_ms, says=rng.choice((b"", b"GET / HTTP/1.1\r\n\r\n", rng.randbytes(40))))


_KINDS: tuple[tuple[Draw, int], ...] = (
    (_cut, 6),
    (_stalled, 3),
    (_unreachable, 2),
    (_reads_slowly, 1),
    (_stranger, 1),
)
"""What happens, with how often beside each other."""


def draw(rng: random.Random, shape: Shape, span_ms: int) -> list[Happening]:
    """None to some dozens; in some worlds only a few kinds, so that each is seen alone too."""
    kinds = rng.sample(_KINDS, rng.choice((1, 3, len(_KINDS))))
    draws = [draw_one for draw_one, often in kinds for _ in range(often)]
    return [rng.choice(draws)(rng, shape, rng.randrange(span_ms)) for _ in range(rng.randrange(25))]


def _owner(rng: random.Random, shape: Shape) -> str:
    return rng.choice(shape.owners())
