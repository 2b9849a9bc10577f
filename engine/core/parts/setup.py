"""Putting a lot's parts and rules together, whenever its configuration or its rules change."""

from typing import Any

from liftgate.configs.rules import read_theme
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts import PARTS
from liftgate.engine.core.parts.lists import enlist
from liftgate.engine.core.rules.table import rules_of


def set_rules(lot: Lot, rules: dict[str, Any]) -> None:
    """These rules hold from here on. Parts keep their state, also while the lot has no rules for them."""
    lot.rules = rules
    for cls in PARTS:
        part = lot.parts.get(cls.THEME)
        if part is None:
            part = lot.parts[cls.THEME] = cls(lot)
        data = rules.get(cls.THEME)
        part.configure(None if data is None else read_theme(cls.THEME, data))
    enlist(lot)
    lot.entry, lot.exit = rules_of(lot)
    lot.choose_rules(lane for reader in lot.readers.values() for lane in reader.lanes.values())


def dump_parts(lot: Lot) -> dict[str, Any]:
    """What rules and parts add to a snapshot; empty for a lot without."""
    states = {name: state for name, part in lot.parts.items() if (state := part.dump()) is not None}
    return ({"rules": lot.rules} if lot.rules else {}) | ({"parts": states} if states else {})


def load_parts(lot: Lot, state: dict[str, Any]) -> None:
    """Undo `dump_parts`; after stays and readers are there."""
    if lot.areas:
        set_rules(lot, state.get("rules", {}))
    states = state.get("parts", {})
    for name, part in lot.parts.items():
        if name in states:
            part.load(states[name])
        else:
            part.adopt()
