"""Readers of a world that are registered and not in the file, and who looks after their keys."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec

from liftgate.codecs.keywrap import unwrap, wrap
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.world import World

LOOK_MS = 20_000
"""How often it is looked, at a world's end, whether every reader has the key that the engine has."""

SHARE = 0.4
"""Of worlds with registered readers."""


def with_registered(shape: Shape, rng: random.Random) -> Shape:
    """One reader of the shape or two come by the registry, in some worlds. Not those with a lane for both
    ways, as tides are said in the file's words.
    """
    if rng.random() >= SHARE:
        return shape
    fit = [r.id for r in shape.readers if all(lane.direction != "both" for lane in r.lanes)]
    for id in rng.sample(fit, min(len(fit), rng.choice((1, 1, 2)))):
        shape = shape.with_reader(id, registered=True)
    return msgspec.structs.replace(shape, registry_key=rng.randbytes(32))


def lanes_of(shape: Shape, reader: str) -> list[dict[str, Any]]:
    """A reader's lanes as an order says them."""
    fields = ("number", "direction", "area", "gate", "confirm", "cards", "kinds")
    lanes = shape.reader(reader).lanes
    return [{name: getattr(lane, name) for name in fields} for lane in lanes]


class Installer:
    """Whoever gives registered readers their keys, on site. At the end of a world it brings all of them back
    to work: those that are revoked, and those whose key is not the one that the engine has.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng("installer")

    def install(self, reader: str, key: bytes) -> None:
        """The reader has this key from now on, and signs on with it."""
        world, node = self._world, self._world.node
        now = world.shape.with_reader(reader, key=key)
        if node.shape is world.shape:
            node.shape = now
        else:
            node.shape = node.shape.with_reader(reader, key=key)
        if node.reshaped is not None:
            node.reshaped = node.reshaped.with_reader(reader, key=key)
        world.shape = now
        world.readers[reader].respec(now.reader(reader), False)

    def order(self, name: str, reader: str, key: bytes | None = None, **more: Any) -> None:
        """Give an order of the registry, under an id of its own."""
        shape = self._world.shape
        args = {"reader": reader, "actor": "installer", **more}
        if key is not None:
            args["key"] = wrap(shape.registry_key, key)
        service = self._world.services[shape.services[0].id]
        service.order(self._rng.randbytes(16), shape.reader(reader).lot, name, args)

    def calm(self) -> None:
        """Look now, and again while the world lasts: an engine may only be starting."""
        world = self._world
        if world.node.up and world.services[world.shape.services[0].id].idle():
            for reader in world.shape.readers:
                if reader.registered:
                    self._bring_back(reader.id, reader.lot, reader.key)
        world.loop.after(LOOK_MS, self.calm)

    def _bring_back(self, id: str, lot: str, key: bytes) -> None:
        registry = self._world.node.engine.lots[lot].parts["registry"]
        found = registry.readers.get(id)
        if found is None:
            self.order("add_reader", id, key, lanes=lanes_of(self._world.shape, id))
        elif not found.keys:
            self.order("restore_reader", id, key)
        elif (newest := unwrap(self._world.shape.registry_key, found.keys[-1])) != key:
            self.install(id, newest)
