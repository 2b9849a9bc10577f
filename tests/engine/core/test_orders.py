"""Orders of services: done once, refused with a code, answered alike when repeated."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.codecs.events.operators import CommandDone
from liftgate.engine.core import state
from liftgate.engine.core.apply import apply
from tests.engine.core.lots import CARD, NOON, Yard, area, block, lane_spec, lot_spec

ANNA = {"kind": CARD, "token": b"anna", "actor": "jo"}
LANE = {"reader": "r", "lane": 0, "actor": "jo"}
GOOD: dict[str, dict[str, Any]] = {
    "correct_count": {"area": "north", "to": 2, "actor": "jo", "reason": "counted"},
    "set_lane": LANE | {"mode": 3, "reason": "works"},
    "open_lane": LANE | {"cause": "ambulance"},
    "display": LANE | {"text": "hello", "seconds": 5},
    "deny_credential": ANNA | {"reason": "stolen"},
    "register_credential": ANNA | {"classes": ["permit"]},
    "reset_passback": ANNA | {"reason": "asked"},
    "allow_credential": ANNA,
    "forget_credential": ANNA,
}
# What must stand before an order can be done.
BEFORE = {"allow_credential": "deny_credential", "forget_credential": "register_credential"}


def prepared(name: str) -> Yard:
    yard = Yard()
    if name in BEFORE:
        assert yard.order(BEFORE[name], **GOOD[BEFORE[name]])[0]
    return yard


@pytest.mark.parametrize("name", GOOD)
def test_an_order_is_done_and_recorded(name: str) -> None:
    """One event that says what changed, then CommandDone, in one batch."""
    yard = prepared(name)
    seq = yard.lot.seq
    ok, code, _ = yard.order(name, **GOOD[name])
    assert (ok, code) == (True, "")
    assert yard.lot.seq == seq + 2
    yard.check()


@pytest.mark.parametrize("name", GOOD)
def test_an_order_is_done_once(name: str) -> None:
    """The same id again changes nothing and has the first outcome, even with other words."""
    yard = prepared(name)
    outcome = yard.order(name, 1, **GOOD[name])
    before = state.dump(yard.lot)
    assert yard.order(name, 1, **GOOD[name]) == outcome
    assert yard.order("sing", 1) == outcome
    assert state.dump(yard.lot) == before


@pytest.mark.parametrize("name", GOOD)
def test_an_order_needs_all_its_arguments_and_no_others(name: str) -> None:
    """Each missing, misspelled or mistyped argument is bad_args, and changes nothing but the outcome."""
    yard = prepared(name)
    seq = yard.lot.seq
    needed = [
        key for key in GOOD[name] if key not in ("classes",) and (key != "reason" or name == "correct_count")
    ]
    wrong = [{k: v for k, v in GOOD[name].items() if k != key} for key in needed]
    wrong += [GOOD[name] | {"colour": "red"}, GOOD[name] | {"actor": ""}, GOOD[name] | {"actor": 1}]
    wrong += [GOOD[name] | {key: None} for key in needed]
    for args in wrong:
        ok, code, body = yard.order(name, **args)
        assert (ok, code) == (False, "bad_args")
        assert body["text"]
    assert yard.lot.seq == seq + len(wrong), "one CommandDone each and nothing else"
    yard.check()


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("correct_count", {"area": "south"}, "no_such_area"),
        ("correct_count", {"to": -1}, "bad_args"),
        ("correct_count", {"to": 10_000_001}, "bad_args"),
        ("set_lane", {"reader": "s"}, "no_such_lane"),
        ("set_lane", {"lane": 9}, "no_such_lane"),
        ("set_lane", {"lane": 2**63}, "no_such_lane"),
        ("set_lane", {"mode": 0}, "bad_args"),
        ("set_lane", {"mode": 6}, "bad_args"),
        ("open_lane", {"lane": 9}, "no_such_lane"),
        ("display", {"lane": 9}, "no_such_lane"),
        ("display", {"seconds": 0}, "bad_args"),
        ("display", {"seconds": 3601}, "bad_args"),
        ("display", {"text": "x" * 513}, "bad_args"),
        ("deny_credential", {"kind": 0}, "bad_args"),
        ("deny_credential", {"kind": 5}, "bad_args"),
        ("deny_credential", {"token": b""}, "bad_args"),
        ("deny_credential", {"token": b"x" * 513}, "bad_args"),
        ("register_credential", {"classes": ["x" * 33]}, "bad_args"),
        ("register_credential", {"classes": ["standard"] * 9}, "bad_args"),
    ],
)
def test_an_order_that_cannot_be_done_says_why(name: str, args: dict[str, Any], code: str) -> None:
    """A code for programs and a text for people."""
    ok, found, body = Yard().order(name, **GOOD[name] | args)
    assert (ok, found) == (False, code)
    assert isinstance(body["text"], str)


@pytest.mark.parametrize(
    ("name", "code"), [("allow_credential", "not_denied"), ("forget_credential", "not_known")]
)
def test_there_is_nothing_to_undo(name: str, code: str) -> None:
    """What was not denied cannot be allowed, what is not known cannot be forgotten."""
    assert Yard().order(name, **GOOD[name])[:2] == (False, code)


@pytest.mark.parametrize("name", ["open_lane", "display"])
def test_a_reader_that_is_away_can_do_nothing(name: str) -> None:
    """An order for a barrier or a display is refused where nobody would carry it out."""
    assert Yard().order(name, None, False, **GOOD[name])[:2] == (False, "reader_away")


def test_an_unknown_order_is_refused() -> None:
    """And named in the text."""
    assert Yard().order("sing") == (False, "unknown_command", {"text": "no command 'sing'"})


def test_a_refusal_quotes_no_more_than_a_line() -> None:
    """Args may be as long as a frame; the event that refuses them must fit a record with room to spare."""
    yard = Yard()
    for name, args in (
        ("set_lane", LANE | {"mode": 1, "reader": "r" * 60_000}),
        ("set_lane", {"k" * 60_000: 1}),
    ):
        size = len(yard.log)
        ok, _, body = yard.order(name, **args)
        assert not ok
        assert len(body["text"]) <= 512
        assert len(yard.log) - size < 1_000


def test_a_refusal_stays_a_refusal() -> None:
    """Its repetition gets the same answer though it could be done by then."""
    yard = Yard()
    refused = yard.order("allow_credential", 1, **ANNA)
    yard.order("deny_credential", 2, **ANNA)
    assert yard.order("allow_credential", 1, **ANNA) == refused
    assert yard.order("allow_credential", 3, **ANNA)[0]


def test_outcomes_are_kept_up_to_a_bound() -> None:
    """4,096 of them; one more forgets the oldest."""
    yard = Yard()
    for id in range(4_097):
        apply(
            yard.lot, CommandDone("north", yard.lot.seq + 1, NOON, id.to_bytes(16), "s", "x", True, "", {}), 1
        )
    assert len(yard.lot.outcomes) == 4_096
    assert (0).to_bytes(16) not in yard.lot.outcomes
    assert (1).to_bytes(16) in yard.lot.outcomes


def test_a_correction_is_a_ledger_entry() -> None:
    """Before, after, actor and reason; corrections add up, and the named cars stay."""
    yard = Yard()
    yard.scan(0)
    yard.passage(0, 3)
    assert yard.order("correct_count", **GOOD["correct_count"])[2] == {"before": 2, "after": 2}
    assert yard.order("correct_count", **GOOD["correct_count"] | {"to": 0})[2] == {"before": 2, "after": 0}
    assert yard.counts() == (0, 0, 3)
    assert yard.scan(1).verdict == 1
    assert yard.counts() == (-1, 0, 4)
    assert yard.order("correct_count", **GOOD["correct_count"] | {"to": 3})[2] == {"before": -1, "after": 3}
    assert yard.scan(0).reason == 300
    yard.check()


def test_a_correction_is_of_one_area_alone() -> None:
    """Inner areas have their own count."""
    yard = Yard(lot_spec(area("north", None, block("P1", "A", 2)), area("vip", "north", block("P0", "V", 1))))
    yard.order("correct_count", **GOOD["correct_count"] | {"area": "vip", "to": 1})
    assert [a.adrift for a in yard.lot.areas.values()] == [0, 1]


def test_a_reset_lets_a_car_in_that_left_unseen() -> None:
    """The old stay ends where the new one begins, and it is believed again from there."""
    yard = Yard()
    first = yard.scan(0)
    assert yard.order("reset_passback", **ANNA)[2] == {"inside": True}
    second = yard.scan(0)
    assert second.verdict == 1
    assert second.session != first.session
    assert yard.counts() == (1, 0, 2)
    assert yard.scan(0).reason == 210
    yard.check()


def test_a_reset_lets_a_car_out_that_came_unseen() -> None:
    """Once: the next exit needs an entry again."""
    yard = Yard()
    assert yard.order("reset_passback", **ANNA)[2] == {"inside": False}
    assert yard.scan(1).verdict == 1
    assert yard.counts() == (-1, 0, 4)
    assert yard.scan(1).reason == 211
    yard.check()


def test_a_reset_is_used_up_by_an_entry_too() -> None:
    """The next sighting is taken, in or out; after it all is as before."""
    yard = Yard()
    yard.order("reset_passback", **ANNA)
    assert [yard.scan(lane).verdict for lane in (0, 1)] == [1, 1]
    assert yard.scan(1).reason == 211


def test_a_mode_outlives_a_restart_and_new_lanes() -> None:
    """What an operator closed stays closed."""
    yard = Yard()
    yard.order("set_lane", **GOOD["set_lane"])
    yard.lot = state.load(state.dump(yard.lot))
    assert yard.lane("r", 0).mode == 3
    assert yard.order("set_lane", **LANE | {"mode": 1})[2] == {"before": 3, "after": 1}


def test_what_was_opened_by_hand_leaves_no_trace_in_the_state() -> None:
    """Only its seq and its outcome."""
    yard = Yard(r=(lane_spec(0, "entry"),))
    yard.order("open_lane", **GOOD["open_lane"])
    assert yard.counts() == (0, 0, 3)
    yard.check()
