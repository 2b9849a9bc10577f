"""Anti-passback and identity by a lot's rules: what opens, what it says, and whom it moves."""

from typing import Any

import msgspec
import pytest

from liftgate.sim.world.audit.plates import apart
from liftgate.sim.world.audit.queries import VIEWS
from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, THREE, TWO, A, B, C, Stream

CARD = b"\x02"
SOFT = {"let_through": True}
FOLLOWED = {"passback": "followed", "unnamed": ["out", 0], "unknown_entry": True}
WITNESS = {"plates": "witness", "mismatch": "refuse"}


def ruled(**rules: Any) -> Stream:
    """A lot that has these rules, by theme."""
    day = Stream(configured=False)
    lot = msgspec.structs.replace(day.shape.made.lots[0], rules=rules)
    day.shape.made.lots = (lot,)
    day.write([s.LOT_SET, {**s.spec(lot), "rules": rules}], [s.READER_SET, s.READER, s.lane_specs()])
    return day


def followed() -> Stream:
    """One car followed in, and somebody without a stay was let out for it."""
    day = ruled(passback={"doubt": ["followed"]})
    day.passage(s.IN, 3, "adrift", None)
    day.scan(B, s.OUT, None, TWO, reason=211, marks=FOLLOWED, **SOFT)
    assert day.kinds == []
    return day


def test_a_follower_lets_out_one_and_no_other() -> None:
    """The second opening is held against the engine; a refusal is right."""
    day = followed()
    day.scan(C, s.OUT, reason=211)
    assert day.kinds == []
    day.scan(C, s.OUT, None, THREE, reason=211, marks=FOLLOWED, **SOFT)
    assert day.kinds == ["wrong marks", "wrongly opened"]


def test_a_car_that_was_named_counts_once() -> None:
    """It came in without a name and left under one."""
    day = followed()
    assert day.audit.lots[s.LOT].stays.occupancy("out") == 0


@pytest.mark.parametrize(("after_ms", "reason"), [(59_999, 210), (60_000, 0)])
def test_a_timed_lot_refuses_for_within_s_and_then_lets_the_old_stay_give_way(
    after_ms: int, reason: int
) -> None:
    """One millisecond before the time, and at it; the other way round is found."""
    for wrong in (False, True):
        day = ruled(passback={"mode": "timed", "within_s": 60})
        day.scan(A, s.IN, A1, ONE)
        day.at_ms += after_ms
        if bool(reason) != wrong:
            day.scan(A, s.IN, None, ONE, reason=210)
        else:
            day.scan(A, s.IN, s.A2, TWO, marks={"passback": "timed"})
        assert bool(day.kinds) == wrong
        assert len(day.audit.lots[s.LOT].stays.open) == 1


def test_a_soft_opening_without_its_mark_or_reason_is_found() -> None:
    """It must say what was let through."""
    marks = {"passback": "soft"}
    for reason, said, kinds in (
        (211, marks, []),
        (211, {}, ["wrong marks"]),
        (0, marks, ["wrongly opened"]),
    ):
        day = ruled(passback={"mode": "soft"})
        day.scan(A, s.OUT, reason=reason, marks=said, **SOFT)
        assert day.kinds == kinds


@pytest.mark.parametrize(("stays", "kinds"), [(1, []), (0, ["wrong doubt"])])
def test_a_lane_that_was_held_open_makes_those_inside_unknown(stays: int, kinds: list[str]) -> None:
    """As many as it says; it is told, and told to people."""
    day = ruled(passback={"doubt": ["held_open"], "doubt_s": 60})
    day.scan(A, s.IN, A1, ONE)
    for mode, before in ((2, 1), (1, 2)):
        args = {"reader": s.READER, "lane": s.OUT, "mode": mode, "actor": "ann"}
        effect = [0x32, s.READER, s.OUT, mode, "ann", ""]
        day.order(bytes([mode]) * 16, "set_lane", args, effect, {"before": before, "after": mode})
    assert day.audit.lots[s.LOT].stays.open[CARD + A].forgiven
    about = {"reader": s.READER, "lane": s.OUT, "area": "out", "cause": "held open", "stays": stays}
    day.write(
        [0x60, s.READER, s.OUT, "out", "held open", stays, 0], [0x3B, "doubtful", "one is unknown", about]
    )
    assert day.kinds == kinds


