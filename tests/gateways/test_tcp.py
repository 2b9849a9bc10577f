"""The engine as a process: its descriptors and its ready file."""

import json
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from liftgate.gateways.tcp import FILES_KEPT, connections_max, write_ready_file


@pytest.fixture
def limit() -> Iterator[int]:
    """The hard limit on open files; both limits are put back."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_takes_the_files_it_needs(limit: int) -> None:
    """A soft limit below readers_max is raised as far as needed."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit))
    assert connections_max(500) == 500
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 500 + FILES_KEPT


def test_fewer_connections_than_asked_for(limit: int) -> None:
    """Where the system allows fewer files, connections leave the journal what it needs."""
    assert connections_max(limit * 2) == limit - FILES_KEPT


def test_ready_file(tmp_path: Path) -> None:
    """The ready file is there whole or not at all."""
    path = tmp_path / "ready"
    write_ready_file(path, {"host": "127.0.0.1", "port": 7400, "pid": 42})
    assert json.loads(path.read_text()) == {"host": "127.0.0.1", "port": 7400, "pid": 42}
    assert [each.name for each in tmp_path.iterdir()] == ["ready"]
