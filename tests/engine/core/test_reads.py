"""Decisions on scans: spots nearest first, sessions, both ways, clocks."""

from __future__ import annotations

import pytest

from liftgate.engine.core import commands as c
from tests.engine.core.lots import CARD, CONFIRMED, NOON, Yard, area, block, lane_spec, lot_spec

TWO_BLOCKS = area("north", None, block("P1", "A", 2), block("P2", "B", 2))


def test_spots_are_given_from_the_lowest_and_again_when_free() -> None:
    """001, 002, 003; after 001 and 002 left, 001 first."""
    yard = Yard()
    assert [yard.scan(0, t).spot for t in (b"a", b"b", b"c")] == ["P1-A-001", "P1-A-002", "P1-A-003"]
    yard.scan(1, b"b")
    yard.scan(1, b"a")
    assert yard.scan(0, b"d").spot == "P1-A-001"
    assert yard.counts() == (2, 0, 1)


def test_a_gate_fills_its_nearest_blocks_first() -> None:
    """In the gate's order, then blocks that it does not name; a lane without a gate in the file's order."""
    spec = lot_spec(TWO_BLOCKS, gates={"east": ["P2-B"], "west": []})
    lanes = (lane_spec(0, "entry", gate="east"), lane_spec(1, "entry", gate="west"), lane_spec(2, "entry"))
    yard = Yard(spec, r=lanes)
    assert [yard.scan(0, t).spot for t in (b"a", b"b", b"c")] == ["P2-B-001", "P2-B-002", "P1-A-001"]
    yard = Yard(spec, r=lanes)
    assert [yard.scan(lane, t).spot for lane, t in ((1, b"a"), (2, b"b"))] == ["P1-A-001", "P1-A-002"]


@pytest.mark.parametrize("assign", ["area", "count"])
def test_a_lot_that_assigns_no_spots_names_the_block(assign: str) -> None:
    """Blocks fill in order by count alone."""
    yard = Yard(lot_spec(TWO_BLOCKS, assign=assign))
    assert [yard.scan(0, t).spot for t in (b"a", b"b", b"c")] == ["P1-A", "P1-A", "P2-B"]
    yard.scan(1, b"a")
    assert yard.scan(0, b"d").spot == "P1-A"
    yard.check()


def test_names_of_spots_are_as_wide_as_the_block_needs() -> None:
    """Three digits, more where the block has more than 999."""
    spec = lot_spec(area("north", None, block("P1", "A", 1), block("P1", "L", 20_000)))
    yard = Yard(spec)
    assert [yard.scan(0, t).spot for t in (b"a", b"b")] == ["P1-A-001", "P1-L-00001"]
    yard.check()


def test_a_stay_has_one_session_from_entry_to_exit() -> None:
    """16 bytes, a UUID of version 8 that begins with the time; the next stay has another."""
    yard = Yard()
    first = yard.scan(0)
    assert yard.scan(1).session == first.session
    second = yard.scan(0)
    assert len(first.session) == len(second.session) == 16
    assert first.session != second.session
    for event in (first, second):
        name = int.from_bytes(event.session, "big")
        assert (name >> 80, name >> 76 & 15, name >> 62 & 3) == (event.at_ms, 8, 2)


def test_a_lane_for_both_ways_goes_by_where_the_car_is() -> None:
    """Somebody inside leaves, anybody else enters."""
    yard = Yard(r=(lane_spec(0, "both"),))
    assert [yard.scan(0).way for _ in range(4)] == [1, 2, 1, 2]


def test_a_lane_for_both_ways_of_an_inner_area() -> None:
    """From the outer area in, from the inner area out to the outer one."""
    spec = lot_spec(area("north", None, block("P1", "A", 2)), area("vip", "north", block("P0", "V", 1)))
    yard = Yard(spec, r=(lane_spec(0, "both"),), v=(lane_spec(0, "both", "vip"),))
    moves = [("r", 1, [1, 0]), ("v", 1, [0, 1]), ("v", 2, [1, 0]), ("v", 1, [0, 1]), ("r", 2, [0, 0])]
    for reader, way, inside in moves:
        assert yard.scan(0, reader=reader).way == way
        assert [a.inside for a in yard.lot.areas.values()] == inside


