"""A store on a real node, in a keyspace of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.history.cassandra.stores import drop
from tests.services.clients import unique


@pytest.fixture
def keyspace(request: pytest.FixtureRequest) -> Iterator[str]:
    """Its name; it goes with the test where the node stays, which slows down with each table it has."""
    name = unique("history")
    yield name
    if "cassandra" in request.fixturenames:
        drop(request.getfixturevalue("cassandra").port, name)
