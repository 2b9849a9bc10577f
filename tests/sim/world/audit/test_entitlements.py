"""Entitlements, classes of spots and chargers: what the auditor holds of them, and each way to break it."""

from typing import Any

import msgspec
import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, ONE, THREE, TWO, A, B, C, Stream

HELD = {"credentials": [{"kind": 2, "token": A}]}
PERMIT = "P1-B-001"
NINE_MS = s.START_MS + 3_600_000
"""09:00 on the day of the streams."""


class Day(Stream):
    """A stream in a lot with rules for passes, and for classes if given."""

    def __init__(self, classes: dict[str, Any] | None = None, **entitlements: Any) -> None:
        super().__init__(configured=False)
        rules = {"entitlements": entitlements} | ({"classes": classes} if classes else {})
        lot = self.shape.made.lots[0]
        self.shape.made.lots = (msgspec.structs.replace(lot, rules=rules),)
        self.write([s.LOT_SET, s.spec(lot) | {"rules": rules}], [s.READER_SET, s.READER, s.lane_specs()])
        assert self.kinds == []

    def order(
        self, id: bytes, name: str, args: dict[str, Any], effect: list[Any], body: dict[str, Any]
    ) -> int:
        """As a Stream's, and its outcome came."""
        position = super().order(id, name, args, effect, body)
        self.audit.outcome(s.DESK, id, True, "", body, position)
        return position

    def issue(self, name: str = "p", **said: Any) -> None:
        """A pass, A's unless said otherwise."""
        args = {"name": name, **HELD, **said, "actor": "ann"}
        tokens = [bytes([c["kind"]]) + c["token"] for c in args["credentials"]]
        limits = {"from_ms": said.get("valid_from"), "until_ms": said.get("valid_until")}
        open = {"weekly": [], "areas": [], "classes": [], "uses": None, "host": ""}
        rest = {field: said.get(field, value) for field, value in open.items()}
        spec = {"name": name, "credentials": tokens, **limits, **rest}
        self.order(self.position.to_bytes(16, "big"), "issue_pass", args, [0x40, spec, "ann", ""], limits)

    def group(self, *tokens: bytes, over: str = "refuse", limit: int | None = 1, **areas: int) -> None:
        """A group of these."""
        add = [{"kind": 2, "token": token} for token in tokens]
        args = {"name": "g", "limit": limit, "areas": areas, "over": over, "add": add, "actor": "ann"}
        names = [b"\x02" + token for token in tokens]
        effect = [0x44, "g", limit, areas, over, names, [], "ann", ""]
        body = {"members": len(tokens)}
        self.order(self.position.to_bytes(16, "big"), "set_group", args, effect, body)

    def enter(self, token: bytes, spot: str | None, session: bytes, *, told: int = 0, **marks: Any) -> None:
        """An opened entry with marks, and perhaps a reason that was let by; `lane` among the marks."""
        lane = marks.pop("lane", s.IN)
        no = self.make(s.SCAN, [lane, 2, token])
        effect, rare = (2 if lane == s.IN_LATER else 1), [None, None, marks] if marks else None
        head = [s.SCAN, s.READER, s.BOOT, no, lane, 2, token, 0, 1]
        self.write([*head, 1, told, effect, "in" if lane == s.INNER_IN else "out", session, spot, rare])


def test_a_day_of_passes_and_a_group() -> None:
    """All as it should be: a code is used once, a group is full, who leaves makes room."""
    day = Day()
    day.issue(uses=1)
    day.group(B, C)
    day.enter(A, A1, ONE, **{"pass": "p"})
    day.scan(A, s.OUT, session=ONE)
    day.scan(A, s.IN, reason=204)
    day.enter(B, A1, TWO, group="g")
    day.scan(C, s.IN, reason=302)
    day.scan(B, s.OUT, session=TWO)
    day.enter(C, A1, THREE, group="g")
    assert day.kinds == []


