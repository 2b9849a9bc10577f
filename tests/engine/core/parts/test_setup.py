"""Rules as data of a lot: from its configuration, by command, in snapshots."""

from __future__ import annotations

from liftgate.engine.core.rules import table
from tests.engine.core.lots import Yard


def test_a_lot_without_rules_asks_what_every_lot_asks() -> None:
    """Rules of themes that are not configured cost nothing."""
    lot = Yard().lot
    assert [type(rule) for rule in lot.entry] == [rule for rule in table.ENTRY if rule.always]
    assert [type(rule) for rule in lot.exit] == [rule for rule in table.EXIT if rule.always]


def test_rules_that_cannot_be_used_are_refused_with_the_place() -> None:
    """A word too much says which, and the rules stay as they were."""
    yard = Yard()
    ok, code, body = yard.order("set_rules", rules={"nonsense": {}}, actor="eve")
    assert (ok, code) == (False, "bad_rules")
    assert body["text"] == "nonsense: no such rules"
    assert yard.lot.rules == {}
