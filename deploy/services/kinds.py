"""The kinds of servers there are, by name."""

from __future__ import annotations

from collections.abc import Callable

from deploy.services.cassandra import Cassandra
from deploy.services.errors import ServiceError
from deploy.services.kafka import Kafka
from deploy.services.kind import Kind
from deploy.services.mosquitto import Mosquitto
from deploy.services.postgres import Postgres
from deploy.services.redis import Redis

KINDS: dict[str, Callable[[], Kind]] = {
    "cassandra": Cassandra,
    "kafka": Kafka,
    "postgres": Postgres,
    "redis": Redis,
    "mosquitto": Mosquitto,
}


def kind_named(name: str) -> Kind:
    """The kind with its default settings. Raises ServiceError for a name that is none."""
    if name not in KINDS:
        raise ServiceError(f"{name} is no service; there are {', '.join(KINDS)}")
    return KINDS[name]()
