"""The firmware's programs, built once for all tests that need them."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.programs import FIRMWARE, make, why_not
from tests.independent.engine_process import Engine, lot_toml, write_config

READERS = 20  # as many as the load tests have


@pytest.fixture(scope="session")
def built() -> None:
    """Build the host programs. Where no C compiler is, the README promises that all else works: skip."""
    if reason := why_not():
        pytest.skip(reason)
    (FIRMWARE / "build").mkdir(exist_ok=True)
    with (FIRMWARE / "build" / ".lock").open("w") as lock:  # test processes that run at once take turns
        fcntl.flock(lock, fcntl.LOCK_EX)
        make("all")


@pytest.fixture
def engine(built: None, tmp_path: Path) -> Iterator[Engine]:
    """Run an engine for one test, which may stop it."""
    readers = tuple(str(number) for number in range(READERS))
    lots = [lot_toml("south", spots=200), lot_toml("load", spots=5000, readers=readers)]
    with Engine(write_config(tmp_path, *lots)) as running:
        yield running
