"""Reservations: who gets the kept place, who does not, and what time makes of them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from liftgate.codecs import codes
from liftgate.codecs.events import reservations as ev
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.parts.reservations import orders
from liftgate.engine.core.parts.reservations.part import ReservationsPart
from tests.engine.core.lots import (
    CARD,
    CONFIRMED,
    IN_AND_OUT,
    NOON,
    QR,
    Yard,
    area,
    block,
    lane_spec,
    lot_spec,
)

MINUTE = 60_000
HOUR = 60 * MINUTE
BEGIN = NOON + 10 * HOUR
END = BEGIN + 2 * HOUR


def yard(size: int = 3, lanes: Any = IN_AND_OUT, spec: Any = None, more: Any = None, **rules: Any) -> Yard:
    made = Yard(spec or lot_spec(area("north", None, block("P1", "A", size))), r=lanes)
    assert made.order("set_rules", rules={"reservations": rules, **(more or {})}, actor="eve")[0]
    made.tick()
    return made


def reserve(made: Yard, token: bytes = b"anna", **args: Any) -> Any:
    asked = {"kind": CARD, "token": token} if "code" not in args else {}
    asked |= {"from_ms": BEGIN, "to_ms": END, "actor": "eve"} | args
    return made.order("reserve", **asked)


def booked(made: Yard, token: bytes = b"anna", **args: Any) -> bytes:
    ok, code, body = reserve(made, token, **args)
    assert (ok, code, body["outcome"]) == (True, "", "booked"), body
    id: bytes = body["reservation"]
    return id


def at(made: Yard, now_ms: int) -> list[Any]:
    """Let time come to that moment, with as many Ticks as it has to say; the events without findings' seq."""
    made.now_ms = now_ms
    events: list[Any] = []
    while found := made.tick():
        events += found
        assert len(events) < 2000
    return events


def part(made: Yard) -> ReservationsPart:
    found: ReservationsPart = made.lot.parts["reservations"]
    return found


def verdict(made: Yard, token: bytes, lane: int = 0, **args: Any) -> tuple[int, int]:
    event = made.scan(lane, token, **args)
    return event.verdict, event.reason


OPEN = (codes.OPEN, 0)
HELD = (codes.REFUSE, 310)
FULL = (codes.REFUSE, 300)


def test_the_last_place_is_kept_for_who_reserved_it() -> None:
    """Others take what is free beside it, then they are refused; the holder gets in; then it is full."""
    made = yard(2)
    id = booked(made)
    at(made, BEGIN - HOUR)
    assert verdict(made, b"boris") == OPEN
    refused = made.scan(0, b"chloe")
    assert (refused.verdict, refused.reason) == HELD
    assert "1 kept for reservations" in refused.trace[-2]
    at(made, BEGIN)
    entered = made.scan(0, b"anna")
    assert (entered.verdict, entered.marks, entered.spot) == (codes.OPEN, {"reservation": id}, "P1-A-002")
    assert verdict(made, b"chloe") == FULL
    made.check()


def test_without_a_hold_yet_a_reservation_keeps_nothing() -> None:
    """A minute before the first step anybody may have the place; from the step on nobody else."""
    made = yard(1, hold=[{"before_s": 3600, "percent": 100}])
    booked(made)
    at(made, BEGIN - HOUR - 1)
    assert verdict(made, b"boris") == OPEN
    made.scan(1, b"boris")
    events = at(made, BEGIN - HOUR)
    assert [type(event) for event in events] == [ev.HoldGrown]
    assert verdict(made, b"boris") == HELD


def test_what_is_kept_grows_by_steps_as_the_time_nears() -> None:
    """Four reservations of which a quarter, then half, then all are kept."""
    steps = [{"before_s": 14_400, "percent": 25}, {"before_s": 7200, "percent": 50}]
    made = yard(4, hold=steps, early_s=600)
    for token in (b"a", b"b", b"c", b"d"):
        booked(made, token)
    kept = []
    for before_ms in (5 * HOUR, 4 * HOUR, 2 * HOUR, 10 * MINUTE):
        at(made, BEGIN - before_ms)
        holds = part(made).holds.by_area.get("north")
        kept.append(0 if holds is None else holds.total)
        made.check()
    assert kept == [0, 1, 2, 4]


