"""Records: every byte is checked, and every stored record fits an EVENTS frame."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.records import (
    RECORD_BYTES_MAX,
    RECORD_BYTES_WHOLE_MAX,
    encode_record,
    find_later_group,
    read_record,
    record_bytes,
    skip_records,
)
from liftgate.engine.journal.feed import CHUNK_BYTES_MAX

U64 = st.integers(1, 2**64 - 1)


@given(st.binary(min_size=1, max_size=300), U64, st.integers(0, 2**64 - 1), st.integers(1, 2**32 - 1))
def test_a_record_reads_back(payload: bytes, first: int, at_ms: int, count: int) -> None:
    """What was encoded is what is read, aligned to 8 bytes."""
    data = encode_record(payload, first, first, at_ms, count)
    record = read_record(memoryview(data), 0)
    assert record is not None
    assert (record.first, record.group, record.at_ms, record.count) == (first, first, at_ms, count)
    assert (bytes(record.payload), record.end, record.end % 8) == (payload, len(data), 0)
    assert record.last == first + count - 1
    assert len(data) == record_bytes(len(payload))


def test_every_bit_is_checked() -> None:
    """One bit flipped anywhere, header, payload or padding, and the record isn't good."""
    data = bytearray(encode_record(b"thirteen byte", 5, 5, 1000, 3))
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        assert read_record(memoryview(data), 0) is None
        data[bit // 8] ^= 1 << bit % 8


def test_a_record_cut_short_is_not_good() -> None:
    """No prefix of a record is taken for one."""
    data = encode_record(b"payload", 1, 1, 1, 1)
    assert all(read_record(memoryview(data[:size]), 0) is None for size in range(len(data)))


def test_the_largest_record_fits_a_frame() -> None:
    """An EVENTS frame takes the largest record, and a chunk leaves room for the frame's own fields."""
    frame_bytes = 65_536
    header = 16
    assert record_bytes(RECORD_BYTES_MAX) == RECORD_BYTES_WHOLE_MAX <= CHUNK_BYTES_MAX
    body = msgpack.packb([2**64 - 1, 2**64 - 1, bytes(CHUNK_BYTES_MAX)])
    assert header + len(body) <= frame_bytes


@pytest.mark.parametrize("lead", [0, 8, 400])
def test_a_later_group_is_found_behind_damage(lead: int) -> None:
    """The search steps over garbage, records of the same group, and markers that aren't records."""
    same = encode_record(b"same group", 12, 10, 1, 1)
    later = encode_record(b"later group", 13, 13, 1, 1)
    data = b"LGR1" * (lead // 4) + same + later
    found = find_later_group(data, 0, len(data), 11)
    assert found is not None
    assert found.first == 13
    assert find_later_group(data, 0, len(data), 13) is None


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 9)), max_size=12), st.data())
def test_skipping_stops_at_the_record_that_holds_the_position(
    shapes: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Skipped are exactly the whole records that end before the position."""
    encoded, starts, position = b"", [], 1
    for size, count in shapes:
        starts.append((len(encoded), position))
        encoded += encode_record(bytes(size), position, position, 0, count)
        position += count
    starts.append((len(encoded), position))
    until = data.draw(st.integers(1, position))
    expected = max(start for start in starts if start[1] <= until)
    assert skip_records(memoryview(encoded), 1, until) == expected
