"""What can happen, by theme. DRAWERS: (name, function) of each; the name is part of its seed."""

from liftgate.sim.world.happenings import disk, engine, network
from liftgate.sim.world.plan import Drawer

DRAWERS: tuple[tuple[str, Drawer], ...] = (
    ("network", network.draw),
    ("engine", engine.draw),
    ("disk", disk.draw),
)
