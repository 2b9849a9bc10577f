"""Fixtures with real servers; tests/conftest.py makes them known to all tests.

`cassandra` and so on: one that serves for the whole run, that of `make services` if it runs, so a test must
do no harm to it and keep to a keyspace or topic of its own. `own_cassandra` and so on: one of this run alone,
ready when the test begins, which may stop, kill and pause it. There is no skipping: without the server, the
test fails and says what to install.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def _shared(server: str) -> Callable[[Servers], Service]:
    def fixture(servers: Servers) -> Service:
        return servers.usable(server)

    fixture.__doc__ = f"A {server} that others may use too: do it no harm."
    return pytest.fixture(scope="session", name=server)(fixture)


def _own(server: str) -> Callable[[Servers], Iterator[Service]]:
    def fixture(servers: Servers) -> Iterator[Service]:
        with servers.to_harm(server) as service:
            yield service

    fixture.__doc__ = f"A {server} of this run alone, to be stopped, killed, paused; brought back afterwards."
    return pytest.fixture(name=f"own_{server}")(fixture)


cassandra, own_cassandra = _shared("cassandra"), _own("cassandra")
kafka, own_kafka = _shared("kafka"), _own("kafka")
postgres, own_postgres = _shared("postgres"), _own("postgres")
redis, own_redis = _shared("redis"), _own("redis")
mosquitto, own_mosquitto = _shared("mosquitto"), _own("mosquitto")
