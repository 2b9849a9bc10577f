"""The feed: every durable record once, as it stands on disk, from any position, while the writer goes on."""

from random import Random

import pytest

from liftgate.codecs.records import RECORD_BYTES_MAX, encode_record, read_record
from liftgate.engine.journal.feed import CHUNK_BYTES_MAX, Chunk, Feed, PositionGone
from liftgate.engine.journal.journal import Journal
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.journal.scan import JournalRotten
from tests.engine.journal.journals import Entry, fill, opened, put, segment_files


def entries_in(chunk: Chunk) -> list[Entry]:
    """Return the records of a chunk, having checked that its bytes are whole records from first to last."""
    entries, offset, view = [], 0, memoryview(chunk.records)
    while offset < len(view):
        record = read_record(view, offset)
        assert record is not None
        entries.append((record.first, record.at_ms, record.count, bytes(record.payload)))
        offset = record.end
    assert (entries[0][0], entries[-1][0] + entries[-1][2] - 1) == (chunk.first, chunk.last)
    return entries


def drained(feed: Feed) -> list[Entry]:
    entries = []
    while (chunk := feed.read_nowait()) is not None:
        entries += entries_in(chunk)
    return entries


def test_records_come_as_they_stand_on_disk() -> None:
    """A chunk is the bytes of the file, position by position what encode_record makes."""
    journal, _, _ = opened(MemoryStorage())
    put(journal, b"\xff" * 200)
    feed = Feed(journal, 1)
    journal.append(b"one", 2, 10)
    journal.append(b"two", 1, 11)
    journal.commit()
    chunk = feed.read_nowait()
    assert chunk == (2, 4, encode_record(b"one", 2, 2, 10, 2) + encode_record(b"two", 4, 2, 11, 1))
    assert feed.read_nowait() is None


def test_only_durable_records_are_given() -> None:
    """What is appended but not committed is not there yet."""
    journal, _, _ = opened(MemoryStorage())
    feed = Feed(journal, 0)
    journal.append(b"one", 1, 1)
    assert feed.read_nowait() is None
    journal.commit()
    assert len(drained(feed)) == 1


@pytest.mark.parametrize("restarted", [False, True])
def test_from_every_position(restarted: bool) -> None:
    """From any position come the record that holds the next one and all after it, across segments."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    entries = fill(journal, 4)
    if restarted:
        after = journal.durable_position
        storage.restart()
        journal, _, _ = opened(storage, after)
    for after in range(journal.durable_position + 1):
        expected = [entry for entry in entries if entry[0] + entry[2] - 1 > after]
        assert drained(Feed(journal, after)) == expected


def test_chunks_hold_whole_records_within_the_bound() -> None:
    """However large the backlog, a chunk fits an EVENTS frame and never splits a record."""
    journal, _, _ = opened(MemoryStorage(), segment_bytes=4 << 20)
    rng = Random(0)
    entries = []
    for _ in range(60):
        payload = rng.randbytes(rng.choice([5, 700, 30_000, RECORD_BYTES_MAX]))
        entries.append((journal.append(payload, 1, 1), 1, 1, payload))
    journal.commit()
    feed, found = Feed(journal, 0), []
    while (chunk := feed.read_nowait()) is not None:
        assert len(chunk.records) <= CHUNK_BYTES_MAX
        found += entries_in(chunk)
    assert found == entries
    with pytest.raises(ValueError, match="bytes or more"):
        feed.read_nowait(1000)


def test_a_reader_lags_while_the_writer_goes_on() -> None:
    """A feed reads at its own pace through segments that the writer left long ago."""
    journal, _, _ = opened(MemoryStorage())
    feed, found, entries = Feed(journal, 0), [], []
    for seed in range(1, 5):
        entries += fill(journal, 2 * seed, seed)
        chunk = feed.read_nowait()
        assert chunk is not None
        found += entries_in(chunk)
    assert found + drained(feed) == entries
    entries.append(put(journal))
    assert drained(feed) == entries[-1:]


def three_retired() -> tuple[Journal, int]:
    journal, _, _ = opened(MemoryStorage())
    fill(journal, 4)
    lagging = journal.catalogue.all()[0].first
    journal.retire(journal.durable_position)
    return journal, lagging


def test_a_retired_position_is_gone() -> None:
    """Who asks for what was retired learns the oldest position that is left."""
    journal, _ = three_retired()
    journal.maintain()
    with pytest.raises(PositionGone) as gone:
        Feed(journal, 0)
    oldest = journal.catalogue.all()[0].first
    assert gone.value.oldest == oldest
    assert Feed(journal, oldest - 1).position == oldest


def test_a_feed_overtaken_by_retirement_is_told_after_what_it_had_open() -> None:
    """The open segment is still read to its end; the next one is gone."""
    journal, _ = three_retired()
    feed = Feed(journal, 0)
    last = journal.catalogue.all()[0].last
    journal.maintain()
    chunk = feed.read_nowait()
    assert chunk is not None
    assert chunk.last == last
    for _ in range(2):
        with pytest.raises(PositionGone):
            feed.read_nowait()
    feed.close()


def test_a_position_beyond_the_end_is_refused() -> None:
    """A subscriber that claims to have seen what was never durable is told so."""
    journal, _, _ = opened(MemoryStorage())
    put(journal)
    assert Feed(journal, 1).read_nowait() is None
    with pytest.raises(ValueError, match="beyond"):
        Feed(journal, 2)


def test_damage_in_an_unread_segment_stops_the_feed() -> None:
    """A record whose header is damaged is never stepped over."""
    storage = MemoryStorage()
    journal, _, _ = opened(storage)
    fill(journal, 3)
    after = journal.durable_position
    storage.restart()
    storage.flip(segment_files(storage)[0], 32 + 8, 0xFF)
    journal, _, _ = opened(storage, after)
    with pytest.raises(JournalRotten) as rotten:
        Feed(journal, 0).read_nowait()
    assert (rotten.value.offset, rotten.value.position) == (32, 1)
