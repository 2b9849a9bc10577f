"""Rules as data of a lot: from its configuration, by command, in snapshots."""

from __future__ import annotations

from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.model import Lot
from liftgate.engine.core.rules import table
from liftgate.engine.core.rules.base import Rule
from liftgate.engine.core.rules.identity import PlateIsWitness
from liftgate.engine.core.rules.lanes import GoesWithTheTide
from tests.engine.core.lots import Yard, lane_spec


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


def test_a_lane_asks_only_what_can_matter_there() -> None:
    """Tides where one runs, plates as witnesses where they are: elsewhere a scan does not ask for them."""
    yard = Yard(None, r=(lane_spec(0, "both"), lane_spec(1, "both")))
    rules = {"lanes": {}, "identity": {"lanes": {"r/1": "witness"}}}
    assert yard.order("set_rules", rules=rules, actor="eve")[0]
    assert (asked(yard, 0), asked(yard, 1)) == (set(), {PlateIsWitness})
    assert yard.order("set_tide", reader="r", lane=0, run="in", actor="eve")[0]
    assert (asked(yard, 0), asked(yard, 1)) == ({GoesWithTheTide}, {PlateIsWitness})
    yard.do(c.ConfigureReader(yard.now_ms, "r", (lane_spec(0, "both"), lane_spec(1, "both", confirm=True))))
    assert (asked(yard, 0), asked(yard, 1)) == ({GoesWithTheTide}, {PlateIsWitness})
    assert asked(yard, 0, state.load(state.dump(yard.lot))) == {GoesWithTheTide}
    assert yard.order("set_tide", reader="r", lane=0, run="off", actor="eve")[0]
    assert (asked(yard, 0), asked(yard, 1)) == (set(), {PlateIsWitness})
    assert yard.order("set_rules", rules={"identity": {}}, actor="eve")[0]
    assert (asked(yard, 0), asked(yard, 1)) == (set(), set())


def asked(yard: Yard, number: int, lot: Lot | None = None) -> set[type[Rule]]:
    """Which of the two rules of single lanes the lane asks, both ways alike."""
    lane = (lot or yard.lot).readers["r"].lanes[number]
    wanted = (GoesWithTheTide, PlateIsWitness)
    found = [{type(rule) for rule in rules if isinstance(rule, wanted)} for rules in (lane.entry, lane.exit)]
    assert found[0] == found[1]
    return found[0]


def test_who_has_nobody_to_follow_is_not_told_of_cars() -> None:
    """Chargers and reservations are told of each car only while one of their own is about."""
    yard = Yard()
    rules = {"classes": {"full_grace_s": 60}, "reservations": {}}
    assert yard.order("set_rules", rules=rules, actor="eve")[0]
    assert yard.lot.watchers == ()
    came = yard.scan(0)
    report = {"session": came.session, "actor": "ocpp"}
    assert yard.order("charger_reports", state="charging", **report)[0]
    assert [part.THEME for part in yard.lot.watchers] == ["classes"]
    assert [part.THEME for part in state.load(state.dump(yard.lot)).watchers] == ["classes"]
    yard.scan(1)
    assert yard.lot.watchers == () and not yard.lot.parts["classes"].plugs
