"""What cannot work is said in words that tell what to do, and waiting is told from misfit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.services import Service
from deploy.services.cassandra import Cassandra
from deploy.services.kind import Ports
from deploy.services.ports import HOST
from deploy.services.processes import wait_until
from deploy.services.throwaway import throwaway_root
from deploy.services.wire import Wire
from liftgate.configs.secrets import Password
from liftgate.history.cassandra import node, schema
from liftgate.history.cassandra.store import CassandraStore
from liftgate.history.port import StoreMisfit, StoreUnavailable
from tests.history.cassandra.stores import FOR_EVER, config_of, drop, opened
from tests.services.clients import cql, unique

pytestmark = pytest.mark.long


def say_opening(port: int, keyspace: str, **more: object) -> str:
    """What `open` raises as a misfit; every attempt after it says the same."""

    async def run() -> str:
        store = CassandraStore(config_of(port, keyspace, **more), FOR_EVER)
        said = set()
        for _ in range(2):
            with pytest.raises(StoreMisfit) as caught:
                await store.open()
            await store.aclose()
            said.add(str(caught.value))
        (one,) = said
        return one

    return asyncio.run(run())


def say_migrating(port: int, keyspace: str, **more: object) -> str:
    with pytest.raises(StoreMisfit) as caught:
        asyncio.run(CassandraStore(config_of(port, keyspace, **more), FOR_EVER).migrate())
    return str(caught.value)


def migrate(port: int, keyspace: str) -> tuple[int, int]:
    return asyncio.run(CassandraStore(config_of(port, keyspace), FOR_EVER).migrate())


def test_an_unknown_keyspace_is_named_and_migrate_makes_it(cassandra: Service, keyspace: str) -> None:
    """With those that are there, for a slip of the finger."""
    other = unique("history")
    known = schema.migrations()[-1][0]
    assert migrate(cassandra.port, other) == (0, known)
    said = say_opening(cassandra.port, keyspace)
    assert said.startswith(f'no keyspace "{keyspace}" in this cluster (there are ')
    assert f'"{other}"' in said and said.endswith("): `liftgate history migrate` makes it")
    assert migrate(cassandra.port, keyspace) == (0, known)
    assert migrate(cassandra.port, keyspace) == (known, known)
    drop(cassandra.port, other)


def test_an_empty_keyspace_has_no_schema_yet(cassandra: Service, keyspace: str) -> None:
    """An operator may have made it, with copies as he wants them: migrate leaves those."""
    copies = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    cql(cassandra.port, (f"CREATE KEYSPACE {keyspace} WITH replication = {copies}", []))
    said = say_opening(cassandra.port, keyspace)
    assert said == f'keyspace "{keyspace}" has no schema yet: run `liftgate history migrate`'
    migrate(cassandra.port, keyspace)
    ((kept,),) = cql(
        cassandra.port,
        (f"SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = '{keyspace}'", []),
    )
    assert isinstance(kept, dict) and kept["class"].endswith("SimpleStrategy")


def test_a_newer_schema_is_left_alone(cassandra: Service, keyspace: str) -> None:
    """By open and by migrate."""
    migrate(cassandra.port, keyspace)
    known = schema.migrations()[-1][0]
    newer = f"INSERT INTO {keyspace}.schema_versions (what, version) VALUES ('history', {known + 1})"
    cql(cassandra.port, (newer, []))
    said = f'keyspace "{keyspace}" has schema {known + 1}, this program knows {known}: use the newer program'
    assert say_opening(cassandra.port, keyspace).startswith(said)
    assert say_migrating(cassandra.port, keyspace).startswith(said)


def test_an_older_schema_is_brought_up_and_the_rows_stay(
    cassandra: Service, keyspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what is missing is applied; until then `open` asks for it."""
    migrate(cassandra.port, keyspace)
    cql(cassandra.port, (f"INSERT INTO {keyspace}.progress (feed, position) VALUES ('a', 7)", []))
    known = schema.migrations()
    added = (len(known) + 1, "ALTER TABLE $keyspace.progress ADD note text")
    monkeypatch.setattr(schema, "migrations", lambda: [*known, added])
    assert f"has schema {len(known)}, this program needs {added[0]}" in say_opening(cassandra.port, keyspace)
    assert migrate(cassandra.port, keyspace) == (len(known), added[0])
    assert cql(cassandra.port, (f"SELECT position, note FROM {keyspace}.progress", [])) == [(7, None)]


