"""A lot's whole state as plain data and back: what a snapshot holds.

Two lots with the same state give the same bytes, so tests compare states by them.
"""

from typing import Any

import msgspec

from liftgate.codecs.events.operators import LotConfigured, ReaderConfigured
from liftgate.codecs.pack import Packer
from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core import events
from liftgate.engine.core.configure import apply_lot_configured, apply_reader_configured
from liftgate.engine.core.model import Area, Block, Lane, Lot, Reader, Stay
from liftgate.engine.core.numbering import Numbering
from liftgate.engine.core.parts.setup import dump_parts, load_parts

FORMAT = 1


def dump(lot: Lot) -> bytes:
    """The state as MessagePack."""
    stays = lot.all_stays()
    place = {id(stay): index for index, stay in enumerate(stays)}
    return msgspec.msgpack.encode(
        {
            "format": FORMAT,
            "id": lot.id,
            "seq": lot.seq,
            "spec": lot.spec,
            "adrift": [area.adrift for area in lot.areas.values()],
            "readers": [_dump_reader(reader) for reader in lot.readers.values()],
            "stays": [_dump_stay(stay) for stay in stays],
            "open": len(lot.stays),
            "moving": [place[id(stay)] for stay in lot.moving.values()],
            "lapsed": [place[id(stay)] for stay in lot.lapsed.values()],
            "denied": lot.denied,
            "known": lot.known,
            "forgiven": list(lot.forgiven),
            "outcomes": lot.outcomes,
        }
        | dump_parts(lot)
    )


def _dump_reader(reader: Reader) -> list[Any]:
    return [
        reader.id,
        reader.spec,
        {number: _dump_lane(lane) for number, lane in reader.lanes.items()},
        [_dump_numbering(numbering) for numbering in reader.numberings.values()],
        list(reader.retired),
    ]


def _dump_lane(lane: Lane) -> list[Any]:
    return [lane.mode, lane.mode_set, lane.barrier, lane.loop, lane.faults]


def _dump_numbering(numbering: Numbering) -> list[Any]:
    slots, late = numbering.kept()
    return [
        numbering.boot,
        numbering.done_to,
        numbering.ranges,
        numbering.mixed,
        _pack(slots),
        _pack(late),
    ]


def _pack(kept: list[Any]) -> bytes:
    out = Packer()
    for event in kept:
        out.uint(event.position)
        events.pack(event, out)
    return out.getvalue()


def _unpack(data: bytes) -> list[Any]:
    source = Unpacker(data)
    kept = []
    while source.at < source.end:
        position = source.uint()
        event = events.unpack(source)
        event.position = position
        kept.append(event)
    return kept


def _dump_stay(stay: Stay) -> list[Any]:
    lane = stay.lane
    return [
        stay.session,
        stay.credential,
        stay.entered_at_ms,
        stay.paid_until_ms,
        _id(stay.area),
        _key(stay.block),
        stay.number,
        stay.forgiven,
        _id(stay.to),
        _key(stay.to_block),
        stay.to_number,
        None if lane is None else (lane.reader.id, lane.number),
        stay.since_ms,
        *(() if stay.notes is None else (stay.notes,)),
    ]


def _id(area: Area | None) -> str | None:
    return None if area is None else area.id


def _key(block: Block | None) -> str | None:
    return None if block is None else block.key


def load(data: bytes) -> Lot:
    """The lot whose state `dump` gave. Raises ValueError for another format."""
    state = msgspec.msgpack.decode(data, strict=False)
    if state["format"] != FORMAT:
        raise ValueError(f"snapshot format {state['format']}, this engine reads {FORMAT}")
    lot = Lot(state["id"])
    if state["spec"]:
        apply_lot_configured(lot, LotConfigured(lot.id, 0, 0, state["spec"]), 0)
    for area, adrift in zip(lot.areas.values(), state["adrift"], strict=True):
        area.adrift = adrift
    for saved in state["readers"]:
        _load_reader(lot, saved)
    _load_stays(lot, state)
    lot.denied, lot.forgiven = state["denied"], dict.fromkeys(state["forgiven"])
    lot.known = {credential: tuple(classes) for credential, classes in state["known"].items()}
    lot.outcomes = {name: tuple(outcome) for name, outcome in state["outcomes"].items()}
    load_parts(lot, state)
    lot.seq = state["seq"]
    return lot


def _load_reader(lot: Lot, saved: list[Any]) -> None:
    id, spec, lanes, numberings, retired = saved
    lanes_spec = tuple(tuple(lane) for lane in spec)
    apply_reader_configured(lot, ReaderConfigured(lot.id, 0, 0, id, lanes_spec), 0)
    reader = lot.readers[id]
    for number, (mode, mode_set, barrier, loop, faults) in lanes.items():
        lane = reader.lanes[number]
        lane.mode, lane.mode_set = mode, mode_set
        lane.barrier, lane.loop, lane.faults = barrier, loop, tuple(faults)
    for boot, done_to, ranges, mixed, slots, late in numberings:
        numbering = Numbering(boot)
        numbering.restore(done_to, ranges, mixed, _unpack(slots), _unpack(late))
        reader.keep(numbering)
    reader.retired = dict.fromkeys(retired)


def _load_stays(lot: Lot, state: dict[str, Any]) -> None:
    stays = [_load_stay(lot, saved) for saved in state["stays"]]
    for index, stay in enumerate(stays):
        if index < state["open"]:
            lot.stays[stay.credential] = stay
        if stay.area is not None:
            stay.area.inside += 1
        if stay.block is not None:
            stay.block.take(stay.number)
    for index in state["moving"]:
        _load_move(lot, stays[index])
    lot.lapsed = {stays[index].session: stays[index] for index in state["lapsed"]}


def _load_stay(lot: Lot, saved: list[Any]) -> Stay:
    stay = Stay(saved[0], saved[1], saved[2])
    stay.paid_until_ms = saved[3]
    stay.area, stay.block, stay.number = lot.areas.get(saved[4]), lot.blocks.get(saved[5]), saved[6]
    stay.forgiven = saved[7]
    stay.to, stay.to_block, stay.to_number = lot.areas.get(saved[8]), lot.blocks.get(saved[9]), saved[10]
    stay.lane = _find_lane(lot, saved[11])
    stay.since_ms = saved[12]
    stay.notes = saved[13] if len(saved) > 13 else None
    return stay


def _find_lane(lot: Lot, name: tuple[str, int] | None) -> Lane | None:
    return None if name is None else lot.readers[name[0]].lanes.get(name[1])


def _load_move(lot: Lot, stay: Stay) -> None:
    stay.moving = True
    lot.moving[stay.session] = stay
    if stay.to is not None and stay.holds():
        stay.to.held += 1
    if stay.to_block is not None:
        stay.to_block.take(stay.to_number)
