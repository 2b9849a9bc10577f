"""Tickets and tags in a lot: what was proven decides, and is remembered as long as it must be."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.codecs.events.operators import FindingMade
from liftgate.engine.core import commands as c
from liftgate.engine.core.parts import tickets
from liftgate.engine.core.proof import Proof
from tests.engine.core.lots import (
    CARD,
    CONFIRMED,
    IN_AND_OUT,
    NOON,
    NTAG,
    QR,
    Yard,
    area,
    block,
    lane_spec,
    lot_spec,
)

OPEN, REFUSE = 1, 2
HOUR_S = 3600
PUBLIC = "00" * 32
KEYS = [{"kid": "2026a", "public": PUBLIC}]
TAGS = {"keys": ["t1"]}
UID = bytes.fromhex("04DE5F1EACC040")
AS_SCANNED = b"LG1:NOT GENUINE"
SCAN = 0x10


def yard_with(lanes: Any = IN_AND_OUT, /, more: Any = None, **rules: Any) -> Yard:
    """A lot of nine spots, one of them accessible, with these rules of tickets."""
    blocks = (block("P1", "A", 8), block("P1", "W", 1, "accessible"))
    spec = lot_spec(area("north", None, *blocks), area("vip", "north", block("P0", "V", 3)))
    spec["rules"] = {"tickets": rules or {"keys": KEYS}} | (more or {})
    return Yard(spec, r=lanes)


def ticket(cti: bytes = b"ticket-1", **claims: Any) -> Proof:
    """A genuine ticket for this lot, good now."""
    now_s = NOON // 1000
    said = {"kid": "2026a", "lot": "north", "from_s": now_s - HOUR_S, "until_s": now_s + HOUR_S}
    return Proof(**({"identity": cti} | said | claims))


def tap(counter: int, uid: bytes = UID) -> Proof:
    """A genuine tag at this tap."""
    return Proof(identity=uid, kid="t1", counter=counter)


def scan(yard: Yard, lane: int, proof: Proof, token: bytes = AS_SCANNED) -> Any:
    """As a gateway has it decided: under what was proven, else as it was scanned."""
    read = c.ReadCredential(yard.lane("r", lane), yard.numbering("r", 7))
    read.no, read.at_ms, read.now_ms = yard.next_no("r", 7), yard.now_ms, yard.now_ms
    read.kind = QR if proof.counter is None else NTAG
    read.token, read.proof = proof.identity or token, proof
    return yard.do(read)[0]


def told(yard: Yard, lane: int, proof: Proof, verdict: int = OPEN, at_ms: int | None = None) -> Any:
    """The same, out of a REPLAY."""
    kind = QR if proof.counter is None else NTAG
    at_ms = yard.now_ms if at_ms is None else at_ms
    head = (yard.lane("r", lane), yard.numbering("r", 7), yard.next_no("r", 7), at_ms, yard.now_ms)
    return yard.do(c.RecordHistory(*head, SCAN, verdict, (kind, AS_SCANNED), proof))[0]


def answer(event: Any) -> tuple[int, int]:
    return event.verdict, event.reason


# -- tickets


def test_a_genuine_ticket_opens_and_its_cti_is_who_it_is() -> None:
    """Though codes are taken here only where they are registered: who signed it knows it."""
    yard = yard_with()
    event = scan(yard, 0, ticket())
    assert (answer(event), event.token, event.marks) == ((OPEN, 0), b"ticket-1", {"ticket": "2026a"})
    assert answer(scan(yard, 0, ticket())) == (REFUSE, 210)
    assert answer(scan(yard, 1, ticket())) == (OPEN, 0)
    yard.check()


def test_what_is_not_genuine_is_refused_and_recorded_as_it_was_scanned() -> None:
    """With why in the marks and in the trace."""
    yard = yard_with()
    event = scan(yard, 0, Proof(fault="signature does not fit key 2026a"))
    assert (answer(event), event.token) == ((REFUSE, 203), AS_SCANNED)
    assert event.marks == {"unproven": "signature does not fit key 2026a"}
    assert "genuine: signature does not fit key 2026a" in event.trace
    assert answer(scan(yard, 1, Proof(fault="not base45"))) == (REFUSE, 203)
    yard.check()


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"lot": "south"}, 200),
        ({"from_s": NOON // 1000 + 1}, 202),
        ({"from_s": NOON // 1000}, 0),
        ({"until_s": NOON // 1000}, 202),
        ({"until_s": NOON // 1000 + 1}, 0),
    ],
)
def test_a_ticket_is_for_its_lot_and_its_time(claims: dict[str, Any], reason: int) -> None:
    """Good from its first second on and not at its last."""
    event = scan(yard_with(), 0, ticket(**claims))
    assert event.reason == reason


def test_a_ticket_that_ended_lets_out() -> None:
    """Nobody is locked in: its time is asked at entries."""
    yard = yard_with()
    scan(yard, 0, ticket())
    yard.now_ms += 2 * HOUR_S * 1000
    assert answer(scan(yard, 1, ticket())) == (OPEN, 0)


def test_a_copied_ticket_for_one_entry_is_refused_once_it_was_used() -> None:
    """While the first car is in and after it left; the trace says so, and a snapshot keeps it."""
    yard = yard_with()
    once = ticket(single_use=True)
    assert scan(yard, 0, once).marks == {"ticket": "2026a", "single_use": once.until_s}
    second = scan(yard, 0, once)
    assert answer(second) == (REFUSE, 204) and second.trace[-2].endswith("for one entry: used before")
    assert answer(scan(yard, 1, once)) == (OPEN, 0)
    assert answer(scan(yard, 0, once)) == (REFUSE, 204)
    yard.check()


def test_a_ticket_for_one_entry_is_used_by_the_barrier_that_opened() -> None:
    """At the same barrier it may be scanned again before the car passed; elsewhere, and after the car backed
    out, it is a copy for all that anybody can know.
    """
    yard = yard_with((*CONFIRMED, lane_spec(2, "entry", confirm=True)))
    once = ticket(single_use=True)
    first = scan(yard, 0, once)
    assert answer(scan(yard, 2, once)) == (REFUSE, 204)
    again = scan(yard, 0, once)
    assert (answer(again), again.session) == ((OPEN, 0), first.session)
    yard.passage(0, 2)
    assert answer(scan(yard, 0, once)) == (REFUSE, 204)
    yard.check()


def test_a_refused_ticket_is_not_used() -> None:
    """One that found the lot's lane closed comes in later."""
    yard = yard_with()
    once = ticket(single_use=True)
    yard.order("deny_credential", kind=QR, token=once.identity, actor="jo")
    assert answer(scan(yard, 0, once)) == (REFUSE, 201)
    yard.order("allow_credential", kind=QR, token=once.identity, actor="jo")
    assert answer(scan(yard, 0, once)) == (OPEN, 0)