@pytest.mark.parametrize(("said", "reason"), [
    ({"valid_from": NINE_MS}, 202),
    ({"valid_until": s.START_MS - 1}, 202),
    ({"valid_until": s.START_MS}, 202),
    ({"valid_until": s.START_MS + 1}, 0),
    ({"weekly": [{"days": ["fri"], "from": "09:00", "to": "10:00"}]}, 220),
    ({"weekly": [{"days": ["sat"], "from": "08:00", "to": "10:00"}]}, 220),
    ({"weekly": [{"days": ["fri"], "from": "08:00", "to": "10:00"}]}, 0),
    ({"weekly": [{"days": ["thu"], "from": "23:00", "to": "08:01"}]}, 0),
])  # fmt: skip
def test_a_pass_lets_in_when_it_is_valid_and_only_then(said: dict[str, Any], reason: int) -> None:
    """Its end does not belong to it; a night is the day's that it began on."""
    for refuses in (False, True):
        day = Day()
        day.issue(**said)
        if refuses:
            day.scan(A, s.IN, reason=reason or 220)
        else:
            day.enter(A, A1, ONE, **{"pass": "p"})
        assert day.kinds[:1] == ([] if refuses == bool(reason) else [day.kinds[0]])


def test_an_outsider_in_an_area_for_holders_is_refused_with_200_and_no_other_reason() -> None:
    """B holds nothing."""
    day = Day(holders_only=["out"])
    day.issue()
    day.scan(B, s.IN, reason=200)
    day.enter(A, A1, ONE, **{"pass": "p"})
    assert day.kinds == []
    day.enter(B, A2, TWO)
    assert day.kinds == ["wrongly opened"]


def test_a_pass_outside_its_time_parks_as_anybody_only_with_its_reason_and_its_mark() -> None:
    """outside = "casual": opened, told, marked."""
    for told, marks, kinds in (
        (202, {"casual": 202}, []),
        (0, {"casual": 202}, ["wrongly opened"]),
        (202, {}, ["wrong marks"]),
    ):
        day = Day(outside="casual")
        day.issue(valid_until=1)
        day.enter(A, A1, ONE, told=told, **marks)
        assert day.kinds[:1] == kinds


@pytest.mark.parametrize("marks", [{}, {"pass": "q"}, {"pass": "p", "group": "g"}, {"casual": 202}])
def test_an_entry_is_marked_with_what_it_came_in_by(marks: dict[str, Any]) -> None:
    """With that pass, and nothing else."""
    day = Day()
    day.issue()
    day.enter(A, A1, ONE, **marks)
    assert day.kinds == ["wrong marks"]


def test_a_code_is_used_by_the_passage_and_promised_before_it() -> None:
    """While one waits with the last use, another is refused; after a lapse the use is there again."""
    both = [{"kind": 2, "token": A}, {"kind": 2, "token": B}]
    day = Day()
    day.issue(uses=1, credentials=both)
    day.enter(A, A1, ONE, lane=s.IN_LATER, **{"pass": "p"})
    day.scan(B, s.IN, reason=204)
    day.at_ms += 60_000
    day.write([s.LAPSED, ONE])
    day.enter(B, A1, TWO, lane=s.IN_LATER, **{"pass": "p"})
    day.passage(s.IN_LATER, 1, "moved", TWO, told=TWO)
    assert day.kinds == []
    day.enter(A, A2, THREE, **{"pass": "p"})
    assert day.kinds == ["wrong marks", "wrongly opened"]


def test_who_is_too_many_for_a_group_parks_as_anybody_where_it_says_so() -> None:
    """Told and marked, and counting for the group no more."""
    day = Day()
    day.group(A, B, C, over="casual", out=1, limit=None)
    day.enter(A, A1, ONE, group="g")
    day.enter(B, A2, TWO, told=302, casual=302)
    day.scan(A, s.OUT, session=ONE)
    day.enter(C, A1, THREE, group="g")
    assert day.kinds == []
    day.scan(C, s.OUT, session=THREE)
    day.enter(C, A1, s.session(4), told=302, casual=302)
    assert day.kinds == ["wrong marks", "wrongly opened"]


@pytest.mark.parametrize(("fallback", "spot"), [({}, None), ({"permit": ["standard"]}, A1)])
def test_a_full_class_falls_back_as_the_lot_says(fallback: dict[str, Any], spot: str | None) -> None:
    """A pass for permit spots, of which there is one."""
    day = Day(classes={"fallback": fallback})
    day.issue(classes=["permit"], credentials=[{"kind": 2, "token": A}, {"kind": 2, "token": B}])
    day.enter(A, PERMIT, ONE, **{"pass": "p"})
    if spot is None:
        day.scan(B, s.IN, reason=301)
    else:
        day.enter(B, spot, TWO, **{"pass": "p"})
    assert day.kinds == []
    day.scan(C, s.IN, reason=301)
    assert day.kinds == ["wrongly refused"]