def test_doubt_that_nobody_tells_is_found() -> None:
    """A barrier was forced, and at the end no event said what follows."""
    day = ruled(passback={"doubt": ["forced"]})
    day.passage(s.OUT, 4, "", None)
    day.rest()
    assert day.kinds[0] == "doubt untold"


def witnessed(plate: bytes, read: bytes) -> Stream:
    """A came in with a plate, and at the exit the camera read another."""
    day = ruled(identity=WITNESS)
    day.scan(plate, s.IN, reason=102, kind=4, marks={"witness": plate.decode()})
    day.scan(A, s.IN, A1, ONE, marks={"plate": plate.decode()})
    day.scan(read, s.OUT, reason=102, kind=4, marks={"witness": read.decode()})
    assert day.kinds == []
    return day


def test_another_plate_at_the_exit_is_refused() -> None:
    """Beyond the distance an opening is found, within it a refusal."""
    day = witnessed(b"BAB123", b"XYZ999")
    day.scan(A, s.OUT, None, ONE, marks={"plate": "XYZ999"})
    assert day.kinds == ["wrong plate", "wrongly opened"]
    day = witnessed(b"BAB123", b"8AB123")
    day.scan(A, s.OUT, None, ONE, marks={"plate": "8AB123"})
    assert day.kinds == []
    day = witnessed(b"BAB123", b"8AB123")
    day.scan(A, s.OUT, None, ONE, reason=500)
    assert day.kinds == ["wrongly refused"]


def test_a_witness_that_opens_is_found() -> None:
    """It is noted, and nothing else."""
    day = ruled(identity=WITNESS)
    day.scan(b"BAB123", s.IN, A1, ONE, kind=4)
    assert day.kinds[0] == "witness"


@pytest.mark.parametrize(
    ("one", "other", "far"), [("8AB", "BAB", 0.5), ("AB", "ABC", 1), ("O1", "QI", 1), ("ABC", "XYZ", 3)]
)
def test_how_far_plates_are_apart(one: str, other: str, far: float) -> None:
    """A confused character counts a half."""
    assert apart(one, other) == apart(other, one) == far


@pytest.mark.parametrize(("age_ms", "kinds"), [(3_600_000, []), (3_599_999, ["wrongly closed"])])
def test_a_stay_that_is_closed_early_is_found(age_ms: int, kinds: list[str]) -> None:
    """And one that is old enough ends, and its spot is free."""
    day = ruled(identity={"close_after_s": 3600})
    day.scan(A, s.IN, A1, ONE)
    entered_ms = day.at_ms
    day.at_ms += age_ms
    closed = [0x63, ONE, CARD + A, "out", A1, entered_ms, "presumed gone", ""]
    day.write(closed, [0x3B, "presumed gone", "1 stay", {"stays": 1}])
    assert day.kinds == kinds
    if not kinds:
        assert day.audit.lots[s.LOT].stays.occupancy("out") == 0


def lost(day: Stream, replacement: bytes | None, denied: bytes = CARD + A) -> None:
    """A's ticket is reported lost."""
    lot = day.audit.lots[s.LOT]
    stay = lot.stays.open[CARD + A]
    args: dict[str, Any] = {"credential": {"kind": 2, "token": A}, "cause": "gone", "actor": "ann"}
    if replacement is not None:
        args["replacement"] = {"kind": 2, "token": replacement[1:]}
    body = {**lot.told(stay), "ended": replacement is None}
    day.audit.command(s.DESK, b"l" * 16, s.LOT, "lost_ticket", args)
    day.write(
        [0x62, stay.session, CARD + A, replacement, stay.entered_at_ms, "gone", "ann"],
        [0x35, denied, "ann", "lost: gone"],
        [s.DONE, b"l" * 16, s.DESK, "lost_ticket", True, "", body],
    )


def test_a_lost_ticket_stays_denied_and_its_stay_goes_on() -> None:
    """The old credential is refused at exits, the new one leaves with the old one's session."""
    day = ruled(identity={})
    day.scan(A, s.IN, A1, ONE)
    lost(day, CARD + B)
    day.scan(A, s.OUT, reason=201)
    day.scan(B, s.OUT, None, ONE)
    assert day.kinds == []


