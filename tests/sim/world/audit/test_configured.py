"""Configured: records and file say the same of a lot and its readers."""

from typing import Any

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, A, Stream


@pytest.mark.parametrize("part", ["lot", "reader", "no reader"])
def test_a_configuration_that_is_not_the_files_is_found(part: str) -> None:
    """With the commit that records it."""
    day = Stream(configured=False)
    spec, lanes = s.spec(day.shape.made.lots[0]), s.lane_specs()
    if part == "lot":
        spec["confirm_ms"] = 1
    elif part == "reader":
        lanes[0][3] = None
    events: list[list[Any]] = [[s.LOT_SET, spec], [s.READER_SET, s.READER, lanes]]
    day.write(*events[: 1 if part == "no reader" else 2])
    assert day.kinds == ["configured otherwise"]


def test_what_a_crash_left_is_judged_by_the_file_of_its_time() -> None:
    """Recovery may find events from before the restart that nobody was answered."""
    day = Stream()
    day.audit.restarted_with(s.Shape(3))
    no = day.make(s.SCAN, [s.IN, 2, A])
    scan = [s.READER, s.BOOT, no, s.IN, 2, A, 0, 1, 1, 0, 1, "out", ONE, A1, None]
    day.segment += s.encode([[s.SCAN, s.LOT, 3, day.at_ms, *scan]], 3, day.at_ms)
    day.audit.recovered(day.disk)
    day.seq, day.position = 3, 3
    day.write([s.LOT_SET, s.spec(s.lot_config(3))])
    assert day.kinds == []


def test_a_changed_file_is_on_record_before_anybody_is_served() -> None:
    """After a restart with more spots the old number of them is wrong."""
    for recorded, kinds in ((3, []), (2, ["configured otherwise"])):
        day = Stream()
        day.audit.restarted_with(s.Shape(3))
        day.write([s.LOT_SET, s.spec(s.lot_config(recorded))])
        day.scan(A, s.IN, A1, ONE)
        assert day.kinds == kinds


def test_a_car_whose_spot_is_gone_stays_counted() -> None:
    """After a restart with fewer spots its spot is nobody's, and the area is full."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.scan(b"b", s.IN, "P1-A-002", s.TWO)
    day.audit.restarted_with(s.Shape(1))
    day.write([s.LOT_SET, s.spec(s.lot_config(1))])
    day.scan(b"c", s.IN, reason=300)
    day.scan(b"b", s.OUT, None, s.TWO)
    day.scan(b"c", s.IN, reason=301)
    assert day.kinds == []
