"""Plates beside credentials, lost and swapped credentials, exits without entry and entries without exit."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.codecs.events.operators import FindingMade
from liftgate.codecs.events.passback import StayClosed
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.parts import identity
from liftgate.engine.core.parts.identity import CLOSED_PER_TICK, LOST_MAX
from tests.engine.core.lots import (
    CARD,
    CONFIRMED,
    IN_AND_OUT,
    NOON,
    PLATE,
    Yard,
    area,
    block,
    lane_spec,
    lot_spec,
)

OPEN, REFUSE = 1, 2
HOUR_MS = 3_600_000
NESTED = (*IN_AND_OUT, lane_spec(2, "entry", "vip"), lane_spec(3, "exit", "vip"))


def yard_with(lanes: Any = IN_AND_OUT, /, passback: dict[str, Any] | None = None, **rules: Any) -> Yard:
    """A lot of nine spots with an inner area of three, under these rules of identity."""
    spec = lot_spec(area("north", None, block("P1", "A", 9)), area("vip", "north", block("P0", "V", 3)))
    spec["rules"] = {"identity": rules} | ({} if passback is None else {"passback": passback})
    return Yard(spec, r=lanes)


def answer(event: Any) -> tuple[int, int]:
    return event.verdict, event.reason


def card(name: bytes) -> dict[str, Any]:
    return {"kind": CARD, "token": name}


def inside(yard: Yard) -> int:
    return yard.counts()[0]


def drive_in(yard: Yard, plate: bytes, name: bytes = b"anna") -> Any:
    """The camera reads a plate, then the driver a card."""
    yard.scan(0, plate, kind=PLATE)
    return yard.scan(0, name)


# -- plates


def test_a_reset_of_the_whole_lot_lets_strangers_out_by_rules_of_identity_alone() -> None:
    """For as long as rules of passback would by default."""
    yard = yard_with(exit_without_entry="refuse")
    assert yard.order("reset_passbacks", whole=True, actor="jo")[0]
    assert (yard.scan(1, b"boris").verdict, yard.scan(1, b"chloe").reason) == (OPEN, 211)
    yard.now_ms += 86_401_000
    assert yard.scan(1, b"dora").verdict == REFUSE
    yard.check()


def test_a_witness_opens_nothing_and_is_told_apart() -> None:
    """Its scan is refused with a reason of its own and what it saw; without the rule it is a credential."""
    yard = yard_with(plates="witness")
    seen = yard.scan(0, b"b-ab 123", kind=PLATE)
    assert (answer(seen), seen.marks) == ((REFUSE, 102), {"witness": "BAB123"})
    assert seen.trace == ("plate: a witness at this lane: noted", "reason 102")
    assert inside(yard) == 0
    yard.check()
    assert answer(yard_with().scan(0, b"B-AB 123", kind=PLATE)) == (OPEN, 0)


def test_lanes_have_their_own_word_on_plates() -> None:
    """The lot's where they have none."""
    yard = yard_with(lanes={"r/1": "witness"})
    assert answer(yard.scan(0, b"BAB123", kind=PLATE)) == (OPEN, 0)
    assert answer(yard.scan(1, b"BAB123", kind=PLATE)) == (REFUSE, 102)


def test_the_plate_seen_before_a_credential_goes_into_its_stay() -> None:
    """Once: the next car at the lane does not get it."""
    yard = yard_with(plates="witness")
    event = drive_in(yard, b"B-AB 123")
    assert event.marks == {"plate": "BAB123"}
    stay = yard.lot.stays[b"\x02anna"]
    assert stay.notes == {"identity": {"plate": "BAB123"}}
    yard.scan(0, b"boris")
    assert yard.lot.stays[b"\x02boris"].notes is None
    yard.check()


def test_a_plate_waits_so_long_and_not_longer() -> None:
    """To the millisecond, through a snapshot and a new configuration of its reader."""
    for after_ms, marks in ((30_000, {"plate": "BAB123"}), (30_001, {})):
        yard = yard_with(plates="witness", witness_s=30)
        yard.scan(0, b"BAB123", kind=PLATE)
        yard.lot = state.load(state.dump(yard.lot))
        yard.do(c.ConfigureReader(yard.now_ms, "r", (*IN_AND_OUT, lane_spec(2, "exit"))))
        yard.now_ms += after_ms
        assert yard.scan(0).marks == marks
        yard.check()


