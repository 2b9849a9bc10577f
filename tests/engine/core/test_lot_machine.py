"""Random lives of a lot against a model of plain dicts, with restart, replay and resend at every turn."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from tests.engine.core.lots import CARD, NOON, Yard, area, block, lane_spec, lot_spec, packed
from tests.engine.core.plain_lot import IN, OUT, PlainLot

SCAN, PASSAGE, STATUS = 0x10, 0x12, 0x13
PASSED, BACKED_OUT, FOLLOWED, FORCED = 1, 2, 3, 4

LANES = {
    "west": (
        lane_spec(0, "entry", gate="west", confirm=True),
        lane_spec(1, "exit", confirm=True),
        lane_spec(2, "both", gate="east", confirm=True, cards="known"),
    ),
    "east": (lane_spec(0, "entry", gate="east"), lane_spec(1, "exit"), lane_spec(2, "both", plates="off")),
    "vip": (
        lane_spec(0, "entry", "vip", confirm=True),
        lane_spec(1, "exit", "vip"),
        lane_spec(2, "both", "vip", "west", confirm=True),
    ),
}
BOOTS = (7, 2**64 - 1)

lanes = st.tuples(st.sampled_from(sorted(LANES)), st.integers(0, 2))
# Few of them, so that they meet themselves again; a plate and a card with the same bytes are two.
whos = st.sampled_from([b"\2anna", b"\2anna", b"\2boris", b"\2chloe", b"\4anna", b"\1boris"])
drives = st.tuples(
    whos,
    lanes,
    st.sampled_from([False, False, False, True]),  # whether its whereabouts are reset before
    st.sampled_from([PASSED, PASSED, PASSED, PASSED, BACKED_OUT]),
    st.sampled_from([0, 0, 0, 61_000]),  # how long it takes to pass
)
boots = st.sampled_from(BOOTS)
clocks = st.sampled_from([0, 0, 0, 0, 0, 0, 0, 0, -9_000, 10_000, 10_001, -40_000])
ages = st.sampled_from([0, 1_000, 20_000, 45_000, 3_600_000, -7_000])
classes = st.lists(st.sampled_from(["standard", "permit", "charging"]), min_size=1, max_size=3, unique=True)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """A lot of a few spots, whose areas and blocks come and go."""
    sizes = st.integers(0, 3)
    north = [block("P1", "A", draw(sizes)), block("P1", "C", draw(sizes), "charging")]
    north = [spots for spots in north if spots["count"]] or [block("P1", "A", 1)]
    areas = [area("north", None, *north, block("P2", "B", 1 + draw(sizes)))]
    if draw(st.booleans()) or draw(st.booleans()):
        vip = area(
            "vip", "north", block("P0", "V", 1 + draw(sizes), draw(st.sampled_from(["standard", "permit"])))
        )
        areas.insert(draw(st.integers(0, 1)), vip)
    return lot_spec(
        *areas,
        assign=draw(st.sampled_from(["spot", "spot", "spot", "area", "count"])),
        gates={"west": ["P2-B", "P1-A"], "east": ["P1-A"]},
        confirm_ms=draw(st.sampled_from([30_000, 60_000])),
    )


class LotMachine(RuleBasedStateMachine):
    """What readers and operators do in an orderly lot: then it is never overfull."""

    orderly = True

    @initialize(spec=specs())
    def build(self, spec: dict[str, Any]) -> None:
        self.yard = Yard(spec, **LANES)
        self.plain = PlainLot()
        self.plain.configure(spec)
        for reader, specified in LANES.items():
            self.plain.configure_reader(reader, specified)
        self.answers: dict[tuple[str, int, int], bytes] = {}
        self.sessions: set[bytes] = set()
        self.orders = 0

    # -- helpers

    @property
    def now_ms(self) -> int:
        return self.yard.now_ms

    def lane_at(self, name: tuple[str, int]) -> dict[str, Any]:
        return self.plain.lanes[name]

    def number(self, reader: str, boot: int, jump: int) -> int:
        """The reader's next number, or one further on (jump > 0), or one left out before (jump < 0)."""
        used = {no for name, at, no in self.answers if (name, at) == (reader, boot)}
        if jump < 0:
            return next(no for no in range(1, len(used) + 2) if no not in used)
        return max(used, default=0) + 1 + jump

    def note(self, event: Any) -> None:
        key = (event.reader, event.boot, event.no)
        assert key not in self.answers
        self.answers[key] = packed([event])

    def begin_or_go_on(self, who: bytes, at: dict[str, Any], session: bytes) -> None:
        if self.plain.goes_on(who, at):
            assert session == self.plain.inside[who]
        else:
            assert session not in self.sessions, "a session's name was given twice"
            assert len(session) == 16
            self.sessions.add(session)

    @staticmethod
    def spot_name(spot: tuple[str, int] | None) -> str | None:
        return None if spot is None else f"{spot[0]}-{spot[1]:03d}" if spot[1] else spot[0]

    # -- readers

    @rule(name=lanes, who=whos, boot=boots, jump=st.sampled_from([0, 0, 0, 1, -1]), off=clocks)
    def scan(self, name: tuple[str, int], who: bytes, boot: int, jump: int, off: int) -> None:
        plain, at = self.plain, self.lane_at(name)
        way = plain.way(who, at)
        reason = plain.objection(who, at, way)
        spot = plain.space(who, at)[1] if way == IN else None
        time_ms = self.now_ms if abs(off) > 10_000 else self.now_ms + off
        no = self.number(name[0], boot, jump)
        event = self.yard.scan(
            name[1], who[1:], kind=who[0], reader=name[0], boot=boot, no=no, at_ms=self.now_ms + off
        )
        self.note(event)
        assert (event.reason, event.way, event.at_ms) == (reason, way, time_ms)
        assert event.verdict == (2 if reason else 1)
        assert event.skew_ms == (off if abs(off) > 10_000 else 0)
        if reason:
            assert (event.spot, event.effect) == (None, 0)
            assert event.trace[-1] == f"reason {reason}"
            return
        assert event.effect == (2 if at["confirm"] else 1)
        assert event.spot == self.spot_name(spot)
        self.take(who, at, way, event.session, spot, time_ms)

    def take(self, who: bytes, at: dict[str, Any], way: int, session: Any, spot: Any, at_ms: int) -> None:
        """In the model: the barrier opened."""
        plain = self.plain
        if way == IN:
            self.begin_or_go_on(who, at, session)
            plain.enter(who, session, at, spot, at_ms)
        elif who in plain.inside:
            assert session == plain.inside[who]
            plain.leave(who, at, at_ms)
        else:
            assert session is None
            plain.pardoned.discard(who)
            if not at["confirm"]:
                plain.unnamed(at["area"], -1)

    def session_for(self, data: st.DataObject) -> bytes | None:
        """None, a car at a barrier, or any car there ever was."""
        waiting = [s for s, car in self.plain.cars.items() if car["going"]]
        if not self.orderly:
            waiting += [s for s, car in self.plain.cars.items() if car["late"]] + list(self.plain.cars)[:2]
        return data.draw(st.sampled_from([None, *waiting])) if waiting else None

    @rule(
        name=lanes,
        what=st.sampled_from([1, 1, 1, 2, 4]),
        boot=boots,
        jump=st.sampled_from([0, 0, 0, 1, -1]),
        data=st.data(),
    )
    def pass_by(self, name: tuple[str, int], what: int, boot: int, jump: int, data: st.DataObject) -> None:
        session = self.session_for(data)
        if self.orderly and what == PASSED and session is None and self.plain.waiting_at(name) is None:
            return
        self.see_passage(name, what, boot, jump, session)

    def see_passage(
        self, name: tuple[str, int], what: int, boot: int, jump: int, session: bytes | None
    ) -> None:
        subject = session if session is not None else self.plain.waiting_at(name)
        no = self.number(name[0], boot, jump)
        event = self.yard.passage(name[1], what, session, reader=name[0], boot=boot, no=no)
        self.note(event)
        self.passes(event, self.lane_at(name), what, subject, session)

    @rule(drives=st.lists(drives, min_size=1, max_size=8))
    def traffic(self, drives: list[tuple[bytes, tuple[str, int], bool, int, int]]) -> None:
        for drive in drives:
            self.drive(*drive)

    def drive(self, who: bytes, name: tuple[str, int], reset: bool, what: int, wait_ms: int) -> None:
        """A car comes to a lane and, if it opens, goes through: perhaps so late that its hold has lapsed."""
        if reset:
            self.reset_passback(who)
        self.scan(name, who, BOOTS[0], 0, 0)
        session = self.plain.inside.get(who)
        if session is None or not self.plain.cars[session]["going"]:
            return
        if wait_ms:
            self.tick(wait_ms)
        if self.plain.cars[session]["going"] or not self.orderly:
            self.see_passage(name, what, BOOTS[0], 0, session)

    @precondition(lambda self: not self.orderly)
    @rule(who=whos, name=lanes, at_once=st.booleans(), named=st.booleans(), age=ages)
    def tell_drive(self, who: bytes, name: tuple[str, int], at_once: bool, named: bool, age: int) -> None:
        """The same while its reader was alone; a Tick may come between the two REPLAYs."""
        self.tell_scan(name, who, BOOTS[0], 1, age)
        session = self.plain.inside.get(who)
        if not at_once:
            self.tick(1_000)
        self.tell_of_passage(name, PASSED, BOOTS[0], age, session if named else None)

    def passes(self, event: Any, at: dict[str, Any], what: int, subject: Any, session: Any) -> None:
        """In the model: the lane saw a car, and it was that of `subject`, if of anybody."""
        plain = self.plain
        car = plain.cars.get(subject) if what in (PASSED, BACKED_OUT) else None
        if car is None or not (car["going"] or car["late"]):
            assert event.session == session
            unnamed = what == FOLLOWED or (what == PASSED and at["confirm"])
            assert event.effect == ("adrift" if unnamed else "")
            if unnamed:
                assert event.way == (OUT if at["direction"] == "exit" else IN)
                plain.unnamed(at["area"], 1 if event.way == IN else -1)
        elif what == PASSED:
            assert (event.effect, event.session) == ("moved", subject)
            plain.passed(subject)
        else:
            assert (event.effect, event.session) == ("withdrawn", subject)
            plain.backed_out(subject)

    @rule(name=lanes, barrier=st.integers(0, 3), loop=st.booleans(), boot=boots)
    def report(self, name: tuple[str, int], barrier: int, loop: bool, boot: int) -> None:
        no = self.number(name[0], boot, 0)
        head = self.yard.lane(*name), self.yard.numbering(name[0], boot), no, self.now_ms, self.now_ms
        (event,) = self.yard.do(c.ReportLane(*head, barrier, loop, ("arm",) if barrier == 3 else ()))
        self.note(event)

    @precondition(lambda self: self.answers)
    @rule(data=st.data(), name=lanes)
    def resend(self, data: st.DataObject, name: tuple[str, int]) -> None:
        """Whatever comes under a known number changes nothing, and its first answer is found."""
        reader, boot, no = data.draw(st.sampled_from(sorted(self.answers)))
        before = state.dump(self.yard.lot)
        again = [
            self.yard.scan(name[1], b"other", reader=reader, boot=boot, no=no),
            self.yard.passage(name[1], PASSED, None, reader=reader, boot=boot, no=no),
            self.yard.history(name[1], SCAN, CARD, b"x", verdict=1, reader=reader, boot=boot, no=no),
        ]
        assert state.dump(self.yard.lot) == before
        assert [packed([event]) for event in again] == [self.answers[reader, boot, no]] * 3

    @rule(after_ms=st.sampled_from([0, 1_000, 29_000, 61_000]))
    def tick(self, after_ms: int) -> None:
        events = self.yard.tick(after_ms)
        assert {event.session for event in events} == self.plain.lapse(self.now_ms)

    # -- what makes a lot overfull, and the ledger with it

    @precondition(lambda self: not self.orderly)
    @rule(name=lanes, boot=boots)
    def follow(self, name: tuple[str, int], boot: int) -> None:
        no = self.number(name[0], boot, 0)
        event = self.yard.passage(name[1], FOLLOWED, None, reader=name[0], boot=boot, no=no)
        self.note(event)
        self.passes(event, self.lane_at(name), FOLLOWED, None, None)

    @precondition(lambda self: not self.orderly)
    @rule(name=lanes, who=whos, boot=boots, verdict=st.sampled_from([1, 1, 1, 2, 3]), age=ages)
    def tell_scan(self, name: tuple[str, int], who: bytes, boot: int, verdict: int, age: int) -> None:
        plain, at = self.plain, self.lane_at(name)
        way = plain.way(who, at)
        reason = plain.objection(who, at, way)
        spot = plain.space(who, at)[1] if way == IN and verdict == 1 else None
        no, told_ms = self.number(name[0], boot, 1), self.now_ms - age
        event = self.yard.history(
            name[1], SCAN, who[0], who[1:], verdict=verdict, reader=name[0], boot=boot, no=no, at_ms=told_ms
        )
        self.note(event)
        assert (event.at_ms, event.way) == (min(told_ms, self.now_ms), way)
        assert event.spot == self.spot_name(spot)
        if verdict != 1:
            assert (event.finding, event.effect) == (0 if reason else 500, "")
            return
        assert event.finding == reason
        plain.pardoned.discard(who)
        named = way == IN or who in plain.inside
        assert event.effect == (
            ("promised" if named else "") if at["confirm"] else "moved" if named else "adrift"
        )
        self.take(who, at, way, event.session, spot, event.at_ms)

    @precondition(lambda self: not self.orderly)
    @rule(name=lanes, what=st.sampled_from([1, 1, 1, 2, 3, 4]), boot=boots, age=ages, data=st.data())
    def tell_passage(
        self, name: tuple[str, int], what: int, boot: int, age: int, data: st.DataObject
    ) -> None:
        self.tell_of_passage(name, what, boot, age, self.session_for(data))

    def tell_of_passage(self, name: tuple[str, int], what: int, boot: int, age: int, session: Any) -> None:
        no, told_ms = self.number(name[0], boot, 1), min(self.now_ms - age, self.now_ms)
        car = self.plain.cars.get(session) if session is not None else None
        if what not in (PASSED, BACKED_OUT):
            subjects = set()
        elif car and (car["going"] or car["late"]):
            subjects = {session}
        else:
            subjects = self.plain.was_at(name, told_ms)
        event = self.yard.history(
            name[1], PASSAGE, what, session, reader=name[0], boot=boot, no=no, at_ms=told_ms
        )
        self.note(event)
        assert not subjects or event.session in subjects
        self.passes(event, self.lane_at(name), what, event.session if subjects else None, session)

    @precondition(lambda self: not self.orderly)
    @rule(where=st.sampled_from(["north", "vip"]), to=st.integers(0, 5))
    def correct_count(self, where: str, to: int) -> None:
        done = self.order("correct_count", area=where, to=to, actor="jo", reason="counted")
        if where not in self.plain.areas:
            assert done[:2] == (False, "no_such_area")
            return
        before = self.plain.occupancy(where)
        assert done == (True, "", {"before": before, "after": to})
        self.plain.areas[where]["adrift"] += to - before

    # -- operators

    def order(self, name: str, **args: Any) -> Any:
        self.orders += 1
        outcome = self.yard.order(name, self.orders, True, **args)
        before = state.dump(self.yard.lot)
        assert self.yard.order("allow_credential", self.orders, True, **args) == outcome
        assert state.dump(self.yard.lot) == before, "an order's repetition changed something"
        return outcome

    @rule(name=lanes, mode=st.sampled_from([1, 1, 1, 2, 3, 4, 5]))
    def set_lane(self, name: tuple[str, int], mode: int) -> None:
        at = self.lane_at(name)
        done = self.order("set_lane", reader=name[0], lane=name[1], mode=mode, actor="jo")
        assert done == (True, "", {"before": at["mode"], "after": mode})
        at["mode"] = mode

    @rule(name=lanes)
    def open_and_show(self, name: tuple[str, int]) -> None:
        assert self.order("open_lane", reader=name[0], lane=name[1], cause="ambulance", actor="jo")[0]
        assert self.order("display", reader=name[0], lane=name[1], text="hello", seconds=5, actor="jo")[0]

    @rule(who=whos, allow=st.booleans())
    def deny(self, who: bytes, allow: bool) -> None:
        name = "allow_credential" if allow else "deny_credential"
        done = self.order(name, kind=who[0], token=who[1:], actor="jo", reason="stolen")
        if not allow:
            assert done == (True, "", {"inside": who in self.plain.inside})
            self.plain.denied.add(who)
        else:
            assert done[:2] == ((True, "") if who in self.plain.denied else (False, "not_denied"))
            self.plain.denied.discard(who)

    @rule(who=whos, wanted=classes)
    def register(self, who: bytes, wanted: list[str]) -> None:
        done = self.order("register_credential", kind=who[0], token=who[1:], classes=wanted, actor="jo")
        assert done == (True, "", {"new": who not in self.plain.known})
        self.plain.known[who] = tuple(wanted)

    @rule(who=whos)
    def forget(self, who: bytes) -> None:
        done = self.order("forget_credential", kind=who[0], token=who[1:], actor="jo")
        assert done[:2] == ((True, "") if who in self.plain.known else (False, "not_known"))
        self.plain.known.pop(who, None)

    @rule(who=whos)
    def reset_passback(self, who: bytes) -> None:
        done = self.order("reset_passback", kind=who[0], token=who[1:], actor="jo", reason="asked")
        car = self.plain.car_of(who)
        assert done == (True, "", {"inside": car is not None})
        if car is None:
            self.plain.pardoned.add(who)
        else:
            car["doubted"] = True

    @rule()
    def order_nonsense(self) -> None:
        assert self.order("set_lane", reader="west", lane=0, mode=6, actor="jo")[1] == "bad_args"
        assert self.order("set_lane", reader="south", lane=0, mode=1, actor="jo")[1] == "no_such_lane"
        assert self.order("sing", song="x")[1] == "unknown_command"

    # -- configuration, restarts

    @precondition(lambda self: not self.orderly)
    @rule(spec=specs())
    def configure(self, spec: dict[str, Any]) -> None:
        events = self.yard.do(c.ConfigureLot(self.now_ms, spec))
        assert len(events) <= 1
        self.plain.configure(spec)
        assert self.yard.do(c.ConfigureLot(self.now_ms, spec)) == ()

    @rule(reader=st.sampled_from(sorted(LANES)), confirm=st.booleans(), kept=st.integers(0, 3))
    def configure_reader(self, reader: str, confirm: bool, kept: int) -> None:
        """A reader loses lanes for a moment, and gets them back with another word on confirmation."""
        changed = tuple((*lane[:4], confirm, *lane[5:]) for lane in LANES[reader])
        for specified in (changed[:kept], changed):
            self.yard.do(c.ConfigureReader(self.now_ms, reader, specified))
            self.plain.configure_reader(reader, specified)
            assert self.yard.do(c.ConfigureReader(self.now_ms, reader, specified)) == ()
            self.yard.check()

    @rule()
    def restart(self) -> None:
        """From here on the lot is one that came out of a snapshot."""
        self.yard.lot = state.load(state.dump(self.yard.lot))

    # -- always

    @invariant()
    def replay_and_snapshot_equal_memory(self) -> None:
        self.yard.check()

    @invariant()
    def counts_are_the_models(self) -> None:
        lot = self.yard.lot
        assert lot.counts() == self.plain.counts()
        for id, inner in lot.areas.items():
            assert inner.inside + inner.adrift == self.plain.occupancy(id)
            assert (inner.held, inner.available()) == (self.plain.held(id), self.plain.available(id))
        if self.orderly:
            assert lot.counts()["available"] >= 0

    @invariant()
    def every_car_is_where_the_model_has_it(self) -> None:
        lot = self.yard.lot
        assert {who: stay.session for who, stay in lot.stays.items()} == self.plain.inside
        for stay in lot.stays.values():
            car = self.plain.cars[stay.session]
            assert (stay.area.id if stay.area else None) == car["area"]
            assert ((stay.block.key, stay.number) if stay.block else None) == car["spot"]
            assert (stay.moving, stay.forgiven) == (car["going"] is not None, car["doubted"])
        assert set(lot.moving) == {s for s, car in self.plain.cars.items() if car["going"]}
        assert set(lot.lapsed) == {s for s, car in self.plain.cars.items() if car["late"]}

    @invariant()
    def no_two_cars_have_one_spot(self) -> None:
        taken = [spot for spot in self.plain.taken() if spot[1]]
        assert len(taken) == len(set(taken))
        for key, spots in self.yard.lot.blocks.items():
            numbers = {number for name, number in taken if name == key}
            assert spots.taken == sum(spot[0] == key for spot in self.plain.taken())
            if spots.free is not None:
                free = {number for number in range(1, spots.count + 1) if spots.free.is_free(number)}
                assert free == set(range(1, spots.count + 1)) - numbers
                assert spots.free.free == len(free)

    def teardown(self) -> None:
        if not hasattr(self, "yard"):
            return
        unpacker = msgpack.Unpacker(raw=False)
        unpacker.feed(bytes(self.yard.log))
        assert [event[2] for event in unpacker] == list(range(1, self.yard.lot.seq + 1))
        assert self.yard.now_ms >= NOON