def test_two_migrations_at_once_make_one_schema(cassandra: Service, keyspace: str) -> None:
    """One gets the lock; the other is told to come again, or finds all done."""

    async def run() -> list[object]:
        stores = [CassandraStore(config_of(cassandra.port, keyspace), FOR_EVER) for _ in range(2)]
        return await asyncio.gather(*(store.migrate() for store in stores), return_exceptions=True)

    known = schema.migrations()[-1][0]
    for outcome in asyncio.run(run()):
        if isinstance(outcome, StoreUnavailable):
            assert "another migration is under way" in str(outcome)
        else:
            assert outcome in ((0, known), (known, known))
    assert migrate(cassandra.port, keyspace) == (known, known)
    migrate_lock = f"SELECT version FROM {keyspace}.schema_versions WHERE what = 'lock'"
    assert cql(cassandra.port, (migrate_lock, [])) == []


def test_an_unknown_datacenter_is_named(cassandra: Service, keyspace: str) -> None:
    """With those that there are."""
    said = 'no datacenter "south" in this cluster, only "datacenter1"'
    assert say_opening(cassandra.port, keyspace, datacenter="south") == said
    assert say_migrating(cassandra.port, keyspace, datacenter="south") == said


def test_a_node_that_is_too_old_is_named(
    cassandra: Service, keyspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real one, measured against a future's needs, since none that old runs on today's Java."""
    monkeypatch.setattr(node, "OLDEST", (6, 0))
    for said in (say_opening(cassandra.port, keyspace), say_migrating(cassandra.port, keyspace)):
        assert said.startswith("a node runs Cassandra 5.") and said.endswith(": 6.0 or later is needed")


class Guarded(Cassandra):
    """A node that asks who one is: its own `cassandra`, with that password, to begin with."""

    def __init__(self) -> None:
        super().__init__(
            heap="512m",
            java_options=(
                "-Dcassandra.config.allow_system_properties=true",
                "-Dcassandra.settings.authenticator=PasswordAuthenticator",
                "-Dcassandra.settings.authorizer=CassandraAuthorizer",
                "-Dcassandra.superuser_setup_delay_ms=0",
            ),
        )

    def is_serving(self, ports: Ports) -> bool:
        """STARTUP is answered by AUTHENTICATE."""
        startup, authenticate = 0x01, 0x03
        body = b"\0\1\0\x0bCQL_VERSION\0\x053.0.0"
        with Wire(ports["client"]) as wire:
            wire.send(bytes([4, 0, 0, 0, startup]) + len(body).to_bytes(4, "big") + body)
            return wire.read(9)[4] == authenticate


@pytest.fixture(scope="module")
def guarded() -> Iterator[Service]:
    with throwaway_root() as root:
        service = Service(Guarded(), Path(root) / "guarded")
        service.start()
        yield service
        service.kill()


def test_wrong_credentials_are_a_misfit_and_right_ones_work(guarded: Service, keyspace: str) -> None:
    """None, a wrong password, the right one; no message shows a password."""
    right = {"user": "cassandra", "password": Password("cassandra")}

    def lets_in() -> bool:  # the first user is made shortly after the port is open
        try:
            asyncio.run(CassandraStore(config_of(guarded.port, keyspace, **right), FOR_EVER).migrate())
        except StoreMisfit:
            return False
        return True

    assert wait_until(lets_in, 60)
    where = f"Cassandra at {HOST} port {guarded.port} refuses user"
    assert say_opening(guarded.port, keyspace).startswith(f"{where} (none given)")
    said = say_opening(guarded.port, keyspace, user="relay", password=Password("ope:nsesame"))
    assert said.startswith(f"{where} relay or the password: ")
    assert "ope:nsesame" not in said

    async def run() -> None:
        async with opened(guarded.port, keyspace, **right) as store:
            assert await store.progress("a") is None

    asyncio.run(run())
