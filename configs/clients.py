"""Reads `[[reader]]` and `[[service]]`: who may sign on, with which key, and for what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from liftgate.configs.schema import (
    CARDS,
    DIRECTIONS,
    KINDS,
    MAY,
    Key,
    LaneConfig,
    LotConfig,
    ReaderConfig,
    ServiceConfig,
)
from liftgate.configs.secrets import file_bytes, variable
from liftgate.configs.table import ID, Table, note_repeats

_KEY_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_NO_KEY = Key(bytes(32))


class KeyPlaces:
    """Where keys come from: the file itself, files beside it, the environment. nothing: a key for no use."""

    __slots__ = ("environ", "folder")
    nothing = _NO_KEY

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = environ

    def read(self, table: Table, default: Key | None = None) -> Key:
        """The key that the table names in one of the three ways; with a default it may name none."""
        found = self.maybe(table)
        if found is not None:
            return found
        if default is None:
            table.note("key", "needs one of key, key_file and key_env, has none")
        return default or _NO_KEY

    def maybe(self, table: Table, name: str = "key") -> Key | None:
        """The key that the table names as `name`, `name`_file or `name`_env; None where it names none."""
        places = (name, f"{name}_file", f"{name}_env")
        given = [place for place in places if table.has(place)]
        texts = {place: table.maybe_text(place) for place in places}
        if not given:
            return None
        if len(given) != 1:
            table.note(
                name, f"needs one of {places[0]}, {places[1]} and {places[2]}, has {' and '.join(given)}"
            )
            return _NO_KEY
        place, text = given[0], texts[given[0]]
        return self._resolve(table, name, place, text) if text else _NO_KEY

    def _resolve(self, table: Table, name: str, place: str, text: str) -> Key:
        if place == name:
            return _decode(table, place, text, "")
        if _KEY_HEX.fullmatch(text):  # and must not be shown as a name that was not found
            table.note(place, f"is a key itself: write it as {name}")
            return _NO_KEY
        if place.endswith("_env"):
            found = variable(table, place, text, self.environ)
        else:
            found = self._read_file(table, place, text)
        return _NO_KEY if found is None else _decode(table, place, found.strip(), "what it names ")

    def _read_file(self, table: Table, place: str, name: str) -> str | None:
        try:
            return file_bytes(self.folder / name).decode("ascii", "replace")
        except (OSError, ValueError) as error:
            table.note(place, f'cannot read "{name}": {getattr(error, "strerror", None) or error}')
            return None


def _decode(table: Table, place: str, text: str, where: str) -> Key:
    """The 32 bytes; a mistake is described without showing any of what may be most of a secret."""
    if _KEY_HEX.fullmatch(text):
        return Key(bytes.fromhex(text))
    what = f"{len(text)} characters" if len(text) != 64 else "other characters among them"
    table.note(place, f"{where}must be 64 hex digits (32 bytes), not {what}")
    return _NO_KEY


def read_reader(table: Table, lots: Mapping[str, LotConfig], keys: KeyPlaces) -> ReaderConfig:
    lot_id = table.text("lot", shape=ID)
    table.refer("lot", lot_id, lots, "lot")
    lane_tables = table.tables("lane", needed_by="a reader")
    lanes = tuple(_read_lane(lane, lots.get(lot_id)) for lane in lane_tables)
    note_repeats(lane_tables, [lane.number for lane in lanes], "number")
    return ReaderConfig(id=table.text("id", shape=ID), key=keys.read(table), lot=lot_id, lanes=lanes)


def _read_lane(table: Table, lot: LotConfig | None) -> LaneConfig:
    """lot: the reader's, or None where it is not known and nothing can be said about areas and gates."""
    lane = LaneConfig(
        number=table.number("number", 0, 255),
        direction=table.word("direction", DIRECTIONS),
        area=table.text("area", shape=ID),
        gate=table.maybe_text("gate", shape=ID),
        confirm=table.flag("confirm", default=True),
        cards=table.word("cards", CARDS, default="open"),
        kinds=table.words("kinds", KINDS, default=KINDS),
    )
    if lot is not None:
        where = f' in lot "{lot.id}"'
        table.refer("area", lane.area, [area.id for area in lot.areas], "area", where)
        table.refer("gate", lane.gate or "", [gate.id for gate in lot.gates], "gate", where)
    return lane


def read_service(table: Table, lots: Mapping[str, LotConfig], keys: KeyPlaces) -> ServiceConfig:
    named = table.names("lots", lots, "lot")
    return ServiceConfig(
        id=table.text("id", shape=ID),
        key=keys.read(table),
        may=table.words("may", MAY),
        lots=named if table.has("lots") else None,
    )