class UnrulyLotMachine(LotMachine):
    """The same with tailgates, history, late passages, corrections, and building works while cars are in."""

    orderly = False


TestOrderlyLot = LotMachine.TestCase
TestOrderlyLot.settings = settings(max_examples=60, stateful_step_count=40)
TestUnrulyLot = UnrulyLotMachine.TestCase
TestUnrulyLot.settings = settings(max_examples=90, stateful_step_count=40)


@pytest.mark.long
class TestOrderlyLotLong(LotMachine.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=200, stateful_step_count=80)


@pytest.mark.long
class TestUnrulyLotLong(UnrulyLotMachine.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=300, stateful_step_count=80)


def test_a_promise_into_an_area_that_went_keeps_no_second_place_for_a_car_that_comes_in_again() -> None:
    """The model once kept the promise of a car that already counts where it goes: found by a random life."""
    small = lot_spec(area("north", None, block("P2", "B", 2)), gates={"west": ["P2-B"], "east": []})
    north, vip = small["areas"][0], area("vip", "north", block("P0", "V", 1))
    machine = UnrulyLotMachine()
    machine.build(small)
    machine.tell_scan(("east", 0), b"\2anna", BOOTS[0], 1, 0)
    machine.configure(small | {"areas": [north, vip]})
    machine.tell_scan(("vip", 0), b"\2anna", BOOTS[0], 1, 0)
    machine.configure(small)
    machine.tell_scan(("west", 0), b"\2anna", BOOTS[0], 1, 0)
    machine.counts_are_the_models()
    machine.every_car_is_where_the_model_has_it()
    machine.no_two_cars_have_one_spot()