@pytest.mark.parametrize(
    ("when", "came_by"), [(-900_001, False), (-900_000, True), (1_799_999, True), (1_800_000, False)]
)
def test_a_reservation_is_good_from_early_to_late(when: int, came_by: bool) -> None:
    """To the millisecond, whether a Tick came in between or not; outside a car is anybody."""
    made = yard(2)
    booked(made)
    made.now_ms = BEGIN + when
    entered = made.scan(0, b"anna")
    assert ("reservation" in entered.marks) is came_by
    made.check()


def test_a_no_show_is_released_and_its_place_is_anybodys() -> None:
    """With an event, at the late tolerance; not a millisecond before."""
    made = yard(1)
    id = booked(made)
    at(made, BEGIN + 30 * MINUTE - 1)
    assert verdict(made, b"boris") == HELD
    (released,) = at(made, BEGIN + 30 * MINUTE)
    assert isinstance(released, ev.ReservationReleased)
    assert (released.id, released.why) == (id, "no_show")
    assert verdict(made, b"boris") == OPEN
    assert part(made).book.ended == {"no_show": 1}
    made.check()


def test_who_stays_beyond_the_tolerance_is_found_once() -> None:
    """A finding with the reservation; later Ticks say nothing, and leaving ends it as kept."""
    made = yard(1)
    id = booked(made)
    at(made, BEGIN)
    made.scan(0, b"anna")
    assert at(made, END + 15 * MINUTE - 1) == []
    finding, told = at(made, END + 15 * MINUTE)
    assert finding.kind == "overstayed its reservation"
    assert finding.about["reservation"] == id == told.id
    assert at(made, END + 10 * HOUR) == []
    made.check()
    made.scan(1, b"anna")
    assert part(made).book.ended == {"kept": 1}
    made.check()


def test_a_named_spot_is_not_given_to_others_while_it_is_kept() -> None:
    """The lowest spot is kept: others get the next; the holder gets it, and after that it is anybody's."""
    made = yard(3)
    booked(made, spot="P1-A-001")
    at(made, BEGIN - HOUR)
    made.check()
    assert made.scan(0, b"boris").spot == "P1-A-002"
    at(made, BEGIN)
    assert made.scan(0, b"chloe").spot == "P1-A-003"
    assert verdict(made, b"dmitri") == HELD
    assert made.scan(0, b"anna").spot == "P1-A-001"
    made.scan(1, b"anna")
    assert made.scan(0, b"dmitri").spot == "P1-A-001"
    made.check()


def test_a_named_spot_with_a_car_in_it_is_kept_as_soon_as_it_is_free() -> None:
    """Until then a place of its class is; the holder gets another spot, and the event says why."""
    made = yard(2)
    made.scan(0, b"boris")
    booked(made, spot="P1-A-001")
    at(made, BEGIN)
    assert verdict(made, b"chloe") == HELD
    made.check()
    entered = made.scan(0, b"anna")
    assert (entered.spot, entered.marks["spot_taken"]) == ("P1-A-002", "P1-A-001")
    made.scan(1, b"boris")
    assert made.scan(0, b"chloe").spot == "P1-A-001"
    made.check()


def test_a_car_that_is_in_arrives_by_its_second_reservation_too() -> None:
    """It came in again where that is allowed: it moved no count, and yet it passed the barrier."""
    nested = lot_spec(area("north", None, block("P1", "A", 3)), area("vip", "north", block("P0", "V", 3)))
    lanes = (lane_spec(0, "entry"), lane_spec(2, "entry", "vip", confirm=True))
    made = yard(3, lanes, nested, more={"passback": {"areas": {"vip": "soft"}}})
    ids = [booked(made, area="vip"), booked(made, area="vip")]
    at(made, BEGIN)
    made.scan(0)
    for _ in ids:
        made.passage(2, 1, made.scan(2).session)
    assert at(made, BEGIN + 2 * MINUTE) == []
    assert [part(made).book.all[id].state for id in ids] == ["inside", "inside"]
    made.check()


