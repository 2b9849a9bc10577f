"""Configuration is journalled where it changes, and never fails for the cars inside."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.engine.core import commands as c
from tests.engine.core.lots import CONFIRMED, IN_AND_OUT, Yard, area, block, lane_spec, lot_spec

NORTH = area("north", None, block("P1", "A", 3))
WITH_VIP = lot_spec(NORTH, area("vip", "north", block("P0", "V", 2)))


def configure(yard: Yard, spec: dict[str, Any]) -> int:
    events = yard.do(c.ConfigureLot(yard.now_ms, spec))
    yard.check()
    return len(events)


def reader(yard: Yard, name: str, *lanes: tuple[Any, ...]) -> int:
    events = yard.do(c.ConfigureReader(yard.now_ms, name, lanes))
    yard.check()
    return len(events)


def test_what_is_in_force_is_not_configured_again() -> None:
    """The same file at the next start makes no event."""
    yard = Yard()
    assert configure(yard, lot_spec()) == 0
    assert reader(yard, "r", *IN_AND_OUT) == 0
    assert reader(yard, "nobody") == 0
    assert configure(yard, lot_spec(confirm_ms=1)) == 1
    assert reader(yard, "r", lane_spec(0, "exit")) == 1


def test_areas_may_stand_in_any_order() -> None:
    """An inner area before its outer one."""
    yard = Yard(lot_spec(*reversed(WITH_VIP["areas"])), r=IN_AND_OUT)
    assert list(yard.lot.areas) == ["north", "vip"]
    assert yard.lot.outermost.id == "north"
    yard.scan(0)
    yard.check()


def test_a_larger_block_has_more_room() -> None:
    """And who is in keeps the spot."""
    yard = Yard(lot_spec(area("north", None, block("P1", "A", 1))))
    yard.scan(0)
    assert yard.scan(0, b"boris").reason == 300
    configure(yard, lot_spec())
    assert yard.scan(0, b"boris").spot == "P1-A-002"
    assert yard.scan(1).verdict == 1
    assert yard.scan(0, b"chloe").spot == "P1-A-001"


def test_a_car_whose_spot_is_gone_is_still_counted() -> None:
    """A block shrinks below the cars in it: available is negative, exits open, no spot is given twice."""
    yard = Yard()
    for token in (b"a", b"b", b"c"):
        yard.scan(0, token)
    configure(yard, lot_spec(area("north", None, block("P1", "A", 1))))
    assert yard.counts() == (3, 0, -2)
    assert [yard.scan(1, token).verdict for token in (b"c", b"b")] == [1, 1]
    assert yard.scan(0, b"d").reason == 300
    yard.scan(1, b"a")
    assert yard.scan(0, b"d").spot == "P1-A-001"
    yard.check()


def test_a_block_that_is_gone_leaves_its_cars_in_the_area() -> None:
    """They leave as they came."""
    yard = Yard()
    yard.scan(0)
    configure(yard, lot_spec(area("north", None, block("P9", "Z", 1))))
    assert yard.counts() == (1, 0, 0)
    assert yard.scan(1).verdict == 1
    assert yard.scan(0, b"boris").spot == "P9-Z-001"


def test_an_area_that_is_gone_leaves_its_cars_in_the_outermost() -> None:
    """With their count without names, and its lanes lead there."""
    yard = Yard(WITH_VIP, r=IN_AND_OUT, v=(lane_spec(0, "entry", "vip"),))
    yard.scan(0)
    yard.scan(0, reader="v")
    yard.passage(0, 3, reader="v")
    configure(yard, lot_spec())
    assert yard.counts() == (1, 0, 2)
    assert yard.lane("v", 0).area.id == "north"
    assert yard.scan(1).verdict == 1
    configure(yard, WITH_VIP)
    assert yard.lane("v", 0).area.id == "vip"


def test_a_car_at_the_barrier_keeps_its_promise() -> None:
    """Its hold, its spot and its session, through a change of the lot and of the lane."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    configure(yard, lot_spec(area("north", None, block("P1", "A", 2), block("P1", "B", 1))))
    reader(yard, "r", lane_spec(0, "entry", confirm=True), lane_spec(5, "exit"))
    assert yard.counts() == (0, 1, 2)
    assert yard.scan(0, b"boris").spot == "P1-A-002"
    assert yard.passage(0).session == entered.session
    assert yard.scan(5).verdict == 1


def test_a_car_at_a_barrier_whose_spot_is_gone_may_still_enter() -> None:
    """Without a spot, also at a second scan, in memory as in replay."""
    yard = Yard(r=CONFIRMED)
    entered = yard.scan(0)
    configure(yard, lot_spec(assign="area"))
    again = yard.scan(0)
    assert (again.session, again.spot) == (entered.session, None)
    yard.passage(0, 1, entered.session)
    assert yard.counts() == (1, 0, 2)
    yard.check()


def test_a_car_before_a_lane_that_is_gone_still_passes_or_lapses() -> None:
    """By its session, or by time."""
    yard = Yard(r=CONFIRMED, s=(lane_spec(0, "exit"),))
    first, second = yard.scan(0, b"a"), yard.scan(0, b"b")
    reader(yard, "r")
    assert yard.passage(0, 1, first.session, reader="s").effect == "moved"
    assert [event.session for event in yard.tick(60_000)] == [second.session]
    yard.check()


@pytest.mark.parametrize("assign", ["area", "count"])
def test_a_lot_that_stops_assigning_spots_keeps_its_cars(assign: str) -> None:
    """And takes the names up again when it assigns them anew."""
    yard = Yard()
    yard.scan(0)
    configure(yard, lot_spec(assign=assign))
    assert yard.scan(0, b"boris").spot == "P1-A"
    assert yard.counts() == (2, 0, 1)
    configure(yard, lot_spec())
    assert yard.scan(0, b"chloe").spot == "P1-A-001"
    assert yard.scan(0, b"dmitri").reason == 300


def test_a_reader_that_is_gone_is_remembered() -> None:
    """Its numbers stay known: should its name come back, nothing is decided twice."""
    yard = Yard()
    entered = yard.scan(0, no=1)
    reader(yard, "r")
    assert yard.lot.readers["r"].lanes == {}
    reader(yard, "r", *IN_AND_OUT)
    assert yard.scan(0, no=1) is entered


def test_gates_change_the_order_from_the_next_car_on() -> None:
    """Nothing is remembered of the order before."""
    blocks = area("north", None, block("P1", "A", 2), block("P2", "B", 2))
    yard = Yard(lot_spec(blocks, gates={"west": ["P1-A"]}), r=(lane_spec(0, "entry", gate="west"),))
    assert yard.scan(0, b"a").spot == "P1-A-001"
    configure(yard, lot_spec(blocks, gates={"west": ["P2-B"]}))
    assert yard.scan(0, b"b").spot == "P2-B-001"
    configure(yard, lot_spec(blocks))
    assert yard.scan(0, b"c").spot == "P1-A-002"


def test_a_lane_that_a_reader_gets_back_is_told_its_mode() -> None:
    """The box may remember how it worked when it had it last; a first configuration has nothing to tell."""
    yard = Yard(r=IN_AND_OUT)
    assert not yard.lot.readers["r"].lanes[1].mode_set
    assert yard.order("set_lane", reader="r", lane=1, mode=3, actor="jo")[0]
    reader(yard, "r", lane_spec(0, "entry"))
    reader(yard, "r", *IN_AND_OUT)
    lane = yard.lot.readers["r"].lanes[1]
    assert (lane.mode, lane.mode_set) == (1, True)
    assert not yard.lot.readers["r"].lanes[0].mode_set
