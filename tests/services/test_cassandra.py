"""A real Cassandra: it keeps what it took through kill -9, stop and restart, and comes back where it was."""

from __future__ import annotations

import pytest

from deploy.services import Service
from tests.services.clients import Statement, cql, unique
from tests.services.proxy import Proxy

pytestmark = pytest.mark.long


def table() -> tuple[str, list[Statement]]:
    """A new table's name, and the statements that make it."""
    keyspace = unique("t")
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    return f"{keyspace}.scans", [
        (f"CREATE KEYSPACE {keyspace} WITH replication = {replication}", []),
        (f"CREATE TABLE {keyspace}.scans (lot text, seq bigint, PRIMARY KEY (lot, seq))", []),
    ]


def rows(name: str, numbers: range) -> list[Statement]:
    return [(f"INSERT INTO {name} (lot, seq) VALUES (?, ?)", ["north", number]) for number in numbers]


def everything(name: str) -> Statement:
    return f"SELECT lot, seq FROM {name} WHERE lot = ?", ["north"]


def test_rows_are_written_and_read(cassandra: Service) -> None:
    """The server that others may use too is the real thing: version 5, tables, rows."""
    ((version,),) = cql(cassandra.port, ("SELECT release_version FROM system.local", []))
    assert str(version).startswith("5.")
    name, made = table()
    assert cql(cassandra.port, *made, *rows(name, range(3)), everything(name)) == [
        ("north", 0),
        ("north", 1),
        ("north", 2),
    ]


def test_rows_survive_kill_and_restart(own_cassandra: Service) -> None:
    """After kill -9 nothing answers; started again, it has the same port and every acknowledged row."""
    name, made = table()
    cql(own_cassandra.port, *made, *rows(name, range(200)))  # the last one a moment ago
    port, pid = own_cassandra.port, own_cassandra.pid
    own_cassandra.kill()
    assert own_cassandra.pid is None
    assert not own_cassandra.is_ready()
    own_cassandra.start()
    assert (own_cassandra.port, own_cassandra.pid != pid) == (port, True)
    assert cql(port, everything(name)) == [("north", number) for number in range(200)]


def test_a_paused_node_answers_nobody_until_it_goes_on(own_cassandra: Service) -> None:
    """SIGSTOP leaves the process there and its port open, but no request is answered; SIGCONT ends that."""
    own_cassandra.pause()
    assert own_cassandra.pid is not None
    assert not own_cassandra.is_ready()
    own_cassandra.resume()
    own_cassandra.wait_ready()


def test_a_driver_works_through_the_proxy(own_cassandra: Service) -> None:
    """acsylla stays on the proxy's port, so faults put there are faults for it."""
    name, made = table()
    with Proxy(own_cassandra.port) as proxy:
        assert cql(proxy.port, *made, *rows(name, range(3)), everything(name))[-1] == ("north", 2)
        assert proxy.accepted > 0
        assert proxy.bytes_out > 0
