"""Configurations of an engine with a relay into Cassandra and Kafka."""

from __future__ import annotations

from pathlib import Path

from tests.faults.engines import make_engine
from tests.independent.engine_process import KEY, Engine, service_toml
from tests.relay.relays import READERS, SPOTS


def both_sinks(cassandra: int, keyspace: str, kafka: str, topic: str) -> str:
    """The relay, history in Cassandra at that port, stream at that address, and a service that may count."""
    services = [service_toml(f"relay-{sink}", ["subscribe", "query"]) for sink in ("history", "stream")]
    return "".join(services) + (
        service_toml("desk", ["query"])
        + '[relay]\nsinks = ["history", "stream"]\n'
        + f'[history]\nstore = "cassandra"\nkey = "{KEY.hex()}"\n'
        + '[history.cassandra]\ncontact_points = ["127.0.0.1"]\nreplication = 1\n'
        + f'port = {cassandra}\nkeyspace = "{keyspace}"\n'
        + f'[stream]\nbrokers = ["{kafka}"]\ntopic = "{topic}"\ncursors = "{topic}.cursors"\ntimeout_s = 10\n'
    )


def engine_with_both(folder: Path, cassandra: int, keyspace: str, kafka: str, topic: str) -> Engine:
    """An engine, not started, with all of that."""
    engine = make_engine(folder, READERS, SPOTS)
    engine.config.write_text(engine.config.read_text() + both_sinks(cassandra, keyspace, kafka, topic))
    return engine