@pytest.mark.parametrize(("before_ms", "finding"), [(20_000, 500), (20_001, 0)])
def test_history_from_before_a_plate_was_seen_is_not_compared_with_it(before_ms: int, finding: int) -> None:
    """A reader without its time says 2000; clocks that are 10 s off each may turn round who came first."""
    yard = yard_with(plates="witness")
    drive_in(yard, b"B-AB 123")
    yard.now_ms += 60_000
    yard.scan(1, b"XYZ 999", kind=PLATE)
    event = yard.history(1, ScanDecided.TYPE, CARD, b"anna", verdict=1, at_ms=yard.now_ms - before_ms)
    assert event.finding == finding
    yard.check()


@pytest.mark.parametrize(
    ("plate", "answered", "mismatch"),
    [
        (b"BAB123", (OPEN, 0), False),
        (b"8A8123", (OPEN, 0), False),
        (b"8A812", (OPEN, 500), True),
        (b"XYZ999", (OPEN, 500), True),
    ],
)
def test_another_plate_at_the_exit_is_a_finding(
    plate: bytes, answered: tuple[int, int], mismatch: bool
) -> None:
    """Beyond the distance that the rules allow; up to it, cameras err."""
    yard = yard_with(plates="witness")
    drive_in(yard, b"BAB123")
    yard.scan(1, plate, kind=PLATE)
    out = yard.scan(1)
    assert answer(out) == answered
    assert ("plate_mismatch" in out.marks) == mismatch
    assert inside(yard) == 0
    yard.check()


def test_another_plate_is_refused_where_the_rules_say_so() -> None:
    """With the trace of what both cameras saw, until the right car comes."""
    yard = yard_with(plates="witness", mismatch="refuse", edits_max=0)
    drive_in(yard, b"BAB123")
    yard.scan(1, b"8AB123", kind=PLATE)
    for _ in range(2):
        refused = yard.scan(1)
        assert answer(refused) == (REFUSE, 500)
        assert refused.trace[-2] == (
            "plate against stay: came in with BAB123, saw 8AB123: 0.5 apart, at most 0.0"
        )
    yard.scan(1, b"BAB123", kind=PLATE)
    assert answer(yard.scan(1)) == (OPEN, 0)
    yard.check()


def test_where_one_plate_is_missing_nothing_is_compared() -> None:
    """A camera that saw nothing accuses nobody."""
    yard = yard_with(plates="witness", mismatch="refuse")
    yard.scan(0)
    yard.scan(1, b"BAB123", kind=PLATE)
    assert answer(yard.scan(1)) == (OPEN, 0)
    drive_in(yard, b"BAB123", b"boris")
    assert answer(yard.scan(1, b"boris")) == (OPEN, 0)


def test_a_stay_by_plate_is_compared_with_the_witness_at_the_exit() -> None:
    """The plate that opened the entry is what is known of the car, also after a swap for a card."""
    yard = yard_with(lanes={"r/1": "witness"}, mismatch="refuse")
    yard.scan(0, b"B-AB 123", kind=PLATE)
    plate = {"kind": PLATE, "token": b"B-AB 123"}
    assert yard.order("swap_credential", before=plate, after=card(b"c"), actor="jo")[0]
    yard.scan(1, b"ZZZ", kind=PLATE)
    assert answer(yard.scan(1, b"c")) == (REFUSE, 500)
    yard.scan(1, b"BAB123", kind=PLATE)
    assert answer(yard.scan(1, b"c")) == (OPEN, 0)
    yard.check()


# -- exits without an entry


@pytest.mark.parametrize(
    ("rule", "answered", "named"),
    [("refuse", (REFUSE, 211), False), ("open", (OPEN, 211), False), ("stay", (OPEN, 211), True)],
)
def test_an_exit_without_an_entry_is_as_the_rule_says(
    rule: str, answered: tuple[int, int], named: bool
) -> None:
    """Refused, let out without a name, or let out with a stay whose entry nobody knows."""
    yard = yard_with(exit_without_entry=rule, passback={"mode": "soft"})
    event = yard.scan(1)
    assert answer(event) == answered
    assert (event.session is not None) == named
    assert inside(yard) == (0 if rule == "refuse" else -1)
    yard.check()