def test_a_second_scan_at_the_barrier_gets_the_same_session_and_spot() -> None:
    """Another number, nobody has passed: nothing more is held."""
    yard = Yard(r=CONFIRMED)
    first = yard.scan(0)
    yard.now_ms += 5_000
    second = yard.scan(0)
    assert (second.verdict, second.session, second.spot) == (1, first.session, first.spot)
    assert yard.counts() == (0, 1, 2)
    yard.check()


def test_the_last_spot_is_still_its_own_at_a_second_scan() -> None:
    """A full lot does not refuse the car that it was filled with."""
    yard = Yard(lot_spec(area("north", None, block("P1", "A", 1))), r=CONFIRMED)
    assert [yard.scan(0).verdict for _ in range(2)] == [1, 1]
    assert yard.scan(0, b"boris").reason == 300


@pytest.mark.parametrize(
    ("off_ms", "at_ms", "skew_ms"),
    [
        (0, 0, 0),
        (-10_000, -10_000, 0),
        (10_000, 10_000, 0),
        (10_001, 0, 10_001),
        (-86_400_000, 0, -86_400_000),
    ],
)
def test_a_clock_more_than_10_s_off_decides_nothing(off_ms: int, at_ms: int, skew_ms: int) -> None:
    """Then the engine's clock counts, and the difference is recorded."""
    yard = Yard()
    event = yard.scan(0, at_ms=NOON + off_ms)
    assert (event.at_ms, event.skew_ms) == (NOON + at_ms, skew_ms)
    yard.check()


def test_the_wildest_clock_is_recorded() -> None:
    """The largest claim that a gateway lets through keeps its difference, in 64 bits."""
    yard = Yard()
    event = yard.scan(0, at_ms=1 << 52)
    assert (event.at_ms, event.skew_ms) == (NOON, (1 << 52) - NOON)
    yard.check()


def test_a_repeated_number_gets_the_first_answer() -> None:
    """Whatever comes under it, and nothing changes: also for a refusal."""
    yard = Yard()
    refused = yard.scan(1, no=1)
    entered = yard.scan(0, no=2)
    assert yard.scan(0, no=1) is refused
    assert yard.scan(1, b"boris", no=2) is entered
    assert (yard.lot.seq, yard.counts()) == (entered.seq, (1, 0, 2))


def test_the_same_number_of_another_boot_is_another_event() -> None:
    """(reader, boot, no) names an event, not no alone."""
    yard = Yard()
    assert yard.scan(0, no=1, boot=7).verdict == 1
    assert yard.scan(1, no=1, boot=8).verdict == 1


def test_a_reused_command_carries_nothing_over() -> None:
    """A connection keeps one ReadCredential; each decision is as from a new one."""
    yard = Yard()
    read = c.ReadCredential(yard.lane("r", 0), yard.numbering("r", 7))
    spots = []
    for no, token in enumerate((b"a", b"b", b"b", b"c"), 1):
        read.no, read.at_ms, read.now_ms, read.kind, read.token = no, NOON, NOON, CARD, token
        read.numbering = yard.numbering("r", 7)
        (event,) = yard.do(read)
        spots.append((event.spot, event.reason))
    assert spots == [("P1-A-001", 0), ("P1-A-002", 0), (None, 210), ("P1-A-003", 0)]


def test_a_lanes_status_is_kept_until_the_next() -> None:
    """Barrier, loop and faults as its reader reports them, once for each number."""
    yard = Yard()
    (event,) = yard.status(1, 3, True, "arm broken", no=4)
    assert (event.at_ms, event.barrier, event.loop, event.faults) == (NOON, 3, True, ("arm broken",))
    assert yard.status(1, 0, False, no=4) == ()
    lane = yard.lane("r", 1)
    assert (lane.barrier, lane.loop, lane.faults) == (3, True, ("arm broken",))
    yard.status(1, 0, False)
    assert (lane.barrier, lane.loop, lane.faults) == (0, False, ())
    yard.check()
