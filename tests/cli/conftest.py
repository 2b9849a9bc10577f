"""Fixtures: a configuration of one's own, and an engine that runs on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import commands


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A copy of the demo's configuration in a folder of its own."""
    return commands.demo(tmp_path)


@pytest.fixture
def running(config: Path) -> Iterator[Path]:
    """The configuration that an engine runs on."""
    with commands.engine(config):
        yield config
