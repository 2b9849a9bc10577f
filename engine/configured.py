"""Bringing a recovered engine to what the file says, by commands."""

from collections.abc import Iterable
from typing import Any

from liftgate.configs.schema import Config, LotConfig
from liftgate.engine.core.commands import ConfigureLot, ConfigureReader
from liftgate.engine.core.lane_spec import lane_spec
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.registry import registry_of
from liftgate.engine.core.parts.registry_entry import Registered
from liftgate.engine.engine import Engine


class RegistryConflict(Exception):
    """The file names a reader that is registered: two keys for one id, and nobody knows which was meant."""


def configure(engine: Engine, config: Config) -> None:
    """Decide and journal what differs between file and state. The caller commits.

    Lots and readers that the file does not name any more keep their state and lose their lanes. Readers of
    the registry keep theirs too, as long as the file has their lot; they get them back with it. Raises
    RegistryConflict, before anything is decided.
    """
    listed = {lot.id for lot in config.lots}
    check_registry(config, (lot for lot in engine.lots.values() if lot.id in listed))
    for lot_config in config.lots:
        lot = engine.lots.get(lot_config.id)
        if lot is None:
            lot = engine.lots[lot_config.id] = Lot(lot_config.id)
        engine.do(lot, ConfigureLot(engine.now_ms, lot_spec(lot_config)))
    filed = {(reader.lot, reader.id): reader for reader in config.readers}
    for lot in engine.lots.values():
        registered = {each.reader: each.lanes for each in registered_in(lot)} if lot.id in listed else {}
        for id in [*lot.readers]:
            if (lot.id, id) not in filed and id not in registered:
                engine.do(lot, ConfigureReader(engine.now_ms, id, ()))
        for id, lanes in registered.items():
            engine.do(lot, ConfigureReader(engine.now_ms, id, lanes))
    for reader in config.readers:
        lanes = tuple(lane_spec(lane) for lane in reader.lanes)
        engine.do(engine.lots[reader.lot], ConfigureReader(engine.now_ms, reader.id, lanes))


def registered_in(lot: Lot) -> list[Registered]:
    """The readers of a lot's registry that are not revoked."""
    registry = registry_of(lot)
    return [] if registry is None else registry.active()


def check_registry(config: Config, lots: Iterable[Lot]) -> None:
    """Raise RegistryConflict where the file and the registry of one of these lots have the same reader.

    Neither may win in silence: the one that loses is a box at a barrier that cannot sign on any more.
    """
    filed = {reader.id for reader in config.readers}
    both = [
        f'"{each.reader}" (lot {lot.id})'
        for lot in lots
        for each in registered_in(lot)
        if each.reader in filed
    ]
    if both:
        raise RegistryConflict(
            f"in the configuration file and in the device registry: reader {', '.join(both)}. Take it out of "
            "the file; or, if the file is to have it, start without it there, `liftgate reader revoke` it, "
            "and put it in again"
        )


def lot_spec(lot: LotConfig) -> dict[str, Any]:
    """A lot's configuration as the plain data of `core/configure.py`."""
    return {
        "name": lot.name,
        "timezone": lot.timezone,
        "currency": lot.currency,
        "assign": lot.assign,
        "confirm_ms": lot.confirm_s * 1000,
        "areas": [
            {
                "id": area.id,
                "parent": area.parent,
                "spots": [
                    {"level": s.level, "prefix": s.prefix, "class": s.spot_class, "count": s.count}
                    for s in area.spots
                ],
            }
            for area in lot.areas
        ],
        "gates": [{"id": gate.id, "nearest": list(gate.nearest)} for gate in lot.gates],
        **({"rules": lot.rules} if lot.rules else {}),
    }
