"""Lanes: modes in layers, event days, tides and what is watched, each promise broken on its own."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, ONE, TWO, A, B, Stream

SET, ENDED, PLANNED, CANCELLED, OVER, HELD, RATE, DOWN, UP, TURNED = range(0x80, 0x8A)
RULES_SET, FINDING, VENDED = 0x3A, 0x3B, 0x33
FOLLOWED, FORCED = 3, 4
LANE = f"lane/{s.READER}/{s.IN}"
MINUTE_MS = 60_000
TIMED_OUT = "its time is over"


def day(rules: dict[str, Any] | None = None, zone: str = "UTC") -> Stream:
    """A lot with these rules for its lanes, in that time zone."""
    made = Stream(configured=False)
    lot = made.shape.made.lots[0]
    said = {} if rules is None else {"lanes": rules}
    made.shape.made.lots = (msgspec.structs.replace(lot, rules=said, timezone=zone),)
    spec = s.spec(made.shape.made.lots[0]) | ({"rules": said} if said else {})
    made.write([s.LOT_SET, spec], [s.READER_SET, s.READER, s.lane_specs()])
    return made


def set_mode(made: Stream, mode: int, for_s: int = 0, at: str = "lot", **body: Any) -> None:
    """An order for a scope, with the lanes that it should name."""
    args: dict[str, Any] = {"scope": at.partition("/")[0], "mode": mode, "actor": "ann"}
    args |= {"reader": s.READER, "lane": s.IN} if at == LANE else {}
    args |= {"area": at.partition("/")[2]} if at.startswith("area") else {}
    until_ms = made.at_ms + 1000 * for_s if for_s else 0
    effect = [SET, at, mode, until_ms, "ann", "", "", 0]
    names = {"changed": [], "kept": []} | body
    counts = {f"{name}_count": len(lanes) for name, lanes in names.items()}
    made.order(
        made.position.to_bytes(16, "big"),
        "set_mode",
        args | ({"for_s": for_s} if for_s else {}),
        effect,
        names | counts,
    )


ALL = [f"{s.READER}/{number}" for number in range(8)]


# -- modes


def test_the_most_specific_mode_holds() -> None:
    """A lane of its own keeps open in a closed lot; what has an end gives way to what lies beneath."""
    made = day()
    set_mode(made, 3, changed=ALL)
    set_mode(made, 1, 60, LANE, changed=ALL[:1])
    made.scan(A, s.IN, A1, ONE)
    made.scan(B, s.IN_LATER, reason=100)
    made.at_ms += MINUTE_MS
    made.write([ENDED, LANE, 1, made.at_ms, "", TIMED_OUT, "", 0])
    made.scan(B, s.IN, reason=100)
    assert made.kinds == []


def test_a_lane_that_opens_although_its_area_is_closed_is_found() -> None:
    """The area's mode is the lane's, where nothing is set at the lane."""
    made = day()
    set_mode(made, 3, at="area/out", changed=sorted(ALL))
    assert made.kinds == []
    made.scan(A, s.IN, A1, ONE)
    assert made.kinds == ["wrongly opened"]


def test_an_outcome_that_names_other_lanes_is_found() -> None:
    """Changed are those that nothing more specific keeps as they are."""
    made = day()
    set_mode(made, 3, 60, LANE, changed=ALL[:1])
    set_mode(made, 3, 0, "lot", changed=ALL)
    assert made.kinds == ["wrong outcome"]


@pytest.mark.parametrize(("after_ms", "times"), [(MINUTE_MS - 1, 1), (MINUTE_MS, 2)])
def test_a_mode_ends_once_and_not_before_its_time(after_ms: int, times: int) -> None:
    """Early, or a second time."""
    made = day()
    set_mode(made, 3, 60, LANE, changed=ALL[:1])
    until_ms = made.at_ms + MINUTE_MS
    made.at_ms += after_ms
    for _ in range(times):
        assert made.kinds == []
        made.write([ENDED, LANE, 3, until_ms, "", TIMED_OUT, "", 0])
    assert made.kinds == ["wrong end of a mode"]


def rested(made: Stream) -> list[str]:
    """What is found at the end, but for commands that nobody answered here."""
    made.rest()
    return [kind for kind in made.kinds if kind != "never answered"]


def test_a_mode_that_never_ends_is_found() -> None:
    """At the end all is over that has an end."""
    made = day()
    set_mode(made, 1, 60, LANE)
    made.at_ms += 2 * MINUTE_MS
    assert rested(made) == ["mode never ended"]


def test_a_reader_that_was_not_told_is_found() -> None:
    """By the decision it gets, and at the end."""
    made = day()
    set_mode(made, 5, 0, LANE, changed=ALL[:1])
    made.at_ms += 2 * MINUTE_MS
    no = made.scan(A, s.IN, reason=200)
    made.audit.lane_set(s.READER, s.IN, 5)
    made.audit.decision(s.READER, s.BOOT, no, [2, 200, None, None, "", None, 1, made.position])
    assert rested(made) == []
    made.audit.lane_set(s.READER, s.IN, 3)
    made.audit.decision(s.READER, s.BOOT, no, [2, 200, None, None, "", None, 1, made.position])
    assert made.kinds[-1] == "mode not told"


# -- event days


def planned(made: Stream, steps: list[Any] | None = None, holds: list[Any] | None = None) -> None:
    """An event day "derby" of ten minutes from now on; parts are (what, how many or which mode)."""
    span = [made.at_ms, made.at_ms + 10 * MINUTE_MS]
    args = {"name": "derby", "from_ms": span[0], "to_ms": span[1], "actor": "ann"}
    args |= {"steps": [{"scope": at, "mode": mode} for at, mode in steps or []]}
    args |= {"holds": [{"area": area, "places": places} for area, places in holds or []]}
    parts = [[[*span, *part] for part in found or []] for found in (steps, holds)]
    body = {"steps": len(parts[0]), "holds": len(parts[1])}
    made.order(b"p" * 16, "plan_event", args, [PLANNED, "derby", *span, *parts, "ann", ""], body)


def test_places_that_a_plan_keeps() -> None:
    """310 while no more are available than are kept, 300 where none is; over with the plan."""
    made = day({})
    planned(made, holds=[["out", 2]])
    made.write([HELD, "out", 2, "derby", 0])
    made.scan(A, s.IN, A1, ONE)
    made.scan(B, s.IN, reason=310)
    made.at_ms += 10 * MINUTE_MS
    made.write([HELD, "out", 0, "derby", 0], [OVER, "derby"])
    made.scan(B, s.IN, A2, TWO)
    assert made.kinds == []


@pytest.mark.parametrize(("places", "reason", "kind"), [
    (3, 0, "wrongly opened"), (2, 310, "wrongly refused"), (3, 300, "wrongly refused"),
])  # fmt: skip
def test_a_wrong_word_about_kept_places_is_found(places: int, reason: int, kind: str) -> None:
    """Opened against them, refused where more are there, or called full where it is not."""
    made = day({})
    planned(made, holds=[["out", places]])
    made.write([HELD, "out", places, "derby", 0])
    made.scan(A, s.IN, None if reason else A1, None if reason else ONE, reason=reason)
    assert made.kinds == [kind]


@pytest.mark.parametrize("on", [True, False])
def test_without_the_rules_nothing_is_kept(on: bool) -> None:
    """A plan goes on, and what it keeps counts again when the rules are back."""
    made = day({})
    planned(made, holds=[["out", 3]])
    made.write([HELD, "out", 3, "derby", 0])
    set_rules(made, None)
    if on:
        set_rules(made, {})
    made.scan(A, s.IN, None if on else A1, None if on else ONE, reason=310 if on else 0)
    assert made.kinds == []


def set_rules(made: Stream, lanes: dict[str, Any] | None) -> None:
    """These hold for the lot's lanes now; None: it has none any more."""
    args = {"rules": {"lanes": lanes}, "actor": "ann"}
    rules = {} if lanes is None else {"lanes": lanes}
    effect = [RULES_SET, rules, "ann", ""]
    made.order(made.position.to_bytes(16, "big"), "set_rules", args, effect, {"themes": [*rules]})


