"""What a relay cannot work with is said by `liftgate status`, and nothing is lost meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.services import Service
from tests.cli.commands import liftgate
from tests.history.cassandra.stores import drop
from tests.relay.relays import LiveRelay, scan
from tests.relay.sites import engine_with_both
from tests.services.clients import make_topic, unique

pytestmark = pytest.mark.long


def test_an_unknown_keyspace_and_a_topic_with_fewer_partitions(
    tmp_path: Path, cassandra: Service, kafka: Service
) -> None:
    """Each sink stands still with its own words and exit 1; mended, both have every event once."""
    keyspace, topic = unique("misfit"), unique("misfit")
    make_topic(kafka, topic, 3)
    engine = engine_with_both(tmp_path, cassandra.port, keyspace, kafka.address, topic)
    with engine, LiveRelay(engine) as relay:
        last = scan(engine, 50)
        for sink in (0, 1):
            relay.wait_status(lambda status: status.state == "degraded", sink)
        told = liftgate("status", "--config", engine.config)
        assert told.returncode == 1
        assert f'no keyspace "{keyspace}" in this cluster' in told.stdout
        assert f"topic {topic} has 3 partitions, not 12" in told.stdout
        assert [relay.status(sink).safe for sink in (0, 1)] == [0, 0]
        relay.stop()
        assert liftgate("history", "migrate", "--config", engine.config).returncode == 0
        engine.config.write_text(engine.config.read_text().replace(topic, f"{topic}.new"))
        relay.start()
        for sink in (0, 1):
            relay.wait_status(lambda status: status.safe >= last, sink)
        compared = liftgate("compare", "--config", engine.config)
        assert compared.returncode == 0, compared
        assert compared.stdout.count("equal: ") == 2
    drop(cassandra.port, keyspace)
