"""What a world looks like before anything happens: lots, devices, bounds. Plain data that a seed draws."""

import random
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from liftgate.codecs import messages as m
from liftgate.configs.schema import (
    ASSIGN,
    KINDS,
    MAY,
    AreaConfig,
    Assign,
    Cards,
    Config,
    Direction,
    EngineConfig,
    GateConfig,
    Key,
    LaneConfig,
    LotConfig,
    ReaderConfig,
    ServiceConfig,
    SpotClass,
    SpotsConfig,
)
from liftgate.sim.world.loop import START_MS


class ReaderShape(Struct, frozen=True, kw_only=True):
    """A reader. lasting: its event log survives a loss of power; alone_opens: what it does without engine.

    retries_s: its longest pause between two dials; registered: it comes by the registry, not by the file.
    """

    id: str
    key: bytes
    lot: str
    lanes: tuple[LaneConfig, ...]
    lasting: bool = True
    alone_opens: bool = True
    retries_s: int = 8
    registered: bool = False

    def lane(self, number: int) -> LaneConfig:
        """The lane of that number."""
        return next(lane for lane in self.lanes if lane.number == number)


class ServiceShape(Struct, frozen=True, kw_only=True):
    """A service that sends COMMANDs and QUERYs."""

    id: str
    key: bytes
    role: int = m.SERVICE


class SubscriberShape(Struct, frozen=True, kw_only=True):
    """A service that subscribes. stored: the engine keeps its cursor; else it remembers its own position."""

    id: str
    key: bytes
    stored: bool = True
    role: int = m.SERVICE


class Shape(Struct, frozen=True, kw_only=True):
    """Everything that a world begins with. start_ms: when, Unix time."""

    lots: tuple[LotConfig, ...]
    readers: tuple[ReaderShape, ...]
    services: tuple[ServiceShape, ...]
    subscribers: tuple[SubscriberShape, ...]
    segment_bytes: int = 65_536
    heartbeat_s: int = 60
    in_flight_max: int = 64
    frame_bytes_max: int = 65_536
    output_bytes_max: int = 262_144
    start_ms: int = START_MS
    registry_key: bytes = bytes(32)

    def config(self) -> Config:
        """What an operator's file would say."""
        engine = EngineConfig(
            name="engine-w",
            host="127.0.0.1",
            port=0,
            journal=Path("journal"),
            in_flight_max=self.in_flight_max,
            heartbeat_s=self.heartbeat_s,
            segment_bytes=self.segment_bytes,
            frame_bytes_max=self.frame_bytes_max,
            output_bytes_max=self.output_bytes_max,
            registry_key=Key(self.registry_key),
        )
        filed = [reader for reader in self.readers if not reader.registered]
        readers = tuple(ReaderConfig(id=r.id, key=Key(r.key), lot=r.lot, lanes=r.lanes) for r in filed)
        services: list[ServiceShape | SubscriberShape] = [*self.services, *self.subscribers]
        return Config(
            engine=engine,
            lots=self.lots,
            readers=readers,
            services=tuple(ServiceConfig(id=s.id, key=Key(s.key), may=MAY, lots=None) for s in services),
        )

    def reader(self, id: str) -> ReaderShape:
        """The reader of that id."""
        return next(reader for reader in self.readers if reader.id == id)

    def owners(self) -> tuple[str, ...]:
        """Whoever has connections: readers, services, subscribers."""
        owners: list[ReaderShape | ServiceShape | SubscriberShape] = [*self.readers, *self.services]
        return tuple(owner.id for owner in [*owners, *self.subscribers])

    def with_reader(self, id: str, **changes: Any) -> "Shape":
        """The same with this reader changed."""
        readers = tuple(
            msgspec.structs.replace(reader, **changes) if reader.id == id else reader
            for reader in self.readers
        )
        return msgspec.structs.replace(self, readers=readers)

    def with_spots(self, lot_id: str, more: int) -> "Shape":
        """The same with so many spots more (or fewer) in the first block of this lot's outermost area."""
        lots = tuple(_with_spots(lot, more) if lot.id == lot_id else lot for lot in self.lots)
        return msgspec.structs.replace(self, lots=lots)


