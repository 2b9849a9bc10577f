"""Fallbacks when a class of spot is full, and cars that block a charger."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from liftgate.codecs.events.operators import FindingMade
from liftgate.engine.core.parts import classes
from liftgate.engine.core.parts.classes import ClassesPart
from liftgate.engine.core.rules.classes import HasSpaceOfClass
from liftgate.engine.core.rules.place import HasSpace
from tests.engine.core.lots import CARD, CONFIRMED, IN_AND_OUT, NOON, Yard, area, block, lane_spec, lot_spec

MIXED = lot_spec(
    area(
        "north",
        None,
        block("P1", "A", 1),
        block("P1", "P", 1, "permit"),
        block("P1", "C", 2, "charging"),
        block("P1", "F", 1, "family"),
        block("P1", "M", 1, "motorcycle"),
        block("P1", "W", 1, "accessible"),
    )
)
MINUTE = 60_000
SPOT = "P1-C-001"


def yard(**rules: Any) -> Yard:
    made = Yard(MIXED)
    assert made.order("set_rules", rules={"classes": rules}, actor="eve")[0]
    return made


def register(made: Yard, token: bytes, *wanted: str) -> None:
    assert made.order("register_credential", kind=CARD, token=token, classes=wanted, actor="eve")[0]


def report(made: Yard, said: str, **args: Any) -> Any:
    return made.order("charger_reports", state=said, actor="ocpp", **args)


def findings(events: Any) -> list[FindingMade]:
    return [event for event in events if isinstance(event, FindingMade)]


def test_a_full_class_falls_back_in_the_lot_s_order() -> None:
    """permit, then standard, then family; when those are full too it is 301, and the trace names them all."""
    made = yard(fallback={"permit": ["standard", "family"]})
    for token in (b"a", b"b", b"c", b"d"):
        register(made, token, "permit")
    spots = [made.scan(0, token).spot for token in (b"a", b"b", b"c")]
    assert spots == ["P1-P-001", "P1-A-001", "P1-F-001"]
    refused = made.scan(0, b"d")
    assert refused.reason == 301
    assert "looked for permit, then standard, family" in " ".join(refused.trace)
    made.check()


def test_a_credential_s_own_preferences_come_before_any_fallback() -> None:
    """charging or else motorcycle, and only then what charging falls back to."""
    made = yard(fallback={"charging": ["standard"]})
    for token in (b"a", b"b", b"c", b"d"):
        register(made, token, "charging", "motorcycle")
    spots = [made.scan(0, token).spot for token in (b"a", b"b", b"c", b"d")]
    assert spots == ["P1-C-001", "P1-C-002", "P1-M-001", "P1-A-001"]
    made.check()


def test_no_fallback_gives_an_accessible_spot_but_to_those_who_hold_the_class() -> None:
    """The rules cannot even say it; a holder has it as one of its own."""
    made = yard()
    wrong = {"classes": {"fallback": {"permit": ["accessible"]}}}
    ok, code, body = made.order("set_rules", rules=wrong, actor="eve")
    assert (ok, code) == (False, "bad_rules") and "accessible" in body["text"]
    sly = HasSpaceOfClass({}, {"standard": ("accessible",)})
    assert sly._others(("standard",)) == []
    register(made, b"holder", "standard", "accessible")
    made.scan(0, b"one")
    assert made.scan(0, b"two").reason == 301
    assert made.scan(0, b"holder").spot == "P1-W-001"


def test_a_promise_out_of_an_inner_area_is_no_place_in_the_outer_one_here_either() -> None:
    """As without fallbacks: who is let out of it, and scans before passing, finds a full lot full."""
    spec = lot_spec(area("north", None, block("P1", "A", 1)), area("vip", "north", block("P0", "V", 1)))
    inner = (lane_spec(0, "entry", "vip"), lane_spec(1, "exit", "vip", confirm=True))
    made = Yard(spec, r=IN_AND_OUT, v=inner)
    made.order("set_rules", rules={"classes": {}}, actor="eve")
    made.scan(0, b"anna")
    made.scan(0, b"anna", reader="v")
    made.scan(0, b"otto")
    made.scan(1, b"anna", reader="v")
    made.order("reset_passback", kind=CARD, token=b"anna", actor="eve")
    assert made.scan(0, b"anna").reason == 300


def test_a_pass_s_classes_are_those_of_the_car_that_comes_in_by_it() -> None:
    """Before those it is registered with; a pass that names none leaves them."""
    made = yard(fallback={"permit": ["standard"]})
    assert made.order("set_rules", rules={"entitlements": {}}, actor="eve")[0]
    register(made, b"b", "family")
    args = {"classes": ["permit"], "actor": "eve"}
    assert made.order("issue_pass", name="a", credentials=[{"kind": CARD, "token": b"a"}], **args)[0]
    assert made.order("issue_pass", name="b", credentials=[{"kind": CARD, "token": b"b"}], actor="eve")[0]
    assert made.scan(0, b"a").spot == "P1-P-001"
    assert made.scan(0, b"b").spot == "P1-F-001"
    assert made.scan(0, b"c").spot == "P1-A-001"
    made.check()


def test_history_gets_its_spot_by_the_same_order() -> None:
    """A car that came in while its reader was alone stands where the rules would have put it."""
    made = yard(fallback={"permit": ["family"]})
    for token in (b"a", b"b"):
        register(made, token, "permit")
    spots = [made.history(0, 0x10, CARD, token, verdict=1).spot for token in (b"a", b"b")]
    assert spots == ["P1-P-001", "P1-F-001"]
    made.check()


def test_history_gets_a_spot_of_the_pass_that_it_is_counted_for() -> None:
    """Also where a rule would have objected, and not by the pass of a stay that gives way to the new one."""
    made = yard(fallback={})
    assert made.order("set_rules", rules={"entitlements": {}}, actor="eve")[0]
    holder = {"credentials": [{"kind": CARD, "token": b"a"}], "actor": "eve"}
    assert made.order("issue_pass", name="old", classes=["charging"], **holder)[0]
    assert made.scan(0, b"a").spot == "P1-C-001"
    assert made.order("change_pass", name="old", **holder | {"credentials": [{"kind": CARD, "token": b"z"}]})[
        0
    ]
    assert made.history(0, 0x10, CARD, b"a", verdict=1).spot == "P1-A-001"
    assert made.order("issue_pass", name="new", classes=["permit"], uses=1, valid_until=1, **holder)[0]
    assert made.history(0, 0x10, CARD, b"a", verdict=1).spot == "P1-P-001"
    made.check()


def test_the_simplest_lot_asks_the_simpler_rule() -> None:
    """What looks for classes by fallback is asked only where there are some."""
    assert [type(rule) for rule in Yard().lot.entry if isinstance(rule, HasSpace)] == [HasSpace]
    assert [type(rule) for rule in yard().lot.entry if isinstance(rule, HasSpace)] == [HasSpaceOfClass]


def charging(made: Yard, token: bytes = b"ev") -> Any:
    register(made, token, "charging")
    return made.scan(0, token)


def test_a_full_car_has_its_grace_and_is_then_told_of_once() -> None:
    """Not a ms before; and not again until it charged or was gone."""
    made = yard(full_grace_s=600)
    session = charging(made).session
    assert report(made, "charging", spot=SPOT)[2] == {"spot": SPOT, "session": session}
    made.now_ms += 60 * MINUTE
    assert report(made, "full", spot=SPOT)[0]
    made.check()
    assert made.tick(10 * MINUTE - 1) == ()
    found = findings(made.tick(1))
    assert [(each.kind, each.text) for each in found] == [
        ("blocks charger", f"full for 10 minutes and still at {SPOT}")
    ]
    assert found[0].about == {"spot": SPOT, "session": session, "full_since_ms": NOON + 60 * MINUTE}
    assert made.tick(60 * MINUTE) == ()
    report(made, "full", spot=SPOT)
    assert made.tick(60 * MINUTE) == ()
    report(made, "charging", spot=SPOT)
    report(made, "full", spot=SPOT)
    assert len(findings(made.tick(10 * MINUTE))) == 1
    made.check()


@pytest.mark.parametrize("how", ["leaves", "unplugs", "charges"])
def test_a_car_that_made_room_in_time_is_not_told_of(how: str) -> None:
    """It left, unplugged, or charged on."""
    made = yard(full_grace_s=600)
    session = charging(made).session
    assert report(made, "full", session=session)[2]["spot"] == SPOT
    made.now_ms += 5 * MINUTE
    if how == "leaves":
        made.scan(1, b"ev")
    else:
        report(made, "unplugged" if how == "unplugs" else "charging", spot=SPOT)
    assert made.tick(60 * MINUTE) == ()
    plugs = made.lot.parts["classes"].plugs
    assert (plugs == {}) == (how != "charges")
    made.check()


def test_a_charger_may_report_a_car_that_nobody_knows() -> None:
    """Somebody parked where no spot was given: the finding names the spot."""
    made = yard(full_grace_s=600)
    assert report(made, "full", spot="P1-C-002")[2] == {"spot": "P1-C-002", "session": None}
    assert findings(made.tick(10 * MINUTE))[0].about["spot"] == "P1-C-002"
    made.check()


def test_in_a_lot_without_spots_a_charger_names_the_session() -> None:
    """And the finding does."""
    made = Yard(lot_spec(area("north", None, block("P1", "C", 5, "charging")), assign="count"))
    made.order("set_rules", rules={"classes": {"full_grace_s": 600}}, actor="eve")
    session = charging(made).session
    assert report(made, "full", session=session)[2] == {"spot": "", "session": session}
    assert findings(made.tick(10 * MINUTE))[0].about["session"] == session
    made.scan(1, b"ev")
    assert made.lot.parts["classes"].plugs == {}
    made.check()


def test_without_a_grace_a_full_car_may_stay() -> None:
    """While the lot has none nobody is told; one that comes back counts from when the car was full, and a car
    that left in between is not told of.
    """
    made = yard(full_grace_s=600)
    charging(made)
    charging(made, b"ev2")
    report(made, "full", spot=SPOT)
    report(made, "full", spot="P1-C-002")
    assert made.order("set_rules", rules={"classes": {}}, actor="eve")[0]
    assert report(made, "full", spot=SPOT)[1] == "no_rules"
    made.scan(1, b"ev2")
    assert made.tick(600 * MINUTE) == ()
    made.check()
    assert made.order("set_rules", rules={"classes": {"full_grace_s": 600}}, actor="eve")[0]
    assert [found.about["spot"] for found in findings(made.tick())] == [SPOT]
    made.check()


def test_reports_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its code, the bound too."""
    assert report(Yard(), "full", spot=SPOT)[1] == "no_rules"
    made = yard(full_grace_s=600)
    assert report(made, "full")[1] == "bad_args"
    for spot in ("P1-C-003", "P1-C-0", "P1-X-001", "nonsense", "P1-C-\N{SUPERSCRIPT TWO}"):
        assert report(made, "full", spot=spot)[1] == "no_such_spot"
    assert report(made, "full", session=bytes(16))[1] == "no_such_session"
    assert report(made, "exploded", spot=SPOT)[1] == "bad_args"
    monkeypatch.setattr(classes, "CHARGERS_MAX", 1)
    assert report(made, "full", spot=SPOT)[0]
    assert report(made, "full", spot="P1-C-002")[1] == "too_many"
    assert report(made, "charging", spot=SPOT)[0]