def test_a_spot_of_two_reservations_is_kept_for_the_one_that_comes_first() -> None:
    """Also where the later one had it, and is changed."""
    made = yard(3, hold=[{"before_s": 86_400, "percent": 100}])
    later = booked(made, spot="P1-A-002")
    times = {"from_ms": END, "to_ms": END + HOUR}
    assert made.order("change_reservation", reservation=later, actor="eve", **times)[0]
    booked(made, b"boris", spot="P1-A-002")
    assert made.order("change_reservation", reservation=later, actor="eve", **times)[0]
    at(made, BEGIN)
    assert made.scan(0, b"boris").spot == "P1-A-002"
    made.check()


def test_a_spot_kept_for_the_afternoon_is_let_go_for_who_booked_it_until_then() -> None:
    """Both are kept since the morning: who asked first has it, until one asks who comes before."""
    made = yard(1, hold=[{"before_s": 86_400, "percent": 100}])
    later = booked(made, from_ms=END, to_ms=END + HOUR, spot="P1-A-001")
    assert part(made).book.all[later].withheld
    booked(made, b"boris", spot="P1-A-001")
    assert not part(made).book.all[later].withheld
    made.check()
    at(made, BEGIN)
    assert made.scan(0, b"boris").spot == "P1-A-001"
    made.scan(1, b"boris")
    assert part(made).book.all[later].withheld
    made.check()


def test_a_spot_that_gets_free_is_withheld_at_once() -> None:
    """The car in it left: the next car gets another, before and after a snapshot."""
    made = yard(2)
    made.scan(0, b"boris")
    booked(made, spot="P1-A-001")
    at(made, BEGIN)
    made.scan(1, b"boris")
    assert made.scan(0, b"chloe").spot == "P1-A-002"
    made.check()


def test_a_promised_spot_that_lapses_is_withheld_by_an_event() -> None:
    """Nobody tells parts of a lapse: the next Tick finds the spot free."""
    made = yard(2, CONFIRMED)
    booked(made, spot="P1-A-001")
    made.now_ms = BEGIN - HOUR - 30_000
    made.scan(0, b"boris")
    at(made, BEGIN - HOUR)
    events = at(made, BEGIN - HOUR + MINUTE)
    assert [type(event).__name__ for event in events] == ["MoveLapsed", "SpotWithheld"]
    assert made.scan(0, b"chloe").spot == "P1-A-002"
    made.check()


def test_spots_that_get_free_together_are_withheld_by_one_event() -> None:
    """It takes them all."""
    made = yard(3, CONFIRMED)
    for spot in ("P1-A-001", "P1-A-002"):
        booked(made, spot=spot)
    made.now_ms = BEGIN - HOUR - 30_000
    for token in (b"anna", b"boris"):
        made.scan(0, token)
    at(made, BEGIN - HOUR)
    events = at(made, BEGIN - HOUR + MINUTE)
    assert [type(event).__name__ for event in events] == ["MoveLapsed", "MoveLapsed", "SpotWithheld"]
    assert made.scan(0, b"chloe").spot == "P1-A-003"
    made.check()


def test_a_new_configuration_keeps_a_kept_spot_kept() -> None:
    """Blocks are built anew: the spot is taken out again; one that is gone is a place of its class."""
    made = yard(3)
    booked(made, spot="P1-A-002")
    at(made, BEGIN)
    made.do(c.ConfigureLot(made.now_ms, lot_spec(area("north", None, block("P1", "A", 2)))))
    made.check()
    assert made.scan(0, b"boris").spot == "P1-A-001"
    assert verdict(made, b"chloe") == HELD
    made.do(c.ConfigureLot(made.now_ms, lot_spec(area("north", None, block("P1", "A", 1)))))
    made.check()
    assert made.scan(0, b"anna").marks.keys() == {"overbooked"}