def _with_spots(lot: LotConfig, more: int) -> LotConfig:
    area = lot.areas[0]
    block = area.spots[0]
    changed = msgspec.structs.replace(block, count=max(1, block.count + more))
    spots = (changed, *area.spots[1:])
    return msgspec.structs.replace(lot, areas=(msgspec.structs.replace(area, spots=spots), *lot.areas[1:]))


def draw_shape(rng: random.Random) -> Shape:
    """A world's shape: one lot or two, small enough that cars are in each other's way."""
    lots = tuple(_draw_lot(rng, f"lot{n}") for n in range(rng.choice((1, 1, 2))))
    readers = tuple(reader for lot in lots for reader in _draw_readers(rng, lot))
    return Shape(
        lots=lots,
        readers=readers,
        services=tuple(ServiceShape(id=f"desk{n}", key=rng.randbytes(32)) for n in range(rng.randint(1, 2))),
        subscribers=tuple(
            SubscriberShape(id=f"sink{n}", key=rng.randbytes(32), stored=rng.random() < 0.6)
            for n in range(rng.randint(1, 2))
        ),
        segment_bytes=rng.choice((64, 64, 96, 128, 256)) * 1024,
        heartbeat_s=rng.choice((15, 60, 120, 120)),
        in_flight_max=rng.choice((4, 16, 64)),
        output_bytes_max=rng.choice((131_072, 262_144)),
    )


def _draw_lot(rng: random.Random, id: str) -> LotConfig:
    assign: Assign = rng.choice(ASSIGN)
    outer = AreaConfig(id="out", parent=None, spots=_draw_spots(rng, "P1", rng.randint(3, 40)))
    areas = [outer]
    if rng.random() < 0.4:
        areas.append(AreaConfig(id="in", parent="out", spots=_draw_spots(rng, "P2", rng.randint(2, 12))))
    gates = (GateConfig(id="east", nearest=("P1-B", "P1-A")),) if len(outer.spots) > 1 else ()
    return LotConfig(
        id=id,
        name=id.title(),
        timezone="UTC",
        currency="EUR",
        assign=assign,
        confirm_s=rng.choice((15, 60, 120)),
        areas=tuple(areas),
        gates=gates,
    )


def _draw_spots(rng: random.Random, level: str, count: int) -> tuple[SpotsConfig, ...]:
    first: SpotClass = "standard"
    if count < 6 or rng.random() < 0.5:
        return (SpotsConfig(level=level, prefix="A", spot_class=first, count=count),)
    part = rng.randint(2, count - 2)
    return (
        SpotsConfig(level=level, prefix="A", spot_class=first, count=part),
        SpotsConfig(level=level, prefix="B", spot_class=first, count=count - part),
    )


def _draw_readers(rng: random.Random, lot: LotConfig) -> list[ReaderShape]:
    """Readers that between them let cars in, out, and into the inner area where there is one."""
    wanted: list[tuple[Direction, str]] = [("entry", "out"), ("exit", "out")]
    if len(lot.areas) > 1:
        wanted += [("entry", "in"), ("exit", "in")]
    for _ in range(rng.randint(0, 3)):
        wanted.append((rng.choice(("entry", "exit", "both")), "out"))
    readers: list[ReaderShape] = []
    while wanted:
        mine = [wanted.pop(0) for _ in range(min(len(wanted), rng.choice((1, 1, 2))))]
        lanes = tuple(_draw_lane(rng, lot, number, *lane) for number, lane in enumerate(mine))
        readers.append(
            ReaderShape(
                id=f"{lot.id}.r{len(readers)}",
                key=rng.randbytes(32),
                lot=lot.id,
                lanes=lanes,
                lasting=rng.random() < 0.6,
                alone_opens=rng.random() < 0.6,
                retries_s=rng.choice((2, 8, 30)),
            )
        )
    return readers


def _draw_lane(
    rng: random.Random, lot: LotConfig, number: int, direction: Direction, area: str
) -> LaneConfig:
    cards: Cards = "known" if rng.random() < 0.15 else "open"
    return LaneConfig(
        number=number,
        direction=direction,
        area=area,
        gate=lot.gates[0].id if lot.gates and rng.random() < 0.5 else None,
        confirm=rng.random() < 0.5,
        cards=cards,
        kinds=KINDS,
    )