@pytest.mark.parametrize(("events", "kind"), [
    ([[SET, "lot", 3, 10, "ann", "", "derby", 0]], "wrong step"),
    ([[HELD, "out", 1, "fair", 1]], "wrong step"),
    ([[ENDED, "lot", 3, 10, "", TIMED_OUT, "derby", 0]], "wrong step"),
    ([[OVER, "derby"]], "wrong end of a plan"),
    ([[SET, "lot", 2, 10, "ann", "", "derby", 0], [HELD, "out", 1, "derby", 1], [HELD, "out", 0, "derby", 1]],
     "ended early"),
])  # fmt: skip
def test_a_step_that_was_not_planned_so_is_found(events: list[list[Any]], kind: str) -> None:
    """Another mode, another plan's, an end without its beginning, the plan's end before its time."""
    made = day({})
    planned(made, steps=[["lot", 2]], holds=[["out", 1]])
    until_ms = made.at_ms + 10 * MINUTE_MS
    made.write(*([until_ms if value == 10 else value for value in event] for event in events))
    made.write([s.LANE, s.READER, s.BOOT, made.make(s.LANE, [s.IN, 0, False, []]), s.IN, 0, False, []])
    assert made.kinds[0] == kind


def test_a_plan_that_is_not_carried_out_is_found() -> None:
    """At the end nothing is due."""
    made = day({})
    planned(made, holds=[["out", 1]])
    made.at_ms += MINUTE_MS
    assert rested(made) == ["plan not carried out"]


