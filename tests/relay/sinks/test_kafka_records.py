"""Records as bytes: what the client library's own builder would have made of them."""

from __future__ import annotations

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from liftgate.relay.sinks.kafka_records import Compression, Frame, Records

NAMES = ("ce_id", "ce_time")
WRITTEN_MS = 1_795_348_800_123
BYTES_MAX = 900_000
STATE = (4711, 3, 88)
"""Producer, epoch and sequence, as the library sets them when a batch leaves."""

Record = tuple[bytes, bytes, list[tuple[str, bytes]], bytes, bytes]
"""Key, value, headers that are alike, the two that are not."""

texts = st.text(min_size=1, max_size=40)
headers = st.lists(st.tuples(texts, st.binary(max_size=200)), max_size=5)
records = st.tuples(
    st.binary(min_size=1, max_size=100),
    st.integers(0, 9000).map(bytes) | st.binary(max_size=100),
    headers,
    st.binary(max_size=30),
    st.binary(max_size=30),
)


def ours(found: list[Record], compression: Compression = "none") -> Records:
    batch = Records(WRITTEN_MS, BYTES_MAX, NAMES[1], compression)
    for key, value, alike, first, last in found:
        assert batch.put(Frame(key, 0, alike, NAMES), value, first, last)
    batch._set_producer_state(*STATE)
    return batch


def theirs(found: list[Record]) -> BatchBuilder:
    batch = BatchBuilder(BYTES_MAX, 0, is_transactional=1)
    for key, value, alike, first, last in found:
        shown = [*alike, *zip(NAMES, (first, last), strict=True)]
        assert batch.append(timestamp=WRITTEN_MS, key=key, value=value, headers=shown)
    batch._set_producer_state(*STATE)
    return batch


@given(st.lists(records, min_size=1, max_size=8))
def test_the_bytes_are_those_of_the_librarys_builder(found: list[Record]) -> None:
    """Whatever stands in keys, values and headers; and it knows its count and size before."""
    batch, other = ours(found), theirs(found)
    assert (batch.record_count(), batch.size()) == (len(found), other.size())
    assert batch._build() == bytes(other._build())
    assert batch._build() == batch._build() and batch.closed()


def test_so_are_those_of_more_records_than_a_batch_of_the_relays_has() -> None:
    """Offsets and lengths of each number of bytes."""
    found: list[Record] = [(b"north", b"x" * (at % 90), [], b"%d" % at, b"now") for at in range(9000)]
    assert ours(found)._build() == bytes(theirs(found)._build())


def test_compressed_it_is_read_back_by_the_library() -> None:
    """The same records, in fewer bytes, and the checksum is right."""
    found: list[Record] = [(b"north", b"value " * 30, [("a", b"b")], b"%d" % at, b"now") for at in range(50)]
    built = ours(found, "gzip")._build()
    assert len(built) < len(ours(found)._build()) // 4
    batch = MemoryRecords(bytes(built)).next_batch()
    assert batch.validate_crc()
    read = [(each.key, each.value, each.headers, each.timestamp) for each in batch]
    wanted = [
        (key, value, [*alike, ("ce_id", first), ("ce_time", last)], WRITTEN_MS)
        for key, value, alike, first, last in found
    ]
    assert read == wanted


@pytest.mark.parametrize("spare", [0, 1])
def test_what_does_not_fit_is_left_out(spare: int) -> None:
    """To the byte; and what was there stays whole."""
    frame = Frame(b"north", 0, [], NAMES)
    one = Records(WRITTEN_MS, BYTES_MAX, NAMES[1], "none")
    one.put(frame, b"value", b"1", b"now")
    batch = Records(WRITTEN_MS, one.size() + spare, NAMES[1], "none")
    assert batch.put(frame, b"value", b"1", b"now")
    assert not batch.put(frame, b"", b"2", b"now")
    assert (batch.record_count(), batch.size()) == (1, one.size())
    assert batch._build() == one._build()


def test_the_library_puts_nothing_of_its_own_into_it() -> None:
    """It asks, where a batch waits for its partition; the answer is that it is full."""
    batch = ours([(b"north", b"value", [], b"1", b"now")])
    assert batch.append(timestamp=1, key=b"k", value=b"v", headers=[]) is None
    assert batch.record_count() == 1