def test_a_class_with_fewer_spots_than_cars_refuses_and_nothing_else() -> None:
    """A lot that counts lost spots while cars were in: one too few is a number, not an error."""

    def counting(standard: int) -> dict[str, Any]:
        blocks = (block("P1", "A", standard), block("P1", "F", 5, "family"))
        return lot_spec(area("north", None, *blocks), assign="count")

    made = yard(spec=counting(3))
    booked(made)
    made.scan(0, b"boris")
    made.scan(0, b"chloe")
    at(made, BEGIN)
    made.do(c.ConfigureLot(made.now_ms, counting(1)))
    refused = made.scan(0, b"dora")
    assert (refused.verdict, refused.reason) == (codes.REFUSE, 301)
    made.check()


def test_a_car_that_backs_out_is_still_booked() -> None:
    """Its place is kept again, and it may come again until it is late."""
    made = yard(1, CONFIRMED)
    booked(made, spot="P1-A-001")
    at(made, BEGIN)
    session = made.scan(0, b"anna").session
    made.check()
    made.passage(0, 2, session)
    assert part(made).book.all and verdict(made, b"boris") == HELD
    made.check()
    session = made.scan(0, b"anna").session
    made.passage(0, 1, session)
    assert next(iter(part(made).book.all.values())).state == "inside"
    made.check()


def test_a_car_whose_passage_never_came_is_a_no_show_in_the_end() -> None:
    """The opened barrier lapses, the place is kept again, and released when it is late."""
    made = yard(1, CONFIRMED)
    booked(made)
    at(made, BEGIN)
    session = made.scan(0, b"anna").session
    events = at(made, BEGIN + MINUTE)
    assert [type(event).__name__ for event in events] == ["MoveLapsed", "ArrivalWithdrawn"]
    made.check()
    made.passage(0, 1, session)
    assert next(iter(part(made).book.all.values())).state == "inside"
    made.check()


def test_a_code_becomes_the_reservation_of_who_shows_it_first() -> None:
    """Any kind of credential may; it is known by it where the lane takes only known ones."""
    made = yard(1, (lane_spec(0, "entry", codes="known"), lane_spec(1, "exit", codes="known")))
    booked(made, code=b"K7Q2")
    at(made, BEGIN - HOUR)
    assert verdict(made, b"K7Q2", kind=QR) == (codes.REFUSE, 200)
    at(made, BEGIN)
    entered = made.scan(0, b"K7Q2", kind=QR)
    assert (entered.verdict, list(entered.marks)) == (codes.OPEN, ["reservation"])
    found = next(iter(part(made).book.all.values()))
    assert found.credential == bytes((QR,)) + b"K7Q2"
    assert part(made).book.by_code == {}
    made.check()


def test_no_more_are_reserved_than_the_class_has() -> None:
    """At the densest moment; the end of one is the begin of the next."""
    made = yard(1)
    booked(made)
    assert reserve(made, b"boris")[:2] == (False, "sold_out")
    assert reserve(made, b"boris", from_ms=END - 1, to_ms=END + 1)[:2] == (False, "sold_out")
    booked(made, b"boris", from_ms=END, to_ms=END + HOUR)
    booked(made, b"chloe", from_ms=BEGIN - HOUR, to_ms=BEGIN)
    assert reserve(made, b"dmitri", from_ms=BEGIN - HOUR, to_ms=END + HOUR)[1] == "sold_out"


def test_overbooking_is_bounded_and_who_finds_no_place_is_a_finding() -> None:
    """120 % of five are six; the sixth car is refused with 300, never let in beyond the count."""
    made = yard(5, overbooking_percent=120)
    ids = [booked(made, bytes((65 + i,))) for i in range(6)]
    assert reserve(made, b"late")[1] == "sold_out"
    at(made, BEGIN)
    for i in range(5):
        assert verdict(made, bytes((65 + i,))) == OPEN
    refused = made.scan(0, b"F")
    assert (refused.verdict, refused.reason) == FULL
    assert refused.marks == {"overbooked": ids[5]}
    finding, told = at(made, BEGIN + 1000)
    assert (finding.kind, finding.about["reservation"]) == ("overbooked", ids[5])
    made.scan(0, b"F")
    assert at(made, BEGIN + 2000) == []
    assert made.counts() == (5, 0, 0)
    (released,) = at(made, BEGIN + HOUR)
    assert released.why == "turned_away"
    made.check()