def test_a_plan_that_is_cancelled_ends_what_it_began() -> None:
    """In the same record, before it is gone; what goes on is found."""
    for whole in (True, False):
        made = day({})
        planned(made, steps=[["lot", 5]])
        until_ms = made.at_ms + 10 * MINUTE_MS
        made.write([SET, "lot", 5, until_ms, "ann", "", "derby", 0])
        made.audit.command(s.DESK, b"c" * 16, s.LOT, "cancel_plan", {"name": "derby", "actor": "bob"})
        end = [ENDED, "lot", 5, until_ms, "bob", "the plan was cancelled", "derby", 0]
        done = [s.DONE, b"c" * 16, s.DESK, "cancel_plan", True, "", {"ended": 1}]
        made.write(*([end] if whole else []), [CANCELLED, "derby", "bob", ""], done)
        assert made.kinds == ([] if whole else ["wrong end of a plan"])


# -- tides

TIDE = {
    "clearing_s": 60,
    "tides": [{"reader": s.READER, "lane": s.BOTH, "schedule": [{"at": "00:00", "run": "in"}]}],
}


def turned(made: Stream, run: str = "in", clearing_ms: int = MINUTE_MS) -> None:
    """By the schedule."""
    made.write([TURNED, s.READER, s.BOTH, run, made.at_ms + clearing_ms, 0, "", ""])


def test_a_tidal_lane_lets_through_one_way_and_nobody_while_it_clears() -> None:
    """By the schedule, from when the lane is clear on."""
    made = day(TIDE)
    turned(made)
    made.scan(A, s.BOTH, reason=100)
    made.at_ms += MINUTE_MS
    made.scan(A, s.BOTH, A1, ONE)
    made.scan(A, s.BOTH, reason=100, way=2, session=ONE)
    assert rested(made) == []


def test_without_the_rules_a_lane_runs_both_ways() -> None:
    """At once, though its tide turns off only a moment later."""
    made = day(TIDE)
    made.scan(A, s.IN, A1, ONE)
    turned(made)
    set_rules(made, None)
    made.scan(A, s.BOTH, None, ONE, way=2)
    assert made.kinds == []


@pytest.mark.parametrize("later_ms", [0, MINUTE_MS])
def test_who_goes_against_the_tide_is_found(later_ms: int) -> None:
    """Before the lane is clear, or out while it runs in."""
    made = day(TIDE)
    made.scan(A, s.IN, A1, ONE)
    turned(made)
    made.at_ms += later_ms
    made.scan(A, s.BOTH, None, ONE, way=2)
    assert made.kinds == ["wrongly opened"]


@pytest.mark.parametrize(("run", "clearing_ms"), [("out", MINUTE_MS), ("in", 1)])
def test_a_tide_that_turns_otherwise_is_found(run: str, clearing_ms: int) -> None:
    """Another way than the schedule says, or without its time to clear."""
    made = day(TIDE)
    turned(made, run, clearing_ms)
    assert made.kinds == ["wrong tide"]


@pytest.mark.parametrize(("zone", "run"), [("UTC", "out"), ("Europe/Berlin", "in")])
def test_a_tide_turns_by_the_clock_of_its_lot(zone: str, run: str) -> None:
    """At 8 in the morning UTC it is 9 in Berlin."""
    schedule = [{"at": "08:00", "run": "out"}, {"at": "09:00", "run": "in"}]
    rules = TIDE | {"tides": [TIDE["tides"][0] | {"schedule": schedule}]}  # type: ignore[index]
    for other in ("in", "out"):
        made = day(rules, zone)
        turned(made, other)
        assert made.kinds == ([] if other == run else ["wrong tide"])


def test_of_two_turns_at_one_moment_the_later_in_the_list_holds() -> None:
    """When Berlin's clocks go forth 02:30 is 03:30."""
    schedule = [{"at": "02:30", "run": "out"}, {"at": "03:30", "run": "in"}]
    made = day(TIDE | {"tides": [TIDE["tides"][0] | {"schedule": schedule}]}, "Europe/Berlin")  # type: ignore[index]
    made.at_ms = int(datetime(2027, 3, 28, 1, 30, tzinfo=UTC).timestamp()) * 1000
    turned(made, "in")
    assert made.kinds == []