def test_without_a_rule_anti_passback_judges_exits() -> None:
    """Hard without more."""
    assert answer(yard_with().scan(1)) == (REFUSE, 211)


def test_a_stay_of_unknown_entry_waits_for_its_passage() -> None:
    """On a lane that confirms it is in until it passed; scanned again, it is the same stay."""
    yard = yard_with((*CONFIRMED, *NESTED[2:]), exit_without_entry="stay")
    event = yard.scan(1)
    assert yard.lot.stays[b"\x02anna"].notes == {"identity": {"unknown_entry": True}}
    assert yard.scan(1).session == event.session
    assert inside(yard) == 0
    yard.check()
    yard.passage(1, 1, event.session)
    assert inside(yard) == -1 and not yard.lot.stays
    inner = yard.scan(3, b"boris")
    assert answer(inner) == (OPEN, 211)
    assert {a.id: a.inside + a.adrift for a in yard.lot.areas.values()} == {"north": 0, "vip": -1}
    yard.check()


# -- lost and swapped


def test_a_lost_ticket_goes_on_under_its_replacement_and_is_denied() -> None:
    """The stay, its spot and its time of entry are the same; the lost one opens nothing, in or out."""
    yard = yard_with(passback={"mode": "soft"})
    entered = yard.scan(0)
    ok, _, body = yard.order(
        "lost_ticket", credential=card(b"anna"), replacement=card(b"new"), cause="lost on deck 2", actor="jo"
    )
    assert ok and (body["session"], body["spot"], body["ended"]) == (entered.session, "P1-A-001", False)
    assert answer(yard.scan(0)) == answer(yard.scan(1)) == (REFUSE, 201)
    yard.check()
    out = yard.scan(1, b"new")
    assert (answer(out), out.session) == ((OPEN, 0), entered.session)
    assert yard.order("allow_credential", **card(b"anna"), actor="jo")[0]
    assert answer(yard.scan(0)) == (OPEN, 0)
    yard.check()


def test_a_lost_ticket_without_a_replacement_ends_the_stay() -> None:
    """The attendant opens by hand; the spot is free at once."""
    yard = yard_with()
    yard.scan(0)
    assert yard.order("lost_ticket", credential=card(b"anna"), cause="lost", actor="jo")[2]["ended"]
    assert inside(yard) == 0 and not yard.lot.stays
    assert yard.scan(0, b"boris").spot == "P1-A-001"
    yard.check()


def test_a_lost_ticket_is_found_by_plate_or_by_time_of_entry() -> None:
    """The plate as far as cameras err; the time give or take what the attendant says."""
    yard = yard_with(plates="witness")
    drive_in(yard, b"BAB123", b"a")
    yard.now_ms += HOUR_MS
    drive_in(yard, b"XYZ999", b"b")
    by_plate = yard.order("lost_ticket", plate="8ab-123", replacement=card(b"n1"), cause="lost", actor="jo")
    assert by_plate[0] and yard.lot.stays[b"\x02n1"].entered_at_ms == NOON
    by_time = {"entered_at_ms": NOON + HOUR_MS + 300_000, "cause": "lost", "actor": "jo"}
    assert yard.order("lost_ticket", **by_time, within_s=299)[:2] == (False, "no_stay")
    assert yard.order("lost_ticket", **by_time, replacement=card(b"n2"))[0]
    assert set(yard.lot.stays) == {b"\x02n1", b"\x02n2"}
    yard.check()


def test_a_description_that_fits_several_stays_is_answered_with_them() -> None:
    """And nothing is done; the session then says which."""
    yard = yard_with()
    sessions = [yard.scan(0, bytes((65 + n,))).session for n in range(7)]
    order = {"entered_at_ms": NOON, "cause": "lost", "actor": "jo"}
    ok, code, body = yard.order("lost_ticket", **order)
    assert (ok, code) == (False, "ambiguous")
    assert body["text"].count("session ") == 5 and len(body["text"]) < 512
    assert inside(yard) == 7
    assert yard.order("lost_ticket", **order, session=sessions[6])[0]
    assert b"\x02G" not in yard.lot.stays


