"""Bringing a recovered engine to what the file says, by commands."""

from typing import Any

from liftgate.configs.schema import Config, LaneConfig, LotConfig
from liftgate.engine.core.commands import ConfigureLot, ConfigureReader
from liftgate.engine.core.model import Lot
from liftgate.engine.engine import Engine


def configure(engine: Engine, config: Config) -> None:
    """Decide and journal what differs between file and state. The caller commits.

    Lots and readers that the file does not name any more keep their state and lose their lanes.
    """
    for lot_config in config.lots:
        lot = engine.lots.get(lot_config.id)
        if lot is None:
            lot = engine.lots[lot_config.id] = Lot(lot_config.id)
        engine.do(lot, ConfigureLot(engine.now_ms, lot_spec(lot_config)))
    wanted = {reader.id: reader for reader in config.readers}
    for lot in engine.lots.values():
        for id in lot.readers:
            if id not in wanted or wanted[id].lot != lot.id:
                engine.do(lot, ConfigureReader(engine.now_ms, id, ()))
    for reader in config.readers:
        lanes = tuple(lane_spec(lane) for lane in reader.lanes)
        engine.do(engine.lots[reader.lot], ConfigureReader(engine.now_ms, reader.id, lanes))


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


def lane_spec(lane: LaneConfig) -> tuple[Any, ...]:
    """A lane's configuration as plain data. Codes are taken where known: tickets cannot be verified yet."""
    codes = "known" if "qr" in lane.kinds else "off"
    cards = lane.cards if "card" in lane.kinds else "off"
    plates = "open" if "plate" in lane.kinds else "off"
    return (lane.number, lane.direction, lane.area, lane.gate, lane.confirm, codes, cards, plates)