def test_a_tide_that_never_turns_is_found() -> None:
    """At the end the lane runs as its schedule says."""
    assert rested(day(TIDE)) == ["tide never turned"]


# -- what is watched


def forced(made: Stream, times: int) -> None:
    for _ in range(times):
        made.passage(s.IN, FORCED, "", None)


def exceeded(count: int) -> list[list[Any]]:
    about = {"reader": s.READER, "lane": s.IN, "count": count, "most": 1}
    return [[RATE, s.READER, s.IN, "forced_barriers", count], [FINDING, "forced_barriers", "", about]]


@pytest.mark.parametrize(("times", "apart_ms", "events", "kind"), [
    (2, 0, exceeded(2), ""),
    (1, 0, exceeded(2), "wrong rate"),
    (2, 60 * MINUTE_MS, exceeded(2), "wrong rate"),
    (2, 0, exceeded(2)[:1], "wrong finding of lanes"),
    (2, 0, exceeded(2)[1:], "wrong finding of lanes"),
    (2, 0, [], "rate not found"),
])  # fmt: skip
def test_a_rate_is_one_finding(times: int, apart_ms: int, events: list[list[Any]], kind: str) -> None:
    """Of more than the rules take, within an hour; never without the other."""
    made = day({"forced_max": 1})
    for _ in range(times):
        forced(made, 1)
        made.at_ms += apart_ms
    if events:
        made.write(*events)
    made.at_ms += 3_000
    forced(made, 1 if events else 0)
    assert (rested(made) or [""])[0] == kind


@pytest.mark.parametrize(("apart_ms", "kind"), [(59 * MINUTE_MS, "rate not found"), (60 * MINUTE_MS, "")])
def test_times_further_apart_than_an_hour_are_no_rate_when_the_lot_changes(apart_ms: int, kind: str) -> None:
    """They are kept, and counted by the hour when rules or the configuration are read again."""
    made = day({"forced_max": 2})
    for _ in range(3):
        forced(made, 1)
        made.at_ms += apart_ms // 2
    made.write([s.LOT_SET, s.spec(made.shape.made.lots[0]) | {"rules": {"lanes": {"forced_max": 2}}}])
    made.at_ms += 3_000
    assert (rested(made) or [""])[0] == kind


def down(made: Stream, silent_ms: int) -> list[list[Any]]:
    since_ms = made.at_ms - silent_ms
    about = {"reader": s.READER, "lanes": list(range(8)), "since_ms": since_ms}
    return [[DOWN, s.READER, list(range(8)), since_ms], [FINDING, "lane_down", "", about]]


def test_a_reader_is_down_once_until_it_is_heard() -> None:
    """Down, up when it spoke, and down again; twice is found."""
    made = day({"down_after_s": 60})
    made.at_ms += 5 * MINUTE_MS
    since_ms = made.at_ms - MINUTE_MS
    made.write(*down(made, MINUTE_MS))
    made.audit.spoke(s.READER)
    made.write([UP, s.READER, list(range(8)), since_ms])
    made.write(*down(made, MINUTE_MS))
    assert made.kinds == []
    made.write(*down(made, MINUTE_MS))
    assert made.kinds == ["wrongly down"]


def test_a_reader_that_was_heard_is_not_down() -> None:
    """Not before so much silence, and not since a time before its last scan."""
    for since_ms in (MINUTE_MS - 1, 2 * MINUTE_MS):
        made = day({"down_after_s": 60})
        made.at_ms += 5 * MINUTE_MS
        made.scan(A, s.OUT, reason=211)
        made.at_ms += MINUTE_MS
        made.write(*down(made, since_ms))
        assert made.kinds == ["wrongly down"]


@pytest.mark.parametrize("was_down", [True, False])
def test_a_reader_that_was_not_heard_is_not_up(was_down: bool) -> None:
    """Nor one that was not down."""
    made = day({"down_after_s": 60})
    made.at_ms += 5 * MINUTE_MS
    since_ms = made.at_ms - MINUTE_MS
    if was_down:
        made.write(*down(made, MINUTE_MS))
    made.write([UP, s.READER, list(range(8)), since_ms])
    assert made.kinds == ["wrongly up"]


def test_a_barrier_that_is_raised_for_another_cause_is_found() -> None:
    """The lot takes only those of its list."""
    for cause in ("ambulance", "fun"):
        made = day({"vend_causes": ["ambulance"]})
        args = {"reader": s.READER, "lane": s.IN, "cause": cause, "actor": "ann"}
        made.order(b"v" * 16, "open_lane", args, [VENDED, s.READER, s.IN, cause, "ann"], {})
        assert made.kinds == ([] if cause == "ambulance" else ["wrong cause"])