def test_a_ticket_for_one_entry_goes_on_into_inner_areas() -> None:
    """It was used at the street, and its car is the one that goes in."""
    yard = yard_with((*IN_AND_OUT, lane_spec(2, "entry", "vip")))
    once = ticket(single_use=True)
    assert [answer(scan(yard, lane, once)) for lane in (0, 2)] == [(OPEN, 0), (OPEN, 0)]


def test_a_used_ticket_is_remembered_for_a_day_after_its_end() -> None:
    """Then the next one that is used lets it go: what is remembered is bounded by what can still be good."""
    yard = yard_with()
    once = ticket(single_use=True)
    scan(yard, 0, once)
    part = yard.lot.parts["tickets"]
    yard.now_ms += 25 * HOUR_S * 1000
    later = {"single_use": True, "until_s": yard.now_ms // 1000 + HOUR_S}
    scan(yard, 0, ticket(b"ticket-2", **later))
    assert set(part.used) == {b"ticket-1", b"ticket-2"}
    yard.now_ms += HOUR_S * 1000
    scan(yard, 0, ticket(b"ticket-3", **later | {"until_s": yard.now_ms // 1000 + HOUR_S}))
    assert set(part.used) == {b"ticket-2", b"ticket-3"}
    yard.check()


def test_a_ticket_names_the_class_of_its_spot() -> None:
    """In the stead of what a registration would say; full is full."""
    yard = yard_with()
    assert scan(yard, 0, ticket(spot_class="accessible")).spot == "P1-W-001"
    assert answer(scan(yard, 0, ticket(b"ticket-2", spot_class="accessible"))) == (REFUSE, 301)
    assert scan(yard, 0, ticket(b"ticket-3")).spot == "P1-A-001"
    with_classes = yard_with(more={"classes": {"fallback": {"accessible": ["standard"]}}})
    assert scan(with_classes, 0, ticket(spot_class="accessible")).spot == "P1-W-001"
    assert scan(with_classes, 0, ticket(b"ticket-2", spot_class="accessible")).spot == "P1-A-001"


def test_nobody_leaves_on_the_bare_bytes_of_a_ticket() -> None:
    """A cti stands in the ticket for all to read, so a code of these 8 bytes is no ticket."""
    yard = yard_with()
    scan(yard, 0, ticket())
    assert answer(yard.scan(1, b"ticket-1", kind=QR)) == (REFUSE, 203)
    yard.order("register_credential", kind=QR, token=b"own-code", actor="jo")
    assert answer(yard.scan(0, b"own-code", kind=QR)) == (OPEN, 0)
    assert answer(yard.scan(1, b"own-code", kind=QR)) == (OPEN, 0)


def test_a_lane_for_known_credentials_takes_tickets() -> None:
    """Mode 5 asks who is known, and the signer knows its tickets."""
    yard = yard_with()
    yard.order("set_lane", reader="r", lane=0, mode=5, actor="jo", reason="")
    assert answer(scan(yard, 0, ticket())) == (OPEN, 0)


# -- tags


def test_a_copied_tag_is_refused_since_its_counter_is_not_higher() -> None:
    """At entries and at exits; a fresh tap goes on."""
    yard = yard_with(tags=TAGS)
    event = scan(yard, 0, tap(61))
    assert (answer(event), event.token, event.marks) == ((OPEN, 0), UID, {"tag": "t1", "counter": 61})
    for lane, counter in ((0, 61), (1, 61), (1, 60)):
        copied = scan(yard, lane, tap(counter))
        assert answer(copied) == (REFUSE, 204)
        assert f"genuine: counter {counter}, last heard 61" in copied.trace
    assert answer(scan(yard, 1, tap(62))) == (OPEN, 0)
    assert answer(scan(yard, 0, tap(63, b"another"))) == (OPEN, 0)
    yard.check()


def test_a_counter_is_heard_whatever_comes_of_the_scan() -> None:
    """What was refused at a closed lane is no use at an open one."""
    yard = yard_with((*IN_AND_OUT, lane_spec(2, "entry")), tags=TAGS)
    yard.order("set_lane", reader="r", lane=0, mode=3, actor="jo", reason="")
    assert answer(scan(yard, 0, tap(5))) == (REFUSE, 100)
    assert answer(scan(yard, 2, tap(5))) == (REFUSE, 204)
    assert answer(scan(yard, 2, tap(6))) == (OPEN, 0)


def test_a_lot_without_keys_for_tags_takes_none() -> None:
    """As before there were any; nor does a lane whose kinds leave them out."""
    assert answer(Yard().scan(0, b"x", kind=NTAG)) == (REFUSE, 101)
    assert answer(yard_with(keys=KEYS).scan(0, b"x", kind=NTAG)) == (REFUSE, 101)
    lanes = (*IN_AND_OUT, (*lane_spec(2, "entry"), "off"))
    yard = yard_with(lanes, tags=TAGS)
    assert answer(scan(yard, 2, tap(1))) == (REFUSE, 101)
    assert yard.order("set_rules", rules={"tickets": None}, actor="jo")[0]
    assert answer(scan(yard, 0, tap(2))) == (REFUSE, 101)
    yard.check()


def test_tags_are_taken_as_cards_are() -> None:
    """Where cards must be known, a genuine tag must be, too."""
    yard = yard_with((lane_spec(0, "entry", cards="known"), lane_spec(1, "exit")), tags=TAGS)
    assert answer(scan(yard, 0, tap(1))) == (REFUSE, 200)
    yard.order("register_credential", kind=NTAG, token=UID, actor="jo")
    assert answer(scan(yard, 0, tap(2))) == (OPEN, 0)


def test_a_tag_that_nobody_proved_is_not_genuine() -> None:
    """Whatever path brought it past the proof."""
    yard = yard_with(tags=TAGS)
    assert answer(yard.scan(0, UID, kind=NTAG)) == (REFUSE, 203)


# -- what readers did alone


def test_what_a_lone_reader_let_in_is_taken_and_found_out() -> None:
    """A ticket used twice is 204, one that is not genuine 203, and the car is in all the same."""
    yard = yard_with()
    once = ticket(single_use=True)
    first = told(yard, 0, once)
    assert (first.finding, first.detail[:2]) == (0, (QR, once.identity))
    assert yard.lot.parts["tickets"].used == {once.identity: once.until_s}
    assert told(yard, 0, once).finding == 204
    assert told(yard, 0, Proof(fault="no such key")).finding == 203
    assert answer(scan(yard, 0, once)) == (REFUSE, 204)
    yard.check()


def test_a_counter_out_of_history_never_goes_back() -> None:
    """A backlog tells old taps after new ones were heard."""
    yard = yard_with(tags=TAGS)
    scan(yard, 0, tap(70))
    assert told(yard, 1, tap(65)).finding == 204
    assert yard.lot.parts["tickets"].counters == {UID: 70}
    told(yard, 0, tap(80))
    assert yard.lot.parts["tickets"].counters == {UID: 80}
    yard.check()


def test_what_a_lone_reader_refused_uses_nothing() -> None:
    """But its counter was heard."""
    yard = yard_with(keys=KEYS, tags=TAGS)
    assert told(yard, 0, ticket(single_use=True), verdict=REFUSE).finding == 500
    told(yard, 0, tap(9), verdict=REFUSE)
    part = yard.lot.parts["tickets"]
    assert (part.used, part.counters) == ({}, {UID: 9})


# -- bounds


def test_beyond_the_bound_the_one_that_expires_first_is_forgotten_and_said(monkeypatch: Any) -> None:
    """Each finding says how many, once."""
    monkeypatch.setattr(tickets, "USED_MAX", 2)
    monkeypatch.setattr(tickets, "COUNTERS_MAX", 2)
    yard = yard_with(keys=KEYS, tags=TAGS)
    until_s = NOON // 1000 + HOUR_S
    for number, later in enumerate((5, 3, 9)):
        scan(yard, 0, ticket(b"ticket-%d" % number, single_use=True, until_s=until_s + later))
    for uid in (b"one", b"two", b"one", b"three"):
        scan(yard, 0, tap(yard.position, uid))
    part = yard.lot.parts["tickets"]
    assert (list(part.used), list(part.counters)) == ([b"ticket-0", b"ticket-2"], [b"one", b"three"])
    yard.check()
    findings = [event for event in yard.tick() if isinstance(event, FindingMade)]
    assert [(event.kind, event.about["forgotten"]) for event in findings] == [("credentials forgotten", 2)]
    assert yard.tick(5000) == ()
    yard.check()


# -- keys


def test_keys_are_added_and_retired_on_a_running_engine() -> None:
    """By orders that leave one kind of event: the lot's rules, with who asked."""
    yard = Yard()
    assert yard.order("add_ticket_key", kid="a", public=PUBLIC, actor="jo")[:2] == (True, "")
    assert yard.order("add_ticket_key", kid="m", alg="hmac", actor="jo")[2] == {"keys": ["a", "m"]}
    assert yard.order("add_ticket_key", kid="a", public=PUBLIC, actor="jo")[1] == "has_key"
    assert yard.order("add_ticket_key", kid="b", public="zz", actor="jo")[1] == "bad_rules"
    assert yard.order("add_ticket_key", kid="b", actor="jo")[1] == "bad_rules"
    assert yard.order("retire_ticket_key", kid="x", actor="jo")[1] == "no_key"
    until = "2027-01-01T00:00:00Z"
    assert yard.order("retire_ticket_key", kid="a", not_after=until, actor="jo")[0]
    assert yard.order("retire_ticket_key", kid="m", actor="jo")[0]
    assert yard.lot.rules["tickets"]["keys"] == [
        {"kid": "a", "public": PUBLIC, "alg": "ed25519", "not_after": until}
    ]
    yard.check()


@pytest.mark.parametrize(
    "rules",
    [
        {"keys": [{"kid": "a"}]},
        {"keys": [{"kid": "a", "public": PUBLIC[1:]}]},
        {"keys": [{"kid": "a", "alg": "hmac", "public": PUBLIC}]},
        {"keys": [{"kid": "a b", "public": PUBLIC}]},
        {"keys": KEYS * 2},
        {"keys": KEYS, "tags": {"keys": ["2026a"]}},
        {"tags": {"keys": []}},
        {"keys": [{"kid": "a", "public": PUBLIC, "not_after": "2026-01-01T00:00:00"}]},
        {"keys": [{"kid": "a", "public": PUBLIC, "not_after": "soon"}]},
        {
            "keys": [
                {
                    "kid": "a",
                    "public": PUBLIC,
                    "not_before": "2026-01-02T00:00:00Z",
                    "not_after": "2026-01-01T00:00:00Z",
                }
            ]
        },
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, Any]) -> None:
    """Before they are journalled."""
    assert Yard().order("set_rules", rules={"tickets": rules}, actor="jo")[1] == "bad_rules"


def test_a_card_asks_nothing_of_tickets() -> None:
    """Beside them, cards, plates and registered codes are as they were."""
    yard = yard_with(keys=KEYS, tags=TAGS)
    assert answer(yard.scan(0, b"anna", kind=CARD)) == (OPEN, 0)
    assert yard.scan(0, b"stranger", kind=QR).reason == 200
    assert answer(yard.scan(1, b"anna", kind=CARD)) == (OPEN, 0)
