"""The contract of every store, on a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from deploy.services import Service
from liftgate.history.cassandra.store import CassandraStore
from liftgate.history.cassandra.tables import Keeping
from liftgate.history.port import EventRow
from tests.history import contract
from tests.history.cassandra.stores import config_of, drop
from tests.services.clients import unique

pytestmark = pytest.mark.long


class Node:
    """A keeper of stores in one keyspace; its clock stands at the contract's own noon, whatever the year."""

    def __init__(self, port: int, keyspace: str) -> None:
        self._config = config_of(port, keyspace)

    def store(self) -> CassandraStore:
        return CassandraStore(self._config, Keeping(days=30, token_hours=24), lambda: contract.NOON)

    def poison(self, row: EventRow) -> EventRow:
        """Not UTF-8, which the node finds out; half a surrogate pair would not even reach it."""
        return row._replace(value=b"\xff\xfe")


@pytest.fixture(scope="module")
def keeper(cassandra: Service) -> Iterator[Node]:
    keyspace = unique("history")
    node = Node(cassandra.port, keyspace)
    asyncio.run(node.store().migrate())
    yield node
    drop(cassandra.port, keyspace)


@pytest.mark.parametrize("case", contract.CASES, ids=contract.name)
def test_the_contract(case: Callable[[Node], Awaitable[None]], keeper: Node) -> None:
    """Each case of tests/history/contract.py, whose docstring says what is promised."""

    async def run() -> None:
        await case(keeper)

    asyncio.run(run())