def test_a_car_that_was_let_in_alone_uses_its_pass_and_its_class() -> None:
    """History is a use even beyond the last, with a spot of the pass's class."""
    for spot, kinds in ((PERMIT, []), (A1, ["wrong spot"])):
        day = Day()
        day.issue(uses=1, classes=["permit"])
        day.history(A, s.IN, "moved", ONE, spot)
        assert day.kinds == kinds
    day = Day()
    day.issue(uses=1)
    day.history(A, s.IN, "moved", ONE, A1)
    day.scan(A, s.OUT, session=ONE)
    day.enter(A, A1, TWO, **{"pass": "p"})
    assert day.kinds == ["wrong marks", "wrongly opened"]


def test_a_pass_is_forgotten_in_time_and_no_earlier() -> None:
    """keep_s after its end."""
    for after_ms, kinds in ((0, ["forgotten too early"]), (3_600_000, [])):
        day = Day(keep_s=3600)
        day.issue(valid_until=s.START_MS)
        day.at_ms += after_ms
        day.write([0x43, "p"])
        assert day.kinds == kinds
    day = Day(keep_s=3600)
    day.issue(valid_until=s.START_MS)
    day.at_ms += 3_700_000
    day.rest()
    assert day.kinds == ["never forgotten"]


def test_what_a_query_says_of_passes_and_groups() -> None:
    """Uses and counts as they are on record."""
    for used, kinds in ((1, []), (0, ["query otherwise"])):
        day = Day()
        day.issue()
        day.enter(A, A1, ONE, **{"pass": "p"})
        day.audit.asked(s.DESK, s.LOT, "pass", {"name": "p"})
        body = day.audit.lots[s.LOT].entitled.passes["p"].spec | {"used": used}
        day.audit.answer(s.DESK, s.LOT, "pass", {"name": "p"}, True, "", body)
        assert day.kinds == kinds


# -- chargers


def charged(grace_s: int = 60) -> Day:
    """A is full at A1 since the stream's start."""
    day = Day(classes={"full_grace_s": grace_s})
    day.enter(A, A1, ONE)
    args = {"spot": A1, "state": "full", "actor": "box"}
    body = {"spot": A1, "session": ONE}
    day.order(b"c" * 16, "charger_reports", args, [0x48, A1, ONE, "full", "box"], body)
    assert day.kinds == []
    return day


def tell(day: Day, since_ms: int = s.START_MS) -> None:
    about = {"spot": A1, "session": ONE, "full_since_ms": since_ms}
    day.write([0x3B, "blocks charger", "full", about], [0x49, A1, ONE, since_ms])


@pytest.mark.parametrize(("after_ms", "leaves", "times", "kinds"), [
    (60_000, False, 1, []),
    (59_999, False, 1, ["told too early"]),
    (60_000, False, 2, ["wrong charger"]),
    (60_000, True, 1, ["wrong charger"]),
    (70_000, False, 0, ["never told"]),
    (70_000, True, 0, []),
])  # fmt: skip
def test_a_full_car_is_told_of_once_in_time(
    after_ms: int, leaves: bool, times: int, kinds: list[str]
) -> None:
    """Not of one that left."""
    day = charged()
    day.at_ms += after_ms
    if leaves:
        day.scan(A, s.OUT, session=ONE)
    for _ in range(times):
        tell(day)
    if not kinds or kinds == ["never told"]:
        day.rest()
    assert [kind for kind in day.kinds if kind != "never answered"] == kinds


def test_a_report_names_who_is_at_the_spot() -> None:
    """Nobody else, and not nobody."""
    day = Day(classes={"full_grace_s": 60})
    day.enter(A, A1, ONE)
    args = {"spot": A1, "state": "full", "actor": "box"}
    body = {"spot": A1, "session": None}
    day.order(b"c" * 16, "charger_reports", args, [0x48, A1, None, "full", "box"], body)
    assert day.kinds == ["did otherwise"]
