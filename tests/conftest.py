"""What every test run shares: which build it is, said and checked, and Hypothesis without a wall clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

import liftgate
from liftgate import build_info
from tests.services.fixtures import *  # noqa: F403 - fixtures are found by their names in a conftest


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A simulated world turns logs off, a command sets them up: each for itself, not for tests after it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


# A deadline per example would measure the machine's load: these cores are shared with real servers.
settings.register_profile("liftgate", deadline=None, print_blob=True)
settings.load_profile("liftgate")


def pytest_report_header() -> str:
    return f"liftgate: {build_info.describe()}"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop a run that `make test-plain` meant for the plain build but that would test the compiled one."""
    if os.environ.get("LIFTGATE_EXPECT_BUILD") != "plain":
        return
    here = Path(__file__).resolve().parents[1]
    found = Path(liftgate.__file__).resolve().parents[1]
    if build_info.compiled() or found != here:
        raise pytest.UsageError(
            f"expected the plain build in {here}, found {build_info.describe()} in {found}"
        )