def test_who_waits_is_offered_a_place_that_gets_free_and_passes_it_on() -> None:
    """First in line first; not answered in time it passes to the next, who takes it."""
    made = yard(1, accept_s=600)
    id = booked(made)
    first = reserve(made, b"boris", wait=True)[2]
    then = reserve(made, b"chloe", wait=True)[2]
    assert (first["outcome"], first["place"], then["place"]) == ("waiting", 1, 2)
    assert at(made, NOON + HOUR) == []
    made.check()
    assert made.order("cancel_reservation", reservation=id, actor="eve")[0]
    (offered,) = at(made, NOON + HOUR + 1)
    assert (type(offered), offered.id) == (ev.ReservationOffered, first["reservation"])
    assert offered.until_ms == made.now_ms + 600_000
    assert made.order("accept_offer", reservation=then["reservation"], actor="eve")[1] == "no_offer"
    assert at(made, offered.until_ms - 1) == []
    made.check()
    released, next_offer = at(made, offered.until_ms)
    assert (released.why, next_offer.id) == ("offer_lapsed", then["reservation"])
    assert made.order("accept_offer", reservation=then["reservation"], actor="eve")[0]
    made.check()
    at(made, BEGIN)
    assert list(made.scan(0, b"chloe").marks) == ["reservation"]


def test_a_place_that_time_frees_is_not_overlooked_by_the_line() -> None:
    """The first in line needs two spans, of which one gets free with the Tick that offers the other."""
    made = yard(1, accept_s=600)
    soon, later = booked(made), booked(made, from_ms=END, to_ms=END + HOUR)
    reserve(made, b"boris", wait=True)
    first = reserve(made, b"chloe", to_ms=END + HOUR, wait=True)[2]
    reserve(made, b"david", from_ms=END, to_ms=END + HOUR, wait=True)
    assert made.order("cancel_reservation", reservation=soon, actor="eve")[0]
    (offered,) = at(made, NOON + HOUR)
    made.now_ms = offered.until_ms
    assert made.order("cancel_reservation", reservation=later, actor="eve")[0]
    (released,) = made.tick()
    assert (released.id, released.why) == (offered.id, "offer_lapsed")
    (offered,) = made.tick()
    assert offered.id == first["reservation"]
    made.check()


def test_who_waits_in_vain_is_released() -> None:
    """When it would have had to come, the line forgets it."""
    made = yard(1)
    booked(made)
    assert reserve(made, b"boris", wait=True)[0]
    at(made, BEGIN)
    made.scan(0, b"anna")
    (released,) = at(made, BEGIN + 30 * MINUTE)
    assert released.why == "never_offered"


def test_a_change_is_measured_like_a_new_one() -> None:
    """It may not take another's place; without itself in the way it may move."""
    made = yard(1)
    id = booked(made)
    booked(made, b"boris", from_ms=END, to_ms=END + HOUR)
    change = {"reservation": id, "actor": "eve"}
    assert made.order("change_reservation", to_ms=END + 1, **change)[1] == "sold_out"
    assert made.order("change_reservation", from_ms=BEGIN + HOUR, **change)[0]
    at(made, BEGIN)
    assert "reservation" not in made.scan(0, b"anna").marks
    made.check()


def test_a_car_that_was_in_before_its_time_keeps_its_reservation() -> None:
    """It came as anybody; when its time opens it has arrived, and nothing is kept for it any more."""
    made = yard(2)
    booked(made)
    made.scan(0, b"anna")
    (grown, opened) = at(made, BEGIN - HOUR) + at(made, BEGIN)
    assert (type(grown), type(opened)) == (ev.HoldGrown, ev.ReservationOpened)
    assert opened.session == made.lot.stays[bytes((CARD,)) + b"anna"].session
    assert verdict(made, b"boris") == OPEN
    made.check()


def test_history_keeps_a_reservation() -> None:
    """The reader was alone when the car came: it has arrived all the same."""
    made = yard(1)
    booked(made)
    at(made, BEGIN + 10 * MINUTE)
    event = made.history(0, 0x10, CARD, b"anna", verdict=1, at_ms=BEGIN + MINUTE)
    assert event.finding == 0
    assert next(iter(part(made).book.all.values())).state == "inside"
    made.check()


