"""Feeds: every event once it is durable, as on disk, in order."""

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import Stream


def fed(stored: bool = False, after: int = 0) -> Stream:
    """Records of 1 to 2, 3, 4 and 5 to 6, and a subscriber."""
    day = Stream()
    day.audit.subscribed(s.SINK, after, stored)
    for events in (1, 1, 2):
        made = [day.make(s.LANE, [s.IN, 0, False, []]) for _ in range(events)]
        day.write(*[[s.LANE, s.READER, s.BOOT, no, s.IN, 0, False, []] for no in made])
    day.audit.lost(s.READER, s.BOOT)
    return day


def send(day: Stream, first: int, last: int) -> None:
    day.audit.events(s.SINK, first, last, day.audit.kept.record_bytes(first, last) or b"")


def test_whole_records_in_order() -> None:
    """To the end; a subscriber that has not seen it at rest misses something."""
    day = fed()
    send(day, 1, 3)
    send(day, 4, 4)
    assert day.kinds == []
    day.audit.rest({})
    assert day.kinds == ["never sent"]
    day = fed()
    send(day, 1, 6)
    day.audit.rest({})
    assert day.kinds == []


@pytest.mark.parametrize(("first", "last"), [(4, 4), (1, 2), (5, 6)])
def test_a_frame_out_of_order_is_found(first: int, last: int) -> None:
    """After 1 to 2 comes what begins with 3."""
    day = fed()
    send(day, 1, 2)
    send(day, first, last)
    assert day.kinds == ["sent out of order"]


def test_other_bytes_than_on_disk_are_found() -> None:
    """Or a record in part."""
    day = fed()
    good = bytearray(day.audit.kept.record_bytes(1, 2) or b"")
    good[50] ^= 1
    day.audit.events(s.SINK, 1, 2, bytes(good))
    day.audit.events(s.SINK, 5, 5, b"")
    assert day.kinds == ["sent otherwise"] * 2


def test_what_is_not_durable_is_not_sent() -> None:
    """Not even the record that is being written."""
    day = fed()
    day.audit.events(s.SINK, 7, 7, s.encode([[s.LAPSED, s.LOT, 7, 1, b""]], 7, day.at_ms))
    assert day.kinds == ["sent, not durable"]


@pytest.mark.parametrize(
    ("after", "first", "kinds"),
    [(3, 4, []), (5, 5, []), (3, 5, ["sent out of order"]), (4, 3, ["sent out of order"])],
)
def test_its_own_position_is_where_it_goes_on(after: int, first: int, kinds: list[str]) -> None:
    """In the record that holds what comes next: not after it, not before it."""
    day = fed()
    day.audit.subscribed(s.SINK, after, False)
    send(day, first, {3: 3, 4: 4, 5: 6}[first])
    assert day.kinds == kinds


@pytest.mark.parametrize(("first", "kinds"), [(1, []), (3, []), (4, []), (5, ["sent out of order"])])
def test_a_stored_cursor_may_be_behind_but_not_ahead(first: int, kinds: list[str]) -> None:
    """What it never called safe comes again."""
    day = fed(stored=True)
    send(day, 1, 6)
    day.audit.safe(s.SINK, 3)
    day.audit.subscribed(s.SINK, 0, True)
    send(day, first, {1: 2, 3: 3, 4: 4, 5: 6}[first])
    assert day.kinds == kinds
