"""The backlog gives what came, in order, once, in batches within its bounds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import encode

from liftgate.codecs.events import UnknownEvent
from liftgate.codecs.records import encode_record
from liftgate.relay.backlog import Backlog, Damaged
from tests.relay.records import event, record

MANY = 1 << 30


@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    after=st.integers(0, 8),
    events_max=st.integers(1, 20),
    bytes_max=st.integers(1, 3000),
)
def test_batches_are_the_records_in_order_within_bounds(
    counts: list[int], after: int, events_max: int, bytes_max: int
) -> None:
    """Whatever the records and bounds: each event behind `after` once, and no batch beyond a bound but one
    record.
    """
    backlog, first = Backlog(after, MANY), 1
    for count in counts:
        backlog.put(record(first, count))
        first += count
    taken = []
    while batch := backlog.take(events_max, bytes_max):
        assert len(batch) <= max(events_max, 9)
        taken += batch
    assert [stored.position for stored in taken] == list(range(after + 1, first))
    assert [stored.event.seq for stored in taken] == [stored.position for stored in taken]
    assert [encode(stored.event) for stored in taken] == [event(stored.position) for stored in taken]
    assert (backlog.bytes, backlog.events, backlog.received) == (0, 0, max(first - 1, after))


def test_it_is_full_at_its_bound_and_has_room_again_at_half() -> None:
    """full begins at the bound in bytes and ends when half of it was taken."""
    backlog, position = Backlog(0, 10_000), 1
    while not backlog.full:
        backlog.put(record(position, 1, faults=800))
        position += 1
    assert 10_000 <= backlog.bytes < 12_000
    while backlog.full:
        assert backlog.bytes > 5_000
        backlog.take(1, MANY)
    assert backlog.bytes <= 5_000


def test_who_waits_is_woken() -> None:
    """wait_some returns with the first record, wait_room once half is free."""

    async def run() -> None:
        backlog = Backlog(0, 1200)
        waiting = asyncio.create_task(backlog.wait_some())
        await asyncio.sleep(0)
        assert not waiting.done()
        backlog.put(record(1, 20))
        await waiting
        assert not backlog.full
        backlog.put(record(21, 20))
        room = asyncio.create_task(backlog.wait_room())
        await asyncio.sleep(0)
        assert backlog.full and not room.done()
        backlog.take(100, MANY)
        await room

    asyncio.run(run())


def test_a_record_that_came_damaged_is_named() -> None:
    """One flipped byte: Damaged, with the position that it follows."""
    data = bytearray(record(1, 3) + record(4, 2))
    data[-9] ^= 1
    backlog = Backlog(0, MANY)
    with pytest.raises(Damaged, match="behind position 3 came damaged"):
        backlog.put(bytes(data))


def test_a_gap_is_never_passed_over() -> None:
    """The feed going on further than where it ended is Damaged."""
    backlog = Backlog(0, MANY)
    backlog.put(record(1, 2))
    with pytest.raises(Damaged, match="goes on with 4 behind position 2"):
        backlog.put(record(4, 2))


def test_what_came_before_is_not_taken_again() -> None:
    """Records sent again after a reconnect, whole or in part, add only what is new."""
    backlog = Backlog(0, MANY)
    backlog.put(record(1, 4))
    backlog.put(record(1, 4) + record(3, 4))
    assert [stored.position for stored in backlog.take(100, MANY)] == [1, 2, 3, 4, 5, 6]


def test_an_event_of_a_newer_engine_is_not_skipped() -> None:
    """UnknownEvent, and it waits there still."""
    backlog = Backlog(0, MANY)
    backlog.put(encode_record(b"\x91\x7f", 1, 1, 5, 1))
    for _ in range(2):
        with pytest.raises(UnknownEvent):
            backlog.take(10, MANY)