def test_a_car_that_nobody_saw_come_in_gets_a_stay_on_an_attendants_word() -> None:
    """It counted without a name and has one now: the occupancy is the same, and it owes from its word on."""
    yard = yard_with()
    yard.passage(0, 3)
    order = {"cause": "lost", "actor": "jo", "create": True, "plate": "b ab 1"}
    assert yard.order("lost_ticket", **order)[:2] == (False, "bad_args")
    late = {"entered_at_ms": yard.now_ms + 1, "replacement": card(b"n")}
    assert yard.order("lost_ticket", **order, **late)[:2] == (False, "bad_args")
    word = {"entered_at_ms": yard.now_ms - HOUR_MS, "replacement": card(b"n")}
    assert yard.order("lost_ticket", **order, **word, area="attic")[:2] == (False, "no_such_area")
    ok, _, body = yard.order("lost_ticket", **order, **word)
    assert ok and body["created"]
    stay = yard.lot.stays[b"\x02n"]
    assert (stay.session, stay.entered_at_ms) == (body["session"], NOON - HOUR_MS)
    assert stay.notes == {"identity": {"unknown_entry": True, "plate": "BAB1"}}
    assert inside(yard) == 1
    yard.check()
    assert answer(yard.scan(1, b"n")) == (OPEN, 0)
    assert inside(yard) == 0


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({}, "bad_args"),
        ({"credential": card(b"nobody")}, "no_stay"),
        ({"plate": "QQQ"}, "no_stay"),
        ({"credential": card(b"anna"), "replacement": card(b"boris")}, "has_stay"),
        ({"credential": card(b"anna"), "replacement": card(b"anna")}, "has_stay"),
        ({"credential": card(b"anna"), "replacement": card(b"eve")}, "denied"),
        ({"credential": card(b"anna"), "cause": ""}, "bad_args"),
    ],
)
def test_a_lost_ticket_that_cannot_be_dealt_with_is_refused(args: dict[str, Any], code: str) -> None:
    """By its code, and every stay is as it was."""
    yard = yard_with()
    yard.scan(0)
    yard.scan(0, b"boris")
    yard.order("deny_credential", **card(b"eve"), actor="jo")
    assert yard.order("lost_ticket", **{"cause": "lost", "actor": "jo"} | args)[:2] == (False, code)
    assert set(yard.lot.stays) == {b"\x02anna", b"\x02boris"}


def test_a_swapped_credential_takes_the_stay_along() -> None:
    """Also between the barrier and the loop; the old one may come in again."""
    yard = yard_with(CONFIRMED)
    entered = yard.scan(0)
    assert yard.order("swap_credential", before=card(b"anna"), after=card(b"b"), actor="jo")[0]
    yard.passage(0, 1, entered.session)
    assert yard.order("swap_credential", before=card(b"anna"), after=card(b"c"), actor="jo")[1] == "no_stay"
    again = yard.scan(0)
    assert answer(again) == (OPEN, 0) and again.session != entered.session
    assert yard.order("swap_credential", before=card(b"b"), after=card(b"anna"), actor="jo")[1] == "has_stay"
    assert yard.scan(1, b"b").session == entered.session
    yard.check()


