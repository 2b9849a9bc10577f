"""Random lives of a lot with ledger, limits and reconciliation: sums hold, replay equals memory."""

from __future__ import annotations

from random import Random

import pytest

from liftgate.codecs.events.ledger import LaneReconciled
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.tally import LANE_COUNTS
from tests.engine.core.lots import CARD, Yard, area, block, lane_spec, lot_spec

RULES = {
    "ledger": {"recount_at": ["06:00"], "drift_cars": 1},
    "limits": {
        "longest_stay_s": 7200,
        "longest_by_area": {"vip": 1800},
        "turn_round_s": 300,
        "closed": [{"from": "23:00", "to": "05:00"}],
    },
    "reconciliation": {},
}
AREAS = (area("north", None, block("P1", "A", 4)), area("vip", "north", block("P0", "V", 2)))


def a_yard(draw: Random) -> Yard:
    confirm = draw.random() < 0.5
    lanes = [lane_spec(0, "entry", confirm=confirm), lane_spec(1, "exit", confirm=not confirm)]
    lanes += [lane_spec(2, "entry", "vip", confirm=confirm), lane_spec(3, "exit", "vip")]
    lanes += [lane_spec(4, "both", confirm=True)]
    return Yard(lot_spec(*AREAS) | {"rules": RULES}, r=tuple(lanes))


def something(yard: Yard, draw: Random) -> None:
    lane, token = draw.randrange(5), bytes([draw.randrange(1, 7)])
    session = draw.choice([None, *yard.lot.moving, *yard.lot.lapsed])
    kind = draw.randrange(12)
    if kind < 4:
        yard.scan(lane, token)
    elif kind < 7:
        yard.passage(lane, draw.choice([1, 1, 1, 2, 3, 4]), session)
    elif kind == 7:
        at_ms = yard.now_ms - draw.randrange(10**7)
        yard.history(lane, 0x10, CARD, token, verdict=draw.choice([1, 2]), at_ms=at_ms)
    elif kind == 8:
        yard.history(lane, 0x12, draw.choice([1, 2, 3]), session)
    elif kind == 9:
        counted = {draw.choice(["north", "vip"]): draw.randrange(6)}
        yard.order("recount", counted=counted, actor="eve")
    elif kind == 10:
        yard.order("reset_passback", kind=CARD, token=token, actor="eve")
    else:
        yard.do(c.ConfigureLot(yard.now_ms, lot_spec(*AREAS[: draw.choice([1, 2])]) | {"rules": RULES}))


@pytest.mark.parametrize("seed", range(6))
def test_sums_hold_whatever_happens(seed: int) -> None:
    """After every event each area's ledger is its count; all numbers of a lane are in its rows, once."""
    draw = Random(seed)
    yard = a_yard(draw)
    rows = 0
    last: dict[int, int] = {}
    for _ in range(250):
        something(yard, draw)
        for event in yard.tick(draw.choice([100, 10_000, 1_000_000])):
            if isinstance(event, LaneReconciled):
                rows += event.counts[LANE_COUNTS.index("numbers")]
                assert event.hour > last.get(event.lane, 0)
                last[event.lane] = event.hour
        for place in yard.lot.areas.values():
            assert place.tally.sum() == place.inside + place.adrift
        if draw.random() < 0.05:
            yard.lot = state.load(state.dump(yard.lot))
    for _ in range(4):
        rows += sum(
            event.counts[LANE_COUNTS.index("numbers")]
            for event in yard.tick(3_600_000)
            if isinstance(event, LaneReconciled)
        )
    assert rows == yard.numbering("r", 7).done_to
    yard.check()
