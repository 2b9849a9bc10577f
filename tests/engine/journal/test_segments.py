"""Segments: headers that say whose they are, and a list that three parties may use at once."""

from liftgate.engine.journal.segments import (
    HEADER_BYTES,
    HEADER_DAMAGED,
    INDEX_STEP_BYTES,
    Catalogue,
    Segment,
    encode_header,
    first_of,
    header_fault,
    segment_name,
    segment_names,
    stated_size,
)


def test_names_sort_as_positions() -> None:
    """Names are ordered like positions, and other files are no segments."""
    names = [segment_name(first) for first in (9, 100, 2**64 - 1)]
    assert segment_names(reversed([*names, "next.seg", "cursors", "1.seg", names[0] + ".damaged"])) == names
    assert [first_of(name) for name in names] == [9, 100, 2**64 - 1]


def test_a_header_tells_damage_from_a_wrong_file() -> None:
    """Any flipped bit is damage; another position is named as such."""
    data = bytearray(encode_header(7, 4096)) + bytes(4096 - HEADER_BYTES)
    assert header_fault(bytes(data), 7) == ""
    assert "begins with position 7" in header_fault(bytes(data), 8)
    assert stated_size(bytes(data)) == 4096
    assert "shorter" in header_fault(bytes(data[:20]), 7)
    for bit in range(8 * 28):
        data[bit // 8] ^= 1 << bit % 8
        assert header_fault(bytes(data), 7) == HEADER_DAMAGED
        data[bit // 8] ^= 1 << bit % 8


def test_the_index_is_sparse_and_never_overshoots() -> None:
    """Places are noted at most once per step, and the one given is at or before the position."""
    segment = Segment(1, 0, 0)
    for position in range(2, 5000):
        segment.note(position, 100 * position)
    assert len(segment.index_offsets) <= 2 + 5000 * 100 // INDEX_STEP_BYTES
    for position in (1, 2, 700, 4999):
        noted, offset = segment.place_before(position)
        assert noted <= position
        assert offset == (100 * noted if noted > 1 else HEADER_BYTES)


def test_the_catalogue_finds_the_holder() -> None:
    """A position is in the segment that begins at or before it; a retired one in none."""
    catalogue = Catalogue([Segment(1, 9, 0), Segment(10, 19, 0)])
    catalogue.add(Segment(20, 19, 0))
    holders = [catalogue.holding(position) for position in (1, 9, 10, 20, 999)]
    assert [holder and holder.first for holder in holders] == [1, 1, 10, 20, 20]
    catalogue.remove_oldest()
    assert catalogue.holding(9) is None
