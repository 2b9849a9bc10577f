"""Reservations: room in time, places kept, marks, and an end for each."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from liftgate.sim.world.audit import records as r
from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, ONE, START_MS, TWO, A, B, C, Stream
from tests.sim.world.audit.test_passback import lost

MINUTE = 60_000
FROM, TO = START_MS + 60 * MINUTE, START_MS + 120 * MINUTE
EARLY, LATE, LEAVE = 15 * MINUTE, 30 * MINUTE, 15 * MINUTE
RULES: dict[str, Any] = {
    "early_s": 900,
    "late_s": 1800,
    "leave_s": 900,
    "hold": [{"before_s": 2700, "percent": 50}, {"before_s": 1800, "percent": 100}],
    "overbooking_percent": 100,
    "accept_s": 600,
    "waiting_max": 2,
}
R1, R2, R3 = b"1" * 16, b"2" * 16, b"3" * 16
FORGOTTEN = "reservation forgotten"


class Day(Stream):
    """A journal of a lot with reservations: two standard spots outside, one of permit, one inside."""

    def __init__(self, **rules: Any) -> None:
        super().__init__(configured=False)
        lot = msgspec.structs.replace(self.shape.made.lots[0], rules={"reservations": RULES | rules})
        self.shape.made.lots = (lot,)
        said = s.spec(lot) | {"rules": r.plain(lot.rules)}
        self.write([s.LOT_SET, said], [s.READER_SET, s.READER, s.lane_specs()])

    def reserve(self, id: bytes, token: bytes, **said: Any) -> None:
        """Order a place outside from FROM to TO, and record it, `waiting` or another field as it is said."""
        args: dict[str, Any] = {"from_ms": FROM, "to_ms": TO, "actor": "jo", "kind": 2, "token": token}
        args |= {"area": "out", "wait": True}
        event = {
            "id": id, "credential": b"\2" + token, "code": b"", "area": "out", "spot_class": "standard",
            "spot": "", "from_ms": FROM, "to_ms": TO, "early_ms": EARLY, "late_ms": LATE, "leave_ms": LEAVE,
            "waiting": False, "percent": 0, "actor": "jo", "reason": "",
        }  # fmt: skip
        event |= said
        args |= {name: said[name] for name in ("spot", "from_ms", "to_ms") if name in said}
        waits = {"place": len(self.book.line()) + 1} if event["waiting"] else {}
        outcome = "waiting" if event["waiting"] else "booked"
        body = {"reservation": id, "outcome": outcome, **waits}
        self.order(id, "reserve", args, [r.RESERVED, *event.values()], body)

    def order(self, id: bytes, *rest: Any) -> int:
        """A command that was obeyed, and answered."""
        position = super().order(id, *rest)
        self.audit.outcome(s.DESK, id, True, "", rest[-1], position)
        return position

    def rest(self) -> None:
        """The end; that no reader of this journal got its answers is not what these tests are about."""
        super().rest()
        self.audit.findings[:] = [each for each in self.audit.findings if each.kind != "never answered"]

    @property
    def book(self) -> Any:
        return self.audit.lots[s.LOT].book

    def until(self, at_ms: int) -> "Day":
        self.at_ms = at_ms
        return self

    def grow(self, id: bytes) -> None:
        """Its place is kept by both steps, and its car may come."""
        for before_ms, percent in ((45 * MINUTE, 50), (30 * MINUTE, 100)):
            self.until(FROM - before_ms).write([r.HOLD_GROWN, id, percent])
        self.until(FROM - EARLY).write([r.RESERVATION_OPENED, id, None])

    def come(self, token: bytes, spot: str | None, session: bytes, lane: int = s.IN, **said: Any) -> None:
        """A scan with marks that opens, or is refused with `reason`."""
        reason = said.pop("reason", 0)
        no = self.make(s.SCAN, [lane, 2, token])
        later = lane == s.IN_LATER
        effect, verdict = (0, 2) if reason else (1 + later, 1)
        head = [s.SCAN, s.READER, s.BOOT, no, lane, 2, token, 0, 1, verdict, reason, effect, "out"]
        self.write([*head, None if reason else session, spot, [None, ["trace"], said]])

    def tell(self, kind: str, about: dict[str, Any], *event: Any) -> None:
        """A finding and the event beside it."""
        self.write([r.FINDING, kind, "text", about], list(event))


def cancel(day: Day, id: bytes, was: str) -> None:
    args = {"reservation": id, "actor": "jo"}
    day.order(
        b"c" + id[1:], "cancel_reservation", args, [r.RESERVATION_CANCELLED, id, "jo", ""], {"was": was}
    )


def accept(day: Day, id: bytes) -> None:
    args = {"reservation": id, "actor": "jo"}
    body = {"from_ms": FROM, "to_ms": TO}
    day.order(b"a" + id[1:], "accept_offer", args, [r.OFFER_ACCEPTED, id, "jo"], body)


OVERSTAYED = {"reservation": R1, "session": ONE, "to_ms": TO, "spot": ""}


def test_a_good_day() -> None:
    """Booked, kept in steps, used, overstayed and over; a waiting one is offered what gets free."""
    day = Day()
    day.reserve(R1, A)
    day.reserve(R2, B)
    day.reserve(R3, C, waiting=True)
    cancel(day, R2, "booked")
    day.write([r.OFFERED, R3, day.at_ms + 600_000])
    accept(day, R3)
    for before_ms, percent in ((45 * MINUTE, 50), (30 * MINUTE, 100)):
        day.until(FROM - before_ms).write([r.HOLD_GROWN, R1, percent], [r.HOLD_GROWN, R3, percent])
    day.until(FROM - EARLY)
    day.write([r.RESERVATION_OPENED, R1, None], [r.RESERVATION_OPENED, R3, None])
    day.come(A, A1, ONE, reservation=R1)
    day.until(FROM + LATE).write([r.RESERVATION_RELEASED, R3, "no_show"])
    day.until(TO + LEAVE).tell("overstayed its reservation", OVERSTAYED, r.OVERSTAYED, R1, ONE)
    day.scan(A, s.OUT, None, ONE)
    day.until(day.at_ms + MINUTE).rest()
    assert (day.kinds, day.book.all) == ([], {})
    assert day.book.ended == {"cancelled": 1, "no_show": 1, "kept": 1}


@pytest.mark.parametrize(("replacement", "ended"), [(None, {"kept": 1}), (b"\2" + B, {})])
def test_a_reservation_is_over_with_a_stay_that_ends_without_an_exit(
    replacement: bytes | None, ended: dict[str, int]
) -> None:
    """Its ticket was lost; one that was replaced goes on, and so does the reservation."""
    day = Day()
    day.reserve(R1, A)
    day.grow(R1)
    day.come(A, A1, ONE, reservation=R1)
    lost(day, replacement)
    assert (day.book.ended, day.kinds) == (ended, [])


def test_a_spot_by_name_is_kept_for_its_car() -> None:
    """Nobody else gets it; its own car does, and another one of its class where a car stands in it."""
    day = Day()
    day.reserve(R1, A, spot=A1)
    day.grow(R1)
    day.scan(B, s.IN, A2, TWO)
    day.come(A, A1, ONE, reservation=R1)
    assert day.kinds == []
    day = Day()
    day.reserve(R1, A, spot=A1)
    day.scan(B, s.IN, A1, TWO)
    day.grow(R1)
    day.come(A, A2, ONE, reservation=R1, spot_taken=A1)
    assert day.kinds == []


def test_a_held_place_is_not_for_others_and_310_is_true() -> None:
    """With one of two places kept the second stranger is refused with 310, and to open is found."""
    for spot, reason, kinds in (
        (None, 310, []),
        (None, 300, ["wrongly refused"]),
        (A2, 0, ["wrongly opened"]),
    ):
        day = Day()
        day.reserve(R1, A)
        day.grow(R1)
        day.scan(b"permit", s.IN, A1, TWO)
        day.scan(C, s.IN, spot, None if reason else s.THREE, reason=reason)
        assert day.kinds[:1] == kinds


def _too_many(day: Day) -> None:
    for id, token in ((R1, A), (R2, B), (R3, C)):
        day.reserve(id, token)


def _one_spot_twice(day: Day) -> None:
    day.reserve(R1, A, spot=A1)
    day.reserve(R2, B, spot=A1, from_ms=TO - 1)


def _waits_beside_room(day: Day) -> None:
    day.reserve(R1, A, waiting=True)


def _kept_too_early(day: Day) -> None:
    day.reserve(R1, A)
    day.until(FROM - 45 * MINUTE - 1).write([r.HOLD_GROWN, R1, 50])


def _opened_too_early(day: Day) -> None:
    day.reserve(R1, A)
    day.until(FROM - EARLY - 1).write([r.RESERVATION_OPENED, R1, None])


def _no_show_too_early(day: Day) -> None:
    day.reserve(R1, A)
    day.grow(R1)
    day.until(FROM + LATE - 1).write([r.RESERVATION_RELEASED, R1, "no_show"])


def _no_show_of_one_inside(day: Day) -> None:
    day.reserve(R1, A)
    day.grow(R1)
    day.come(A, A1, ONE, reservation=R1)
    day.until(FROM + LATE).write([r.RESERVATION_RELEASED, R1, "no_show"])


def _inside_and_overstayed(day: Day, at_ms: int) -> None:
    day.reserve(R1, A)
    day.grow(R1)
    day.come(A, A1, ONE, reservation=R1)
    day.until(at_ms).tell("overstayed its reservation", OVERSTAYED, r.OVERSTAYED, R1, ONE)


def _overstayed_too_early(day: Day) -> None:
    _inside_and_overstayed(day, TO + LEAVE - 1)


def _overstayed_twice(day: Day) -> None:
    _inside_and_overstayed(day, TO + LEAVE)
    assert day.kinds == []
    day.tell("overstayed its reservation", OVERSTAYED, r.OVERSTAYED, R1, ONE)


def _overstayed_without_a_finding(day: Day) -> None:
    day.reserve(R1, A)
    day.grow(R1)
    day.come(A, A1, ONE, reservation=R1)
    day.until(TO + LEAVE).write([r.OVERSTAYED, R1, ONE])


def _full_of_waiting(day: Day) -> None:
    day.reserve(R1, A, to_ms=FROM + 50 * MINUTE)
    day.reserve(R2, B)
    day.reserve(R3, C, waiting=True)


def _offered_without_room(day: Day) -> None:
    _full_of_waiting(day)
    day.write([r.OFFERED, R3, day.at_ms + 600_000])


def _offered_out_of_line(day: Day) -> None:
    _full_of_waiting(day)
    fourth = b"4" * 16
    day.reserve(fourth, b"card-d", waiting=True)
    cancel(day, R2, "booked")
    day.write([r.OFFERED, fourth, day.at_ms + 600_000])


def _accepted_too_late(day: Day) -> None:
    _full_of_waiting(day)
    cancel(day, R2, "booked")
    day.write([r.OFFERED, R3, day.at_ms + 600_000])
    day.until(day.at_ms + 600_000)
    accept(day, R3)


def _turned_away_for_nothing(day: Day) -> None:
    day.reserve(R1, A)
    day.grow(R1)
    about = {"reservation": R1, "area": "out", "class": "standard"}
    day.tell("overbooked", about, r.TURNED_AWAY, R1)


@pytest.mark.parametrize("spoil", [
    _too_many, _one_spot_twice, _waits_beside_room, _kept_too_early, _opened_too_early, _no_show_too_early,
    _no_show_of_one_inside, _overstayed_too_early, _overstayed_twice, _overstayed_without_a_finding,
    _offered_without_room, _offered_out_of_line, _accepted_too_late, _turned_away_for_nothing,
])  # fmt: skip
def test_what_its_rules_do_not_say_is_found(spoil: Callable[[Day], None]) -> None:
    """Each of these does one thing that is not due."""
    day = Day()
    spoil(day)
    assert day.kinds[:1] == ["wrong reservation"]


def test_nothing_is_said_of_one_that_is_over() -> None:
    """Cancelled, released or used: it ends once."""
    day = Day()
    day.reserve(R1, A)
    cancel(day, R1, "booked")
    assert day.kinds == []
    day.until(FROM - 45 * MINUTE).write([r.HOLD_GROWN, R1, 50])
    assert day.kinds == ["reservation over"]


@pytest.mark.parametrize(("at_ms", "token", "marks"), [
    (FROM - EARLY - 1, A, {"reservation": R1}),
    (FROM - EARLY, B, {"reservation": R1}),
    (FROM - EARLY, A, {}),
    (FROM + LATE, A, {"reservation": R1}),
])  # fmt: skip
def test_a_mark_out_of_its_time_or_of_another_is_found(
    at_ms: int, token: bytes, marks: dict[str, Any]
) -> None:
    """A car comes in by its own reservation, in its time, and its scan says so."""
    day = Day(hold=[])
    day.reserve(R1, A)
    day.until(at_ms).come(token, A1, ONE, **marks)
    assert day.kinds[:1] == ["wrong mark"]


def test_a_kept_spot_given_to_another_is_found() -> None:
    """It is out of the free ones until its own car comes."""
    day = Day()
    day.reserve(R1, A, spot=A1)
    day.grow(R1)
    day.scan(B, s.IN, A1, TWO)
    assert day.kinds[0] == "wrong spot"


def test_a_car_turned_away_is_told_of() -> None:
    """A refusal with the mark is followed by a finding; without one, that is found at the end."""
    for told in (True, False):
        day = Day()
        day.scan(B, s.IN, A1, ONE)
        day.scan(C, s.IN, A2, TWO)
        day.reserve(R1, A)
        day.grow(R1)
        day.come(A, None, ONE, reason=300, overbooked=R1)
        about = {"reservation": R1, "area": "out", "class": "standard"}
        if told:
            day.tell("overbooked", about, r.TURNED_AWAY, R1)
        day.until(day.at_ms + MINUTE).rest()
        assert day.kinds == ([] if told else [FORGOTTEN])


def test_what_time_should_have_brought_is_missed_at_the_end() -> None:
    """A step of its hold, its opening, its end: two seconds after its time each is missed."""
    for at_ms in (FROM - 45 * MINUTE, FROM - 15 * MINUTE, FROM + 30 * MINUTE):
        for late_ms, kinds in ((1_999, []), (2_001, [FORGOTTEN])):
            day = Day() if at_ms < FROM - EARLY else Day(hold=[])
            day.reserve(R1, A)
            if at_ms > FROM:
                day.until(FROM - EARLY).write([r.RESERVATION_OPENED, R1, None])
            day.until(at_ms + late_ms).rest()
            assert day.kinds == kinds


def test_a_place_that_is_free_and_offered_to_nobody_is_missed() -> None:
    """The first in line that fits gets an offer with the next Tick."""
    day = Day()
    _full_of_waiting(day)
    day.until(day.at_ms + MINUTE).rest()
    assert day.kinds == []
    cancel(day, R2, "booked")
    day.until(day.at_ms + MINUTE).rest()
    assert day.kinds == [FORGOTTEN]