def test_the_oldest_of_too_many_lost_credentials_stays_denied_at_entries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the exit it is then what every credential without a stay is."""
    assert LOST_MAX == 4096
    monkeypatch.setattr(identity, "LOST_MAX", 2)
    yard = yard_with(exit_without_entry="open")
    for name in (b"a", b"b", b"c"):
        yard.scan(0, name)
        yard.order("lost_ticket", credential=card(name), cause="lost", actor="jo")
    assert [answer(yard.scan(0, name)) for name in (b"a", b"b")] == [(REFUSE, 201)] * 2
    assert [answer(yard.scan(1, name)) for name in (b"a", b"b")] == [(OPEN, 211), (REFUSE, 201)]
    shape, ask = yard.lot.parts["identity"].QUERIES["lost_credentials"]
    body = ask(yard.lot, shape())[2]
    assert [lost["token"] for lost in body["lost"]] == [b"c", b"b"]


# -- entries without an exit


def test_a_stay_that_nobody_ended_is_closed_by_rule() -> None:
    """At its age and not before; its spot is free, its car counts no more, and a finding says so."""
    yard = yard_with(close_after_s=86_400)
    entered = yard.scan(0)
    yard.now_ms += HOUR_MS
    yard.scan(0, b"boris")
    assert yard.tick(23 * HOUR_MS - 1) == ()
    closed, finding = yard.tick(1)
    assert isinstance(closed, StayClosed) and isinstance(finding, FindingMade)
    assert (closed.session, closed.spot, closed.area) == (entered.session, "P1-A-001", "north")
    assert (closed.cause, closed.actor, closed.entered_at_ms) == ("presumed gone", "", NOON)
    assert (finding.kind, finding.about) == ("presumed gone", {"stays": 1})
    assert inside(yard) == 1 and yard.tick(250) == ()
    assert yard.scan(0).spot == "P1-A-001"
    yard.check()


def test_a_stay_on_its_way_is_not_closed_over_its_head() -> None:
    """Before an opened barrier it waits; its lapse or passage decides first."""
    yard = yard_with(CONFIRMED, close_after_s=3600)
    yard.passage(0, 1, yard.scan(0).session)
    yard.now_ms += HOUR_MS
    yard.scan(1)
    assert yard.tick() == ()
    assert [type(event).__name__ for event in yard.tick(60_000)] == ["MoveLapsed"]
    assert [type(event).__name__ for event in yard.tick(1_000)] == ["StayClosed", "FindingMade"]
    yard.check()


def test_what_falls_due_with_the_end_of_a_stay_is_said_before_it() -> None:
    """A finding is of a stay that is there."""
    spec = lot_spec(area("north", None, block("P1", "A", 9)))
    yard = Yard(spec | {"rules": {"identity": {"close_after_s": 3600}, "limits": {"longest_stay_s": 3600}}})
    yard.scan(0)
    overstay, closed, gone = yard.tick(HOUR_MS)
    assert isinstance(closed, StayClosed)
    assert (overstay.kind, gone.kind) == ("overstay", "presumed gone")
    yard.check()


def test_many_stays_are_closed_in_several_ticks() -> None:
    """A Tick's events must fit a record."""
    spec = lot_spec(area("north", None, block("P1", "A", 200)))
    yard = Yard(spec | {"rules": {"identity": {"close_after_s": 3600}}})
    for number in range(120):
        yard.scan(0, b"card %d" % number)
    yard.now_ms += HOUR_MS
    counts = [sum(isinstance(event, StayClosed) for event in yard.tick(250)) for _ in range(4)]
    assert counts == [CLOSED_PER_TICK, CLOSED_PER_TICK, 20, 0]
    yard.check()


def test_nothing_is_closed_unless_the_rules_say_so() -> None:
    """A stay may be years old."""
    yard = yard_with()
    yard.scan(0)
    assert yard.tick(5 * 365 * 24 * HOUR_MS) == ()


def test_an_attendant_closes_a_stay_with_a_reason() -> None:
    """One that is not there is refused."""
    yard = yard_with()
    yard.scan(0)
    assert yard.order("close_stay", **card(b"anna"), actor="jo", reason="towed away")[0]
    assert yard.order("close_stay", **card(b"anna"), actor="jo")[:2] == (False, "no_stay")
    assert inside(yard) == 0
    yard.check()


def test_old_stays_can_be_listed_before_they_are_closed() -> None:
    """Oldest first, with the count of all of them."""
    yard = yard_with()
    for name in (b"a", b"b", b"c"):
        yard.scan(0, name)
        yard.now_ms += HOUR_MS
    shape, ask = yard.lot.parts["identity"].QUERIES["open_stays"]
    body = ask(yard.lot, shape(entered_before_ms=NOON + 2 * HOUR_MS, limit=1))[2]
    assert body["count"] == 2
    assert [(stay["entered_at_ms"], stay["spot"]) for stay in body["stays"]] == [(NOON, "P1-A-001")]
