"""Reads `[[lot]]`: its areas, blocks of spots and gates, and whether they fit together."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

from liftgate.configs.clients import KeyPlaces
from liftgate.configs.rules import mistakes
from liftgate.configs.rules.tickets import secrets_named
from liftgate.configs.schema import ASSIGN, SPOT_CLASSES, AreaConfig, GateConfig, Key, LotConfig, SpotsConfig
from liftgate.configs.table import ID, Table, note_repeats

# No '-' in the parts of a block's id, or P1-A-1 could be read in two ways.
_BLOCK_PART = (re.compile(r"[A-Za-z0-9._]{1,16}"), "1 to 16 letters, digits, '.' or '_'")
_SECRET_NAME = (re.compile(r"[A-Za-z0-9._-]{1,16}"), "1 to 16 letters, digits, '.', '_' or '-'")
_CURRENCY = (re.compile(r"[A-Z]{3}"), "a currency's three capital letters (ISO 4217)")
# Ten times the largest car park there is.
_SPOTS_MAX = 1_000_000
_CONFIRM_S_DEFAULT = 120
# A lot's configuration is journalled as one event, which must fit a record (60 KiB) and a subscriber's frame.
_EVENT_BYTES_MAX = 50_000


def read_lot(table: Table, keys: KeyPlaces) -> LotConfig:
    area_tables, gate_tables = table.tables("area", needed_by="a lot"), table.tables("gate")
    areas = tuple(_read_area(area) for area in area_tables)
    blocks = [block.id for area in areas for block in area.spots]
    gates = tuple(_read_gate(gate, blocks) for gate in gate_tables)
    note_repeats(area_tables, [area.id for area in areas], "id")
    note_repeats(gate_tables, [gate.id for gate in gates], "id")
    _check_tree(area_tables, areas)
    _check_size(table, areas)
    _check_event(table, areas, gates)
    lot_id = table.text("id", shape=ID)
    secrets = _read_secrets(table, keys)
    return LotConfig(
        id=lot_id,
        name=table.text("name", default=lot_id or "?"),
        timezone=_read_timezone(table),
        currency=table.text("currency", shape=_CURRENCY),
        assign=table.word("assign", ASSIGN, default="spot"),
        confirm_s=table.number("confirm_s", 1, 3600, default=_CONFIRM_S_DEFAULT),
        areas=areas,
        gates=gates,
        rules=_read_rules(table, secrets),
        secrets=secrets,
    )


def _read_secrets(table: Table, keys: KeyPlaces) -> dict[str, Key]:
    """Keys that the lot's rules name: 32 bytes for MACed tickets; for tags two of 16, one after the other."""
    tables = table.tables("secret")
    names = [each.text("name", shape=_SECRET_NAME) for each in tables]
    note_repeats(tables, names, "name")
    return {name: keys.read(each) for name, each in zip(names, tables, strict=True)}


def _read_rules(table: Table, secrets: dict[str, Key]) -> dict[str, Any]:
    rules = table.plain("rules")
    wrong = mistakes(rules)
    for theme, why in wrong:
        table.note(f"rules.{theme}", why)
    if not wrong and "tickets" in rules:
        for name in secrets_named(rules["tickets"]):
            table.refer("rules.tickets", name, secrets, "secret", " in this lot: write it as [[lot.secret]]")
    return rules


def _read_area(table: Table) -> AreaConfig:
    block_tables = table.tables("spots")
    return AreaConfig(
        id=table.text("id", shape=ID),
        parent=table.maybe_text("parent", shape=ID),
        spots=tuple(_read_block(block) for block in block_tables),
    )


def _read_block(table: Table) -> SpotsConfig:
    return SpotsConfig(
        level=table.text("level", shape=_BLOCK_PART),
        prefix=table.text("prefix", shape=_BLOCK_PART),
        spot_class=table.word("class", SPOT_CLASSES, default="standard"),
        count=table.number("count", 1, _SPOTS_MAX),
    )


def _read_gate(table: Table, blocks: list[str]) -> GateConfig:
    return GateConfig(
        id=table.text("id", shape=ID),
        nearest=table.names("nearest", blocks, "block of spots", " in this lot"),
    )


def _read_timezone(table: Table) -> str:
    name = table.text("timezone")
    try:
        ZoneInfo(name or "UTC")
    # KeyError: no such zone; ValueError: not a name; OSError: a folder of zones, such as "Europe".
    except (KeyError, ValueError, OSError):
        table.note("timezone", f'no time zone "{name[:64]}": write it as in "Europe/Berlin"')
    return name


def _check_tree(tables: list[Table], areas: tuple[AreaConfig, ...]) -> None:
    """The areas form one tree: known parents, one outermost area, no circle."""
    parents = {area.id: area.parent for area in areas}
    for table, area in zip(tables, areas, strict=True):
        table.refer("parent", area.parent or "", parents, "area", " in this lot")
    outermost = [table for table, area in zip(tables, areas, strict=True) if not table.has("parent")]
    for table in outermost[1:]:
        table.note("parent", "is missing: only one area, the outermost, can be without")
    for table, area in zip(tables, areas, strict=True):
        if circle := _circle(area.id, parents):
            # Noted at its first member only: one mistake, one message.
            if area.id == next(other.id for other in areas if other.id in circle):
                table.note("parent", f"areas lie inside each other in a circle: {' in '.join(circle)}")


def _circle(start: str, parents: dict[str, str | None]) -> list[str]:
    """The way from start through its parents back to start; empty where it does not come back."""
    way, at = [start], parents.get(start)
    while at is not None and at not in way:
        way.append(at)
        at = parents.get(at)
    return [*way, start] if at == start else []


def _check_size(lot: Table, areas: tuple[AreaConfig, ...]) -> None:
    """The lot has spots, not more than the engine is meant for, and no block twice."""
    blocks = [block for area in areas for block in area.spots]
    ids = (block.id for block in blocks)
    for block_id in (block_id for block_id, times in Counter(ids).items() if times > 1 and block_id != "-"):
        lot.note("area", f'block of spots "{block_id}" is there twice: give one another prefix')
    total = sum(block.count for block in blocks)
    if areas and not blocks:
        lot.note("area", "no area has spots: the lot could never let anybody in")
    if total > _SPOTS_MAX:
        lot.note("area", f"{total} spots are more than {_SPOTS_MAX}")


def _check_event(lot: Table, areas: tuple[AreaConfig, ...], gates: tuple[GateConfig, ...]) -> None:
    """All of it fits one event: some 700 blocks of spots, more where their names are short."""
    spots = sum(len(b.level) + len(b.prefix) + len(b.spot_class) + 40 for a in areas for b in a.spots)
    names = sum(2 * len(area.id) + 30 for area in areas)
    near = sum(len(gate.id) + 20 + sum(len(block) + 2 for block in gate.nearest) for gate in gates)
    if spots + names + near > _EVENT_BYTES_MAX:
        text = f"blocks and gates take {spots + names + near} bytes, more than {_EVENT_BYTES_MAX}"
        lot.note("area", f"{text}: make blocks larger, or let gates name fewer of them")