def test_one_entry_out_of_history_takes_one_reservation() -> None:
    """Live its barrier was opened for the first one, then its reader let it in by itself at another lane: the
    second is still to come.
    """
    lanes = (lane_spec(0, "entry", confirm=True), lane_spec(1, "exit"), lane_spec(2, "entry"))
    made = yard(3, lanes=lanes)
    first, second = booked(made), booked(made, code=b"anna")
    at(made, BEGIN)
    assert made.scan(0).marks == {"reservation": first}
    made.history(2, 0x10, CARD, b"anna", verdict=1, at_ms=BEGIN)
    book = part(made).book.all
    assert [book[first].state, book[second].state] == ["inside", "booked"]
    made.check()


def test_a_car_uses_a_reservation_in_each_area_on_its_way() -> None:
    """That of the inner area ends when it leaves that, and the one around when it leaves the lot."""
    inner = area("inner", "north", block("P2", "A", 2))
    lanes = (*IN_AND_OUT, lane_spec(2, "entry", "inner"), lane_spec(3, "exit", "inner"))
    made = yard(spec=lot_spec(area("north", None, block("P1", "A", 3)), inner), lanes=lanes)
    around, within = booked(made, area="north"), booked(made, area="inner")
    at(made, BEGIN)
    assert made.scan(0).marks == {"reservation": around}
    assert made.scan(2).marks == {"reservation": within}
    made.check()
    made.scan(3)
    assert [*part(made).book.all] == [around]
    made.scan(1)
    assert part(made).book.ended == {"kept": 2}
    made.check()


def test_a_car_that_is_in_has_arrived_for_one_of_two_that_open_together() -> None:
    """The earlier asked one; the other is a no-show."""
    made = yard()
    first, second = booked(made), booked(made)
    made.scan(0)
    opened = [e for e in at(made, BEGIN - 15 * MINUTE) if isinstance(e, ev.ReservationOpened)]
    assert [(e.id, e.session is None) for e in opened] == [(first, False), (second, True)]
    at(made, BEGIN + 30 * MINUTE)
    made.scan(1)
    assert part(made).book.ended == {"no_show": 1, "kept": 1}
    made.check()


def test_a_car_is_free_for_a_reservation_that_opens_as_its_other_one_is_released() -> None:
    """It backed out of the inner area that it had reserved, and stays in the outer one, its second."""
    inner = area("inner", "north", block("P2", "A", 2))
    lanes = (*IN_AND_OUT, lane_spec(2, "entry", "inner", confirm=True))
    spec = lot_spec(area("north", None, block("P1", "A", 3)), inner)
    made = yard(spec=spec, lanes=lanes, early_s=0, late_s=60)
    booked(made, area="inner")
    outer = booked(made, area="north", from_ms=BEGIN + MINUTE)
    at(made, BEGIN)
    session = made.scan(0).session
    made.scan(2)
    made.passage(2, 2, session)
    events = at(made, BEGIN + MINUTE)
    assert [type(event).__name__ for event in events] == ["ReservationReleased", "ReservationOpened"]
    assert (part(made).book.all[outer].state, part(made).book.all[outer].session) == ("inside", session)
    made.check()


def test_a_class_is_kept_apart_from_other_classes() -> None:
    """A charging spot is reserved: who may have standard is not refused for it, and the holder charges."""
    spec = lot_spec(area("north", None, block("P1", "A", 1), block("P1", "C", 1, "charging")))
    made = yard(spec=spec, more={"classes": {"fallback": {"standard": ["charging"]}}})
    booked(made, spot_class="charging")
    at(made, BEGIN)
    assert made.scan(0, b"boris").spot == "P1-A-001"
    assert verdict(made, b"chloe") == HELD
    assert made.scan(0, b"anna").spot == "P1-C-001"
    made.check()


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"from_ms": END, "to_ms": BEGIN}, "bad_args"),
        ({"to_ms": BEGIN + 400 * 24 * HOUR}, "bad_args"),
        ({"from_ms": NOON - HOUR, "to_ms": NOON}, "over_already"),
        ({"from_ms": NOON - HOUR, "to_ms": NOON + HOUR}, "over_already"),
        ({"spot_class": "family"}, "no_such_class"),
        ({"area": "south"}, "no_such_area"),
        ({"spot": "P1-A-009"}, "no_such_spot"),
        ({"spot": "P1-A-x"}, "no_such_spot"),
        ({"token": None}, "bad_args"),
        ({"kind": None, "token": None}, "bad_args"),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_a_code(args: dict[str, Any], code: str) -> None:
    """And leaves nothing behind."""
    made = yard(3)
    assert reserve(made, **args)[:2] == (False, code)
    assert not part(made).book.all


