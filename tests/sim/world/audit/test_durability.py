"""Durability: records stay, byte for byte, until nobody needs them; cursors are never ahead."""

import pytest

from tests.sim.world.audit import streams as s
from tests.sim.world.audit.streams import A1, A2, ONE, TWO, A, B, Stream

FIRST = f"{1:020d}.seg"


def two_segments() -> Stream:
    """Events 1 to 3, then 4 in another segment."""
    day = Stream()
    day.scan(A, s.IN, A1, ONE)
    day.roll()
    day.scan(B, s.IN, A2, TWO)
    assert day.audit.position == 4
    return day


def test_what_was_durable_is_there_after_a_crash() -> None:
    """And what a crash kept beyond it counts from then on."""
    day = two_segments()
    no = day.make(s.LANE, [s.IN, 0, False, []])
    event = [s.LANE, s.LOT, 5, day.at_ms, s.READER, s.BOOT, no, s.IN, 0, False, []]
    day.segment += s.encode([event], 5, day.at_ms)
    day.audit.recovered(day.disk)
    assert (day.kinds, day.audit.position) == ([], 5)


@pytest.mark.parametrize("how", ["changed", "cut", "gone"])
def test_a_record_that_is_not_as_it_was_is_found(how: str) -> None:
    """One bit, one record fewer, a whole file."""
    day = two_segments()
    if how == "changed":
        day.disk.files[FIRST][100] ^= 1
    elif how == "cut":
        day.segment[32:] = bytes(len(day.segment) - 32)
    else:
        del day.disk.files[FIRST]
    day.audit.recovered(day.disk)
    assert day.kinds == ["record lost" if how == "gone" else "record changed"]


@pytest.mark.parametrize(("snapshots", "safe", "kinds"), [
    ([3, 4], 3, []), ([3, 4], None, []), ([4], 3, ["record lost"]), ([2, 4], 3, ["record lost"]),
    ([3, 4], 2, ["record lost"]),
])  # fmt: skip
def test_a_segment_goes_when_nobody_needs_it(
    snapshots: list[int], safe: int | None, kinds: list[str]
) -> None:
    """Two snapshots cover it, and every subscriber is past it."""
    day = two_segments()
    if safe is not None:
        day.audit.subscribed(s.SINK, 0, True)
        day.audit.safe(s.SINK, safe)
    for position in snapshots:
        day.disk.files[f"{position:020d}.snap"] = bytearray(b"LGS1")
    del day.disk.files[FIRST]
    day.audit.recovered(day.disk)
    assert day.kinds == kinds


def test_a_segment_that_goes_too_early_is_found_with_the_next_commit() -> None:
    """A subscriber that catches up later must not hide it; a hole is found at the next start."""
    day = two_segments()
    day.audit.subscribed(s.SINK, 0, True)
    del day.disk.files[FIRST]
    day.commit()
    assert day.kinds == ["record lost"]
    day = two_segments()
    del day.disk.files[f"{4:020d}.seg"]
    day.audit.recovered(day.disk)
    assert day.kinds == ["record changed"]


@pytest.mark.parametrize(("stored", "kinds"), [(2, []), (3, []), (4, ["cursor ahead"])])
def test_a_stored_cursor_ahead_of_what_was_safe_is_found(stored: int, kinds: list[str]) -> None:
    """Behind it may be."""
    day = two_segments()
    day.audit.subscribed(s.SINK, 0, True)
    day.audit.safe(s.SINK, 3)
    day.disk.store_cursors(b'{"sink": %d}' % stored)
    day.commit()
    assert day.kinds == kinds


def test_cursors_that_cannot_be_read_are_found() -> None:
    """The file is written whole or not at all."""
    day = two_segments()
    day.disk.files["cursors"] = bytearray(b"00000000\n{}")
    day.commit()
    assert day.kinds == ["cursors"]


def test_a_segment_may_still_have_the_spares_name() -> None:
    """Its new name need not be durable yet when its first group is."""
    day = Stream()
    day.roll()
    day.disk.files["next.seg"] = day.disk.files.pop(f"{3:020d}.seg")
    day.scan(A, s.IN, A1, ONE)
    assert (day.kinds, day.audit.position) == ([], 3)
    day.audit.recovered(day.disk)
    assert day.kinds == []
