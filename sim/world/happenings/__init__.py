"""What can happen, by theme. DRAWERS: (name, function) of each; the name is part of its seed."""

from liftgate.sim.world.happenings import (
    cars,
    devices,
    disk,
    engine,
    entitlements,
    lanes,
    ledger,
    network,
    passback,
    registry,
    reservations,
    rules,
    services,
)
from liftgate.sim.world.plan import Drawer

DRAWERS: tuple[tuple[str, Drawer], ...] = (
    ("cars", cars.draw),
    ("services", services.draw),
    ("devices", devices.draw),
    ("network", network.draw),
    ("engine", engine.draw),
    ("disk", disk.draw),
    ("lanes", lanes.draw),
    ("entitlements", entitlements.draw),
    ("ledger", ledger.draw),
    ("reservations", reservations.draw),
    ("rules", rules.draw),
    ("passback", passback.draw),
    ("registry", registry.draw),
)