def test_bounds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a lot, of a credential, and of the waiting list."""
    made = yard(30, waiting_max=0)
    for i in range(orders.OF_ONE_MAX):
        booked(made, from_ms=BEGIN + i)
    assert reserve(made)[1] == "too_many"
    monkeypatch.setattr(orders, "RESERVATIONS_MAX", orders.OF_ONE_MAX)
    assert reserve(made, b"boris")[1] == "too_many"
    monkeypatch.undo()
    assert made.order("set_rules", rules={"reservations": {"waiting_max": 1}}, actor="eve")[0]
    for token in range(65, 79):
        booked(made, bytes((token,)))
    assert reserve(made, b"boris", wait=True)[2]["place"] == 1
    assert reserve(made, b"chloe", wait=True)[1] == "too_many"
    made.check()


def test_queries_tell_what_is_reserved_and_what_is_left() -> None:
    """By credential, by time, and by class."""
    made = yard(2)
    id = booked(made)
    asks = ReservationsPart.QUERIES
    shape, ask = asks["reservations"]
    body = ask(made.lot, shape(kind=CARD, token=b"anna"))[2]
    assert [row["reservation"] for row in body["reservations"]] == [id]
    assert ask(made.lot, shape(from_ms=END))[2]["count"] == 0
    shape, ask = asks["availability"]
    body = ask(made.lot, shape(area="north", spot_class="standard", from_ms=BEGIN, to_ms=END))[2]
    assert body == {"capacity": 2, "limit": 2, "promised": 1, "left": 1, "held_now": 0}


def test_without_the_theme_its_orders_are_refused_and_nothing_is_in_a_snapshot() -> None:
    """A lot without reservations is as it was before there were any."""
    made = Yard()
    assert reserve(made)[:2] == (False, "not_configured")
    assert part(made).dump() is None
    assert part(made).next_ms > made.now_ms


def test_while_the_theme_is_off_nothing_is_kept() -> None:
    """Its spots are anybody's; switched on again what can be kept is kept, and who left meanwhile is over."""
    made = yard(3)
    booked(made, spot="P1-A-001")
    booked(made, b"boris")
    at(made, BEGIN)
    made.scan(0, b"boris")
    assert made.order("set_rules", rules={"reservations": None}, actor="eve")[0]
    made.check()
    made.scan(1, b"boris")
    assert made.scan(0, b"chloe").spot == "P1-A-001"
    assert made.order("set_rules", rules={"reservations": {}}, actor="eve")[0]
    made.check()
    assert part(made).book.ended == {"kept": 1}
    assert part(made).holds.by_area["north"].total == 1
    made.scan(1, b"chloe")
    assert made.scan(0, b"boris").spot == "P1-A-002"
    made.check()


def test_while_the_theme_is_off_a_car_may_leave_the_area_that_it_reserved() -> None:
    """And stay in the lot: switched on again, that reservation is over as if it had been followed."""
    inner = area("inner", "north", block("P2", "A", 2))
    lanes = (*IN_AND_OUT, lane_spec(2, "entry", "inner"), lane_spec(3, "exit", "inner"))
    made = yard(spec=lot_spec(area("north", None, block("P1", "A", 3)), inner), lanes=lanes)
    booked(made, area="inner")
    at(made, BEGIN)
    made.scan(0)
    made.scan(2)
    assert made.order("set_rules", rules={"reservations": None}, actor="eve")[0]
    made.scan(3)
    assert made.order("set_rules", rules={"reservations": {}}, actor="eve")[0]
    assert part(made).book.ended == {"kept": 1}
    made.check()


