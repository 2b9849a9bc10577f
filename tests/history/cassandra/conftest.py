"""A store on a real node, in a keyspace of its own."""

from __future__ import annotations

import pytest

from tests.services.clients import unique


@pytest.fixture
def keyspace() -> str:
    return unique("history")
