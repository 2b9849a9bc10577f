"""Commands: done once, as told, and answered alike."""

from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, A, Stream

ID = b"i" * 16
CARD = b"\x02" + A
WHY = {"actor": "ann", "reason": ""}
OF_CARD = {"kind": 2, "token": A, "actor": "ann"}
AT_LANE = {"reader": s.READER, "lane": s.IN, "actor": "ann"}
GOOD: list[tuple[str, dict[str, Any], list[Any], dict[str, Any]]] = [
    ("set_lane", AT_LANE | {"mode": 3}, [0x32, s.READER, s.IN, 3, "ann", ""], {"before": 1, "after": 3}),
    ("open_lane", AT_LANE | {"cause": "x"}, [0x33, s.READER, s.IN, "x", "ann"], {}),
    ("display", AT_LANE | {"text": "t", "seconds": 5}, [0x34, s.READER, s.IN, "t", 5, "ann"], {}),
    ("deny_credential", OF_CARD | {"reason": "lost"}, [0x35, CARD, "ann", "lost"], {"inside": False}),
    ("register_credential", OF_CARD, [0x37, CARD, ["standard"], "ann"], {"new": True}),
    ("reset_passback", OF_CARD, [0x39, CARD, "ann", ""], {"inside": False}),
]


@pytest.mark.parametrize(("name", "args", "effect", "body"), GOOD)
def test_an_order_that_is_obeyed(
    name: str, args: dict[str, Any], effect: list[Any], body: dict[str, Any]
) -> None:
    """Its change, that it is done, and its outcome as often as it is sent again."""
    day = Stream()
    position = day.order(ID, name, args, effect, body)
    for _ in range(2):
        day.audit.outcome(s.DESK, ID, True, "", body, position)
    assert day.kinds == []
    day.audit.outcome(s.DESK, ID, True, "", {"other": 1}, position)
    assert "outcome otherwise" in day.kinds


@pytest.mark.parametrize(("name", "args", "effect", "body"), GOOD)
def test_another_change_than_was_ordered_is_found(
    name: str, args: dict[str, Any], effect: list[Any], body: dict[str, Any]
) -> None:
    """Another actor, or no change at all."""
    for changed in ([*effect[:-1], "bob"] if effect[-1] == "ann" else [*effect[:-1], "?"], []):
        day = Stream()
        day.order(ID, name, args, changed, body)
        assert day.kinds[0] == "did otherwise"


def test_a_wrong_body_is_found() -> None:
    """What an outcome says of before and after is so."""
    name, args, effect, _ = GOOD[0]
    day = Stream()
    day.order(ID, name, args, effect, {"before": 2, "after": 3})
    assert day.kinds == ["wrong outcome"]


def test_a_command_that_is_done_twice_is_found() -> None:
    """Sent again, an order changes nothing more."""
    name, args, effect, body = GOOD[4]
    day = Stream()
    day.order(ID, name, args, effect, body)
    day.order(ID, name, args, effect, {"new": False})
    assert day.kinds == ["done twice"]


@pytest.mark.parametrize("service", ["nobody", s.DESK])
def test_a_change_without_a_command_is_found(service: str) -> None:
    """An order that no service sent, or a change that no order follows."""
    day = Stream()
    if service == s.DESK:
        day.write(GOOD[0][2])
        day.scan(A, s.OUT, reason=211)
        assert day.kinds == ["no command"]
    else:
        day.write(GOOD[0][2], [s.DONE, ID, service, "set_lane", True, "", {}])
        assert day.kinds == ["nobody's command"]


@pytest.mark.parametrize(("name", "args", "code", "kinds"), [
    ("allow_credential", OF_CARD, "not_denied", []),
    ("forget_credential", OF_CARD, "not_known", []),
    ("forget_credential", OF_CARD, "not_denied", ["wrongly refused"]),
    ("correct_count", {"area": "x", "to": 1, **WHY}, "no_such_area", []),
    ("correct_count", {"area": "in", "to": 1, **WHY}, "no_such_area", ["wrongly refused"]),
    ("correct_count", {"area": "in", "to": -1, **WHY}, "bad_args", []),
    ("set_lane", AT_LANE | {"mode": 6}, "bad_args", []),
    ("set_lane", AT_LANE | {"mode": 5}, "bad_args", ["wrongly refused"]),
    ("set_lane", AT_LANE | {"mode": 5, "lane": 99}, "no_such_lane", []),
    ("set_lane", AT_LANE | {"mode": 5}, "reader_away", ["wrongly refused"]),
    ("open_lane", AT_LANE | {"cause": "x"}, "reader_away", []),
    ("open_lane", AT_LANE, "bad_args", []),
    ("dance", {}, "unknown_command", []),
])  # fmt: skip
def test_a_refusal_is_true(name: str, args: dict[str, Any], code: str, kinds: list[str]) -> None:
    """And changes nothing."""
    day = Stream()
    day.audit.command(s.DESK, ID, s.LOT, name, args)
    day.write([s.DONE, ID, s.DESK, name, False, code, {"text": "no"}])
    assert day.kinds == kinds


@pytest.mark.parametrize(("lot", "name", "code", "kinds"), [
    (s.LOT, "open_lane", "", ["answered, not durable"]),
    (s.LOT, "set_lane", "not_allowed", []),
    (s.LOT, "open_lane", "not_allowed", ["answered, not durable"]),
    ("south", "open_lane", "no_such_lot", []),
    (s.LOT, "open_lane", "no_such_lot", ["answered, not durable"]),
])  # fmt: skip
def test_an_outcome_without_a_record(lot: str, name: str, code: str, kinds: list[str]) -> None:
    """Only of what no lot was asked."""
    day = Stream()
    day.audit.command(s.DESK, ID, lot, name, {})
    day.audit.outcome(s.DESK, ID, not code, code, {}, 2)
    assert day.kinds == kinds


def test_a_command_without_an_outcome_is_found_at_the_end() -> None:
    """Done or not."""
    name, args, effect, body = GOOD[0]
    day = Stream()
    day.order(ID, name, args, effect, body)
    day.rest()
    assert day.kinds == ["never answered"]


def test_a_scan_for_somebody_is_the_readers_own() -> None:
    """Its outcome is the decision on record, under the reader's own name for it."""
    day = Stream()
    args = {"reader": s.READER, "boot": 9, "no": 1, "lane": s.IN, "kind": 2, "token": A, "at_ms": day.at_ms}
    day.audit.command(s.DESK, ID, s.LOT, "read_credential", args)
    body = {"no": 1, "verdict": 1, "reason": 0, "session": ONE}
    day.write([s.SCAN, s.READER, 9, 1, s.IN, 2, A, 0, 1, 1, 0, 1, "out", ONE, A1, None])
    day.audit.outcome(s.DESK, ID, True, "", body, 3)
    assert day.kinds == []
    day.audit.outcome(s.DESK, ID, True, "", body | {"verdict": 2}, 3)
    assert day.kinds[0] == "outcome otherwise"