def test_chargers_are_a_query() -> None:
    """Spot to state, since when, and whether the finding was made."""
    made = yard(full_grace_s=600)
    session = charging(made).session
    report(made, "full", spot=SPOT)
    made.tick(10 * MINUTE)
    shape, answer = ClassesPart.QUERIES["chargers"]
    ok, _, body = answer(made.lot, msgspec.convert({}, shape))
    row = {"state": "full", "since_ms": NOON, "session": session, "blocks": True}
    assert ok and body == {"count": 1, "chargers": {SPOT: row}}


def test_a_car_before_the_barrier_is_at_no_charger() -> None:
    """It may never come in: what stands at the spot that it was promised is nobody's, and stays so."""
    made = Yard(MIXED, r=CONFIRMED)
    made.order("set_rules", rules={"classes": {"full_grace_s": 600}}, actor="eve")
    session = charging(made).session
    assert report(made, "full", session=session)[1] == "no_such_session"
    assert report(made, "full", spot=SPOT)[2] == {"spot": SPOT, "session": None}
    assert made.tick(2 * MINUTE)[0].session == session
    assert findings(made.tick(10 * MINUTE))[0].about == {"spot": SPOT, "session": None, "full_since_ms": NOON}
    made.check()


def test_a_charger_knows_the_car_that_came_in() -> None:
    """From when it passed the barrier."""
    made = Yard(MIXED, r=CONFIRMED)
    made.order("set_rules", rules={"classes": {"full_grace_s": 600}}, actor="eve")
    session = charging(made).session
    made.passage(0, 1)
    assert report(made, "full", session=session)[2] == {"spot": SPOT, "session": session}
    made.check()