def test_many_reservations_fall_due_a_tick_at_a_time() -> None:
    """More than a Tick may say come with the next, in the same state as a replay."""
    made = yard(300)
    made.careful = False
    for i in range(250):
        booked(made, b"%d" % i)
    made.now_ms = BEGIN
    assert len(made.tick()) <= 100
    at(made, BEGIN)
    assert part(made).holds.by_area["north"].total == 250
    at(made, BEGIN + HOUR)
    assert part(made).book.ended == {"no_show": 250}
    assert part(made).holds.by_area == {}
    assert state.dump(state.load(state.dump(made.lot))) == state.dump(made.lot)
    made.check()


@pytest.mark.parametrize("seed", range(12))
def test_in_any_life_what_is_kept_is_the_sum_of_who_keeps_it(seed: int) -> None:
    """Random orders, scans, passages, time and configurations: the counts are those of the reservations,
    no spot is given twice or is kept while a car has it, and snapshot and replay give the same.
    """
    draw = Random(seed)
    spec = lot_spec(area("north", None, block("P1", "A", 3), block("P1", "C", 2, "charging")))
    made = yard(lanes=CONFIRMED if seed % 2 else IN_AND_OUT, spec=spec, overbooking_percent=150, accept_s=60)
    made.careful = seed % 4 == 0
    for _ in range(150):
        _something(made, draw, spec)
        _audit(made)
    made.check()


def _something(made: Yard, draw: Random, spec: dict[str, Any]) -> None:
    token = bytes((draw.randrange(65, 73),))
    known = list(part(made).book.all)
    what = draw.randrange(12)
    if what < 3:
        begin = made.now_ms + draw.randrange(-HOUR, 4 * HOUR)
        place = draw.choice([{"spot": "P1-A-001"}, {"spot_class": "charging"}, {}])
        who: dict[str, Any] = draw.choice([{}, {"code": token}])
        reserve(made, token, from_ms=begin, to_ms=begin + 2 * HOUR, wait=draw.random() < 0.5, **place, **who)
    elif what < 6:
        made.scan(draw.randrange(2), token)
    elif what < 8:
        sessions = [None, *made.lot.moving, *made.lot.lapsed]
        made.passage(draw.randrange(2), draw.randrange(1, 4), draw.choice(sessions))
    elif what == 8 and known:
        name = draw.choice(["cancel_reservation", "accept_offer", "change_reservation"])
        made.order(name, reservation=draw.choice(known), actor="eve")
    elif what == 9 and draw.random() < 0.3:
        made.do(c.ConfigureLot(made.now_ms, {**spec, "name": str(draw.random())}))
    else:
        at(made, made.now_ms + draw.randrange(40 * MINUTE))


def _audit(made: Yard) -> None:
    found = part(made)
    keeping = [each for each in found.book.all.values() if each.state in ("booked", "offered")]
    by_name = [each for each in keeping if each.withheld]
    holds = found.holds.by_area.get("north")
    parts: dict[str, int] = {}
    for each in keeping:
        if not each.withheld:
            parts[each.spot_class] = parts.get(each.spot_class, 0) + each.percent
    whole = sum(percent // 100 for percent in parts.values()) + len(by_name)
    assert (0 if holds is None else holds.total) == whole
    spots = [
        lot_block.name(number)
        for stay in made.lot.all_stays()
        for lot_block, number in ((stay.block, stay.number), (stay.to_block, stay.to_number))
        if lot_block is not None and number
    ]
    spots += [each.spot for each in by_name]
    assert len(spots) == len(set(spots))
    for each in by_name:
        rivals = [other for other in keeping if other.spot == each.spot and other.percent >= 100]
        assert each is min(rivals, key=lambda other: other.order)
    for key in ("P1-A", "P1-C"):
        lot_block = made.lot.blocks[key]
        assert lot_block.free is not None
        assert lot_block.count - lot_block.free.free == sum(spot.startswith(key) for spot in spots if spot)
