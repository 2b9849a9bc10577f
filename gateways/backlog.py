"""Entries closed while a subscriber holds all of the journal's reserve: `backlog_full = "refuse_entries"`.

By the mode of the whole lot, as an operator would set it: it is journalled, readers are told, a refusal's
trace says so, cars that are in go out, and it outlives a restart. Rejected: a rule of its own with a reason
of its own, since for who stands at a barrier a closed lane is what this is.
"""

import secrets

import structlog

from liftgate.engine.core.commands import Order
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.lanes.modes import LOT, Setting
from liftgate.engine.core.parts.lanes.part import lanes_of
from liftgate.engine.engine import Engine

ACTOR = "journal"
NO_ENTRY, TAKE_AWAY = 3, 0

log = structlog.get_logger()


def keep_entries(engine: Engine, holder: str) -> None:
    """Close the entries of all lots, or open them again; what is so already stays.

    holder: the subscriber that holds all of the reserve, "" where none does. What somebody set by hand for a
    lot, an area or a lane is theirs and stays: an evacuation must not end because a database is slow.
    """
    if not engine.accepting:
        return
    for lot in engine.lots.values():
        mine = _by_hand(lot)
        if mine is not None and mine.actor != ACTOR:
            continue
        if holder and mine is None:
            _order(engine, lot, NO_ENTRY, f"subscriber {holder} holds all of backlog_max")
        elif not holder and mine is not None:
            _order(engine, lot, TAKE_AWAY, "the backlog eased")


def _by_hand(lot: Lot) -> Setting | None:
    """What was set by hand for the whole lot, and holds."""
    found = lanes_of(lot).modes.by_hand(LOT)
    return found[-1] if found else None


def _order(engine: Engine, lot: Lot, mode: int, reason: str) -> None:
    args = {"scope": LOT, "mode": mode, "actor": ACTOR, "reason": reason}
    order = Order(engine.now_ms, secrets.token_bytes(16), ACTOR, "set_mode", args)
    ok, code, _, _ = engine.order(lot, order)
    log.warning("journal.entries", lot=lot.id, closed=bool(mode), done=ok, code=code, why=reason)
