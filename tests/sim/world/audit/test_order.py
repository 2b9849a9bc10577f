"""Order: seq and positions without gaps, groups and time that only go on."""

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, ONE, A, Stream


@pytest.mark.parametrize("seq", [2, 4])
def test_a_gap_in_seq_is_found(seq: int) -> None:
    """The lot's third event is its number 3, no other."""
    day = Stream()
    day.write_raw([[0x33, s.LOT, seq, day.at_ms, s.READER, s.IN, "", "ann"]])
    assert day.kinds[0] == "seq"


@pytest.mark.parametrize(("first", "group", "later_ms", "kind"), [
    (4, 4, 0, "position"),
    (3, 2, 0, ""),
    (3, 4, 0, "group"),
    (3, 3, -1, "time"),
    (3, 3, 1, ""),
])  # fmt: skip
def test_records_follow_each_other(first: int, group: int, later_ms: int, kind: str) -> None:
    """Each begins where the last one ended, in its group or a later one, not before its time."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    held = [[s.LAPSED, s.LOT, 4, day.at_ms, ONE]]
    day.segment += s.encode(held, first + 1, day.at_ms + later_ms, group + 1)
    day.commit()
    assert day.kinds[:1] == [kind or "wrong lapse"]