def test_a_lost_ticket_that_denies_another_is_found() -> None:
    """Both halves are about one credential."""
    day = ruled(identity={})
    day.scan(A, s.IN, A1, ONE)
    lost(day, CARD + B, denied=CARD + C)
    assert "no command" in day.kinds


def test_a_reset_of_the_whole_lot_lets_strangers_out_for_a_while() -> None:
    """And another time than the rules' is found."""
    for until_s, kinds in ((60, []), (61, ["wrong doubt"])):
        day = ruled(passback={"doubt_s": 60})
        args = {"whole": True, "actor": "ann"}
        effect = [0x61, [], "", True, day.at_ms + until_s * 1000, "ann", ""]
        day.order(b"r" * 16, "reset_passbacks", args, effect, {"credentials": 0, "inside": 0})
        assert day.kinds == kinds
        if not kinds:
            marks = {"passback": "doubt", "unknown_entry": True}
            day.scan(B, s.OUT, None, ONE, reason=211, marks=marks, **SOFT)
            assert day.kinds == []


@pytest.mark.parametrize(("reset", "kinds"), [([CARD + B, CARD + A], []), ([CARD + A], ["did otherwise"])])
def test_a_reset_of_a_group_is_of_all_its_members(reset: list[bytes], kinds: list[str]) -> None:
    """In the order in which they joined; one that is left out is found."""
    day = ruled(passback={}, entitlements={})
    cards = [{"kind": 2, "token": token} for token in (B, A)]
    args = {"name": "g", "limit": None, "areas": {}, "over": "refuse", "add": cards, "actor": "ann"}
    joined = [0x44, "g", None, {}, "refuse", [CARD + B, CARD + A], [], "ann", ""]
    day.order(b"g" * 16, "set_group", args, joined, {"members": 2})
    effect = [0x61, reset, "g", False, 0, "ann", ""]
    body = {"credentials": len(reset), "inside": 0}
    day.order(b"r" * 16, "reset_passbacks", {"group": "g", "actor": "ann"}, effect, body)
    day.audit.outcome(s.DESK, b"r" * 16, True, "", body, day.position)
    assert day.kinds == kinds


def answered(day: Stream, name: str, args: dict[str, Any], **wrong: Any) -> list[str]:
    """What is found where a question is answered as the auditor has it, but for what is `wrong`."""
    ok, code, body = VIEWS[name](day.audit.lots[s.LOT], args)
    day.audit.asked(s.DESK, s.LOT, name, args)
    day.audit.answer(s.DESK, s.LOT, name, args, ok, code, {**body, **wrong})
    return day.kinds


def test_questions_about_stays_are_answered_from_what_is_on_record() -> None:
    """Who is in for long, whose ticket was lost and when, and which cars went unseen."""
    day = ruled(identity={}, passback={"doubt": ["followed"]})
    day.scan(A, s.IN, A1, ONE)
    early = {"entered_before_ms": day.at_ms + 1}
    stay = {"session": ONE, "entered_at_ms": day.at_ms, "area": "out", "spot": A1, "kind": 2}
    assert VIEWS["open_stays"](day.audit.lots[s.LOT], early)[2] == {"count": 1, "stays": [stay]}
    assert VIEWS["open_stays"](day.audit.lots[s.LOT], {"entered_before_ms": day.at_ms})[2]["count"] == 0
    lost(day, CARD + B)
    gone = {"kind": 2, "token": A, "at_ms": day.at_ms}
    assert VIEWS["lost_credentials"](day.audit.lots[s.LOT], {})[2] == {"count": 1, "lost": [gone]}
    day.passage(s.IN, 3, "adrift", None)
    assert VIEWS["doubtful"](day.audit.lots[s.LOT], {})[2]["unnamed"] == {"out": {"in": 1, "out": 0}}
    for name, args in (("open_stays", early), ("lost_credentials", {}), ("doubtful", {})):
        assert answered(day, name, args) == []
    assert answered(day, "open_stays", early, stays=[]) == ["query otherwise"]
    assert answered(day, "lost_credentials", {}, lost=[]) == ["query otherwise"] * 2
    assert answered(day, "doubtful", {}, unnamed={}) == ["query otherwise"] * 3
