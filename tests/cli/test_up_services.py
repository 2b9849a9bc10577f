"""`liftgate up` on configs/services.toml, with a real Cassandra and a real Kafka behind the engine."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from deploy.services import Service
from liftgate.configs.loader import load
from liftgate.configs.schema import Config
from tests.cli.commands import ROOT, Done, liftgate, started
from tests.history.cassandra.stores import drop
from tests.services.clients import cql, unique

pytestmark = pytest.mark.long


@pytest.fixture
def services(tmp_path: Path, cassandra: Service, kafka: Service) -> Iterator[Path]:
    """A copy of the file with the ports of these servers, and a keyspace and topics of its own."""
    path = tmp_path / "configs" / "services.toml"
    path.parent.mkdir()
    keyspace, topic = unique("up"), unique("up")
    text = (ROOT / "configs" / "services.toml").read_text()
    for found, put in (
        ("port = 9042", f'port = {cassandra.port}\nkeyspace = "{keyspace}"'),
        ("127.0.0.1:9092", kafka.address),
        ("[stream]\n", f'[stream]\ntopic = "{topic}"\ncursors = "{topic}.cursors"\n'),
        ("\nname = ", "\nsegment_bytes = 1_048_576\nname = "),
    ):
        assert text.count(found) >= 1, found
        text = text.replace(found, put, 1)
    path.write_text(text)
    yield path
    drop(cassandra.port, keyspace)


def lines(done: Done, sink: str) -> str:
    """What was said of a sink last."""
    return [line for line in done.stdout.splitlines() if line.startswith(sink)][-1]


def compared(config: Path) -> Done:
    return liftgate("compare", "--config", config)


def test_it_ends_with_journal_history_and_topic_being_equal(services: Path) -> None:
    """The tables are made; exit 0; as many events as the journal has, and a second run goes on from there."""
    for told in (True, False):
        done = liftgate("up", "--config", services, "--for", "10s", "--speed", "1200")
        assert done.returncode == 0, done
        assert ("history    made: there was none yet; schema 1\n" in done.stdout) is told
        dump = liftgate("journal", "dump", "--config", services).stdout.splitlines()
        count = f"{len(dump):,} events"
        assert len(dump) > 300
        assert re.match(
            rf"history +equal: {count} .*, each \(lot, seq\) once; 4 lots count as", lines(done, "history")
        )
        assert re.match(
            rf"stream +equal: {count} .*, each \(lot, seq\) once and in order$", lines(done, "stream")
        )


def test_while_it_runs_a_comparison_takes_nothing_away(services: Path) -> None:
    """`liftgate compare` and `status` beside a running relay: equal so far, no connection is taken."""
    with started("up", "--config", services, "--for", "12s") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if " cars/s" in line:
                break
        beside = compared(services)
        assert beside.returncode == 0, beside
        assert lines(beside, "stream").startswith("stream     equal: ")
        assert liftgate("status", "--config", services).returncode == 0
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    log = load(services).engine.journal.with_name("journal.relay") / "relay.log"
    assert "replaced" not in log.read_text() and "signed on in place" not in log.read_text()


def test_what_somebody_took_or_added_is_named(services: Path, cassandra: Service, kafka: Service) -> None:
    """A row deleted by hand, and a message sent twice: exit 1, by `compare` and by the next `up`."""
    assert liftgate("up", "--config", services, "--for", "2s").returncode == 0
    assert compared(services).returncode == 0
    config = load(services)
    victim = json.loads(liftgate("journal", "dump", "--config", services).stdout.splitlines()[20])
    name = f"{victim['lot']} seq {victim['seq']} (position {victim['position']}, {victim['type']})"
    delete(config, cassandra, victim["lot"], victim["at_ms"] // 86_400_000, victim["seq"])
    asyncio.run(send_first_again(config, kafka))
    told = compared(services)
    assert told.returncode == 1
    assert lines(told, "history") == f"history    DIFFERS: {name} is missing"
    assert re.match(
        r"stream     DIFFERS: .* is there behind .*: out of order, or a second time$", lines(told, "stream")
    )
    again = liftgate("up", "--config", services, "--for", "2s")
    assert again.returncode == 1
    assert "engine and truth agree\n" in again.stdout
    assert lines(again, "history") == f"history    DIFFERS: {name} is missing"


def delete(config: Config, cassandra: Service, lot: str, day: int, seq: int) -> None:
    assert config.history is not None and config.history.cassandra is not None
    table = f"{config.history.cassandra.keyspace}.events"
    quarters = "quarter IN (0, 1, 2, 3)"
    cql(
        cassandra.port,
        (f"DELETE FROM {table} WHERE lot = '{lot}' AND day = {day} AND {quarters} AND seq = {seq}", []),
    )


async def send_first_again(config: Config, kafka: Service) -> None:
    """The first message of the topic once more, as a producer with a bug would."""
    assert config.stream is not None
    options = {"bootstrap_servers": kafka.address}
    consumer = AIOKafkaConsumer(config.stream.topic, auto_offset_reset="earliest", **options)
    producer = AIOKafkaProducer(**options)
    await consumer.start()
    await producer.start()
    try:
        record = await consumer.getone()
        await producer.send_and_wait(
            record.topic,
            record.value,
            key=record.key,
            partition=record.partition,
            headers=list(record.headers),
        )
    finally:
        await producer.stop()
        await consumer.stop()


def test_what_retention_took_from_the_topic_is_no_difference(services: Path, kafka: Service) -> None:
    """It is counted; the rest is compared as ever."""
    assert liftgate("up", "--config", services, "--for", "2s").returncode == 0
    config = load(services)
    assert config.stream is not None
    topic, partitions = config.stream.topic, config.stream.partitions
    taken = asyncio.run(take_beginnings(kafka, topic, partitions))
    told = compared(services)
    assert told.returncode == 0, told
    said = re.search(
        r"equal: ([\d,]+) events .* in order; (\d+) it was to keep no longer$", lines(told, "stream")
    )
    assert said is not None, told
    events = len(liftgate("journal", "dump", "--config", services).stdout.splitlines())
    assert int(said[1].replace(",", "")) + int(said[2]) == events
    assert 0 < int(said[2]) <= taken


async def take_beginnings(kafka: Service, topic: str, partitions: int, records: int = 5) -> int:
    """Delete what stands at a partition's first offsets, as retention does; at most how many records."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address)
    await admin.start()
    await consumer.start()
    try:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        ends = await consumer.end_offsets(places)
        longer = {place: RecordsToDelete(records) for place in places if ends[place] > 2 * records}
        await admin.delete_records(longer)
        return records * len(longer)
    finally:
        await consumer.stop()
        await admin.close()


def test_servers_that_are_away_are_said(services: Path) -> None:
    """Nothing listens: the engine works all the same, and in the end exit 1 with each sink's reason."""
    text = services.read_text()
    services.write_text(
        re.sub(r"127\.0\.0\.1:\d{2,}", "127.0.0.1:1", re.sub(r"port = \d+", "port = 1", text))
    )
    done = liftgate("up", "--config", services, "--for", "2s")
    assert done.returncode == 1, done
    assert "history    is away: " in done.stdout
    assert "engine and truth agree\n" in done.stdout
    assert "cannot be compared: " in lines(done, "history")
    assert "cannot be compared: no broker of Kafka can be reached" in lines(done, "stream")
