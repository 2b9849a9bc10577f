"""Configuration as commands: what differs between file and state is decided and journalled.

So a replay needs no file, and an old journal replays under the configuration of its time. A change never
fails for what is inside: a car whose area or spot is gone from the file stays counted in what is left.

Shapes, as plain data: LotSpec {name, timezone, currency, assign, confirm_ms, areas: [{id, parent, spots:
[{level, prefix, class, count}]}], gates: [{id, nearest: [block key]}], rules: {theme: {…}}, left out
where there are none}; a lane (number, direction, area,
gate or None, confirm, codes, cards, plates), and "off" after that at a lane that takes no tags.
"""

from typing import Any

from liftgate.codecs import raw
from liftgate.codecs.events.operators import LotConfigured, ReaderConfigured
from liftgate.engine.core.commands import ConfigureLot, ConfigureReader
from liftgate.engine.core.model import Area, Block, Gate, Lane, Lot, Reader, Stay
from liftgate.engine.core.parts.setup import set_rules
from liftgate.engine.core.parts.tickets import policy_of, takes_tags


def configure_lot(lot: Lot, command: ConfigureLot) -> tuple[LotConfigured, ...]:
    """One event where the file says something new."""
    if lot.spec == command.spec:
        return ()
    return (LotConfigured(lot.id, lot.seq + 1, command.now_ms, command.spec),)


def configure_reader(lot: Lot, command: ConfigureReader) -> tuple[ReaderConfigured, ...]:
    """One event where the file says something new."""
    known = lot.readers.get(command.reader)
    if (known.spec if known is not None else ()) == command.lanes:
        return ()
    return (ReaderConfigured(lot.id, lot.seq + 1, command.now_ms, command.reader, command.lanes),)


def apply_lot_configured(lot: Lot, event: LotConfigured, position: int) -> None:
    """Build areas, blocks and gates anew and put every stay back where it was, as far as that is there.

    What `set_rules` changed on the running engine holds until the file says something new about rules.
    """
    spec = event.spec
    before, rules_before = lot.areas, lot.spec.get("rules", {})
    lot.spec = spec
    lot.tag = raw.crc32(lot.id_utf8, 0, len(lot.id_utf8), 0)
    lot.name, lot.timezone = spec["name"], spec["timezone"]
    lot.currency, lot.assign, lot.confirm_ms = spec["currency"], spec["assign"], spec["confirm_ms"]
    lot.areas, lot.blocks, lot.places = {}, {}, {}
    _add_areas(lot, spec["areas"], None)
    lot.gates = {gate["id"]: Gate(gate["id"], tuple(gate["nearest"])) for gate in spec["gates"]}
    for area in before.values():
        if area.id in lot.areas:
            lot.areas[area.id].tally = area.tally
        lot.areas.get(area.id, lot.outermost).adrift += area.adrift
    for stay in lot.all_stays():
        _put_back(lot, stay)
    for reader in lot.readers.values():
        _relink(lot, reader)
    rules = spec.get("rules", {})
    set_rules(lot, lot.rules if rules == rules_before else rules)


def _add_areas(lot: Lot, specs: list[dict[str, Any]], parent: str | None) -> None:
    """Outer areas before inner ones: a file may name them in any order."""
    for spec in specs:
        if spec["parent"] == parent:
            _add_area(lot, spec)
            _add_areas(lot, specs, spec["id"])


def _add_area(lot: Lot, spec: dict[str, Any]) -> None:
    parent = spec["parent"]
    area = Area(spec["id"], None if parent is None else lot.areas[parent])
    lot.areas[area.id] = area
    for spots in spec["spots"]:
        key = f"{spots['level']}-{spots['prefix']}"
        block = Block(key, area, spots["class"], spots["count"], lot.assign == "spot")
        area.blocks.append(block)
        area.capacity += block.count
        lot.blocks[key] = block


def _put_back(lot: Lot, stay: Stay) -> None:
    if stay.area is not None:
        stay.area = lot.areas.get(stay.area.id, lot.outermost)
        stay.area.inside += 1
        stay.block, stay.number = _retake(lot, stay.block, stay.number)
    if stay.to is not None:
        stay.to = lot.areas.get(stay.to.id, lot.outermost)
    if stay.moving:
        stay.to_block, stay.to_number = _retake(lot, stay.to_block, stay.to_number)
        if stay.to is not None and stay.holds():
            stay.to.held += 1


def _retake(lot: Lot, block: Block | None, number: int) -> tuple[Block | None, int]:
    """The block of that name as it is now, with the spot taken; no spot where the file has it no more."""
    now = lot.blocks.get(block.key) if block is not None else None
    if now is None or number > now.count or (now.free is None) != (number == 0):
        return None, 0
    now.take(number)
    return now, number


def apply_reader_configured(lot: Lot, event: ReaderConfigured, position: int) -> None:
    """Set a reader's lanes. Its numberings stay for ever: its name may come back, and so may a lane that was
    told of a mode before. So it is told how lanes work that are new to it.
    """
    reader = lot.readers.get(event.reader)
    came_back = reader is not None
    if reader is None:
        reader = lot.readers[event.reader] = Reader(event.reader)
    reader.spec = event.lanes
    modes = {number: (lane.mode, lane.mode_set) for number, lane in reader.lanes.items()}
    reader.lanes = {}
    for number, direction, area, gate, confirm, *kinds in event.lanes:
        inside = lot.areas.get(area, lot.outermost)
        lane = Lane(reader, number, direction, inside, lot.gates.get(gate), confirm)
        lane.policy = policy_of(kinds, takes_tags(lot.rules))
        lane.mode, lane.mode_set = modes.get(number, (1, came_back))
        lane.tally = reader.tallies.setdefault(number, lane.tally)
        reader.lanes[number] = lane
    for stay in [*lot.moving.values(), *lot.lapsed.values()]:
        if stay.lane is not None and stay.lane.reader is reader:
            stay.lane = reader.lanes.get(stay.lane.number)
    for part in lot.parts.values():
        part.relinked()
    lot.choose_rules(reader.lanes.values())


def _relink(lot: Lot, reader: Reader) -> None:
    """Point a reader's lanes at the new areas and gates of the same names."""
    for number, _, area, gate, *_ in reader.spec:
        reader.lanes[number].relink(lot.areas.get(area, lot.outermost), lot.gates.get(gate))
