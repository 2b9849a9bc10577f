"""One engine per module with a lot of its own for every test that asks, so that counts start at 0."""

from collections.abc import Iterator
from itertools import count

import pytest

from tests.independent.engine_process import Engine, lot_toml, write_config

LOTS = 40  # more than any one module has tests that take a lot


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Run an engine with lot north, as large as the example's, and LOTS small ones."""
    lots = [lot_toml("north", 120, ("entry-1", "witness"))]
    lots += [lot_toml(f"lot{number}") for number in range(LOTS)]
    with Engine(write_config(tmp_path_factory.mktemp("engine"), *lots)) as running:
        yield running


@pytest.fixture(scope="module")
def _lot_numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def lot(_lot_numbers: Iterator[int]) -> str:
    """Return the id of a lot no other test has touched."""
    number = next(_lot_numbers)
    assert number < LOTS, "raise LOTS"
    return f"lot{number}"


@pytest.fixture
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Run an engine for one test, which may stop it."""
    with Engine(write_config(tmp_path_factory.mktemp("own"), lot_toml("south"))) as running:
        yield running
