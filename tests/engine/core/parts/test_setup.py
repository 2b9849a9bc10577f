"""Rules as data of a lot: from its configuration, by command, in snapshots."""

from __future__ import annotations

from typing import Any

from liftgate.engine.core import commands as c
from liftgate.engine.core.rules import table
from tests.engine.core.lots import Yard


def order(yard: Yard, name: str, **args: Any) -> tuple[bool, str, dict[str, Any]]:
    """Do a command under an id of its own; its outcome without the position."""
    id = len(yard.lot.outcomes).to_bytes(16, "big")
    yard.do(c.Order(yard.now_ms, id, "api", name, args))
    ok, code, body, _ = yard.lot.outcomes[id]
    return ok, code, body


def test_a_lot_without_rules_asks_what_every_lot_asks() -> None:
    """Rules of themes that are not configured cost nothing."""
    lot = Yard().lot
    assert [type(rule) for rule in lot.entry] == [rule for rule in table.ENTRY if rule.always]
    assert [type(rule) for rule in lot.exit] == [rule for rule in table.EXIT if rule.always]


def test_rules_that_cannot_be_used_are_refused_with_the_place() -> None:
    """A word too much says which, and the rules stay as they were."""
    yard = Yard()
    ok, code, body = order(yard, "set_rules", rules={"nonsense": {}}, actor="eve")
    assert (ok, code) == (False, "bad_rules")
    assert body["text"] == "nonsense: no such rules"
    assert yard.lot.rules == {}
