"""Fixtures with real servers; tests/conftest.py makes them known to all tests.

`cassandra` and so on: one that serves for the whole run, that of `make services` if it runs, so a test must
do no harm to it and keep to a keyspace or topic of its own. `own_cassandra` and so on: one of this run alone,
ready when the test begins, which may stop, kill and pause it. There is no skipping: without the server, the
test fails and says what to install.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.services import Service, ServiceError, kind_named, running
from deploy.services.throwaway import throwaway_root


class Servers:
    """The servers of one run of pytest, started when first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own: dict[str, Service] = {}

    def usable(self, name: str) -> Service:
        """One that runs and answers, for tests that do it no harm."""
        if record := running().get(name):
            return self._ready(Service(kind_named(name), Path(record.folder), mine=False))
        return self.own(name)

    def own(self, name: str) -> Service:
        """This run's own, running and answering whatever was done to it before."""
        service = self._own.setdefault(name, Service(kind_named(name), self._root / name))
        service.resume()
        return self._ready(service)

    @contextmanager
    def to_harm(self, name: str) -> Iterator[Service]:
        """This run's own, which is brought back afterwards: the next test may be one for `usable`."""
        yield self.own(name)
        self.own(name)

    def end(self) -> None:
        """Kill what was started; should this never come about, the root's guard does it."""
        for service in self._own.values():
            service.kill()

    def _ready(self, service: Service) -> Service:
        try:
            service.start()
        except ServiceError as error:
            pytest.fail(f"{service.name}: {error}", pytrace=False)
        return service


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """What the fixtures below take from; ended with the run, however that ends."""
    with throwaway_root() as root:
        servers = Servers(root)
        yield servers
        servers.end()


@pytest.fixture(scope="session")
def cassandra(servers: Servers) -> Service:
    """A Cassandra that others may use too: do it no harm."""
    return servers.usable("cassandra")


@pytest.fixture(scope="session")
def kafka(servers: Servers) -> Service:
    """A Kafka that others may use too: do it no harm."""
    return servers.usable("kafka")


@pytest.fixture(scope="session")
def postgres(servers: Servers) -> Service:
    """A PostgreSQL that others may use too: do it no harm."""
    return servers.usable("postgres")


@pytest.fixture(scope="session")
def redis(servers: Servers) -> Service:
    """A Redis that others may use too: do it no harm."""
    return servers.usable("redis")


@pytest.fixture(scope="session")
def mosquitto(servers: Servers) -> Service:
    """A mosquitto that others may use too: do it no harm."""
    return servers.usable("mosquitto")


@pytest.fixture
def own_cassandra(servers: Servers) -> Iterator[Service]:
    """A Cassandra of this run alone, to be stopped, killed and paused; brought back afterwards."""
    with servers.to_harm("cassandra") as service:
        yield service


@pytest.fixture
def own_kafka(servers: Servers) -> Iterator[Service]:
    """A Kafka of this run alone, to be stopped, killed and paused; brought back afterwards."""
    with servers.to_harm("kafka") as service:
        yield service


@pytest.fixture
def own_postgres(servers: Servers) -> Iterator[Service]:
    """A PostgreSQL of this run alone, to be stopped, killed and paused; brought back afterwards."""
    with servers.to_harm("postgres") as service:
        yield service


@pytest.fixture
def own_redis(servers: Servers) -> Iterator[Service]:
    """A Redis of this run alone, to be stopped, killed and paused; brought back afterwards."""
    with servers.to_harm("redis") as service:
        yield service


@pytest.fixture
def own_mosquitto(servers: Servers) -> Iterator[Service]:
    """A mosquitto of this run alone, to be stopped, killed and paused; brought back afterwards."""
    with servers.to_harm("mosquitto") as service:
        yield service
