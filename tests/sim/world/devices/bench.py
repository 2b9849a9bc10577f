"""A small world on a bench: a real engine and gateway, real devices, and what they told the auditor."""

from typing import Any

import msgspec

from liftgate.sim.world.devices.log import Answer
from liftgate.sim.world.devices.reader import ReaderDevice
from liftgate.sim.world.devices.service import ServiceDevice
from liftgate.sim.world.devices.subscriber import SubscriberDevice
from liftgate.sim.world.plan import Plan
from liftgate.sim.world.shape import ReaderShape, ServiceShape, Shape, SubscriberShape
from liftgate.sim.world.world import World
from tests.gateways.network import make_lane, make_lot

CARD = 2
ENTRY, EXIT, SLOW = 0, 1, 2


def make_shape(spots: int = 5, **reader: Any) -> Shape:
    """One lot with one reader at three lanes, one desk, one sink; `reader`: more of its keys."""
    lanes = (
        make_lane(ENTRY, "entry", area="out"),
        make_lane(EXIT, "exit", area="out"),
        make_lane(SLOW, "entry", confirm=True, area="out"),
    )
    return Shape(
        lots=(make_lot(spots, "lot", "out"),),
        readers=(ReaderShape(id="r", key=b"r" * 32, lot="lot", lanes=lanes, **reader),),
        services=(ServiceShape(id="desk", key=b"d" * 32),),
        subscribers=(SubscriberShape(id="sink", key=b"s" * 32),),
    )


class Told:
    """The auditor, with everything that it was told kept beside."""

    def __init__(self, auditor: Any) -> None:
        self.auditor = auditor
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        told = getattr(self.auditor, name)
        if not callable(told):
            return told

        def keep(*args: Any) -> Any:
            self.calls.append((name, args))
            return told(*args)

        return keep

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """What was told by that name."""
        return [args for called, args in self.calls if called == name]


class Bench:
    """A world of a shape, started; nothing happens in it but what a test does."""

    def __init__(self, shape: Shape | None = None, seed: int = 1, **habits: Any) -> None:
        self.world = World(Plan(seed=seed, shape=shape or make_shape(), hours=1, happenings=()))
        self.told = Told(self.world.auditor)
        self.world.auditor = self.told  # type: ignore[assignment]
        self.reader.habits = msgspec.structs.replace(self.reader.habits, **habits)
        self.reader.lose_log() if habits else None
        self.told.calls.clear()
        self.world.node.start()
        for device in self.world.devices:
            device.start()
        self.run(1_000)

    @property
    def reader(self) -> ReaderDevice:
        return self.world.readers["r"]

    @property
    def desk(self) -> ServiceDevice:
        return self.world.services["desk"]

    @property
    def sink(self) -> SubscriberDevice:
        return self.world.subscribers["sink"]

    def run(self, ms: int) -> None:
        """Let time pass. What the auditor has to find fault with fails the test."""
        self.world.loop.run(self.world.loop.now_ms + ms)
        assert self.world.auditor.findings == []

    def scan(self, token: bytes, lane: int = ENTRY) -> list[Answer]:
        """Read a card; the list gets the answer when the driver sees it."""
        seen: list[Answer] = []
        self.reader.scan(lane, CARD, token, seen.append)
        return seen

    def occupancy(self) -> int:
        """Cars in the lot, as the engine counts them."""
        occupancy: int = self.world.node.engine.lots["lot"].counts()["occupancy"]
        return occupancy

    def barriers(self) -> list[str]:
        """Why the barriers went up."""
        return [why for _, _, why, _ in self.told.of("barrier")]
