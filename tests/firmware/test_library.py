"""The C library's own tests, run as `make -C firmware test`, `fuzz` and `cost` run them."""

import shutil

import pytest

from tests.firmware.programs import make

pytestmark = pytest.mark.long


def test_the_c_tests_pass_under_the_sanitizers(built: None) -> None:
    """Vectors, conversations cut after every byte, the power of the flash cut at every step."""
    told = make("test")
    assert told.count("[  PASSED  ]") == told.count("== build/test/") >= 3
    assert "FAILED" not in told


def test_fuzzing_finds_nothing_in_seconds(built: None) -> None:
    """The targets build and run; `make fuzz` gives each a minute."""
    if shutil.which("clang") is None and shutil.which("clang-14") is None:
        pytest.skip("libFuzzer is clang's")
    assert make("fuzz", "FUZZ_S=3").count("== ") >= 3


def test_a_decision_costs_a_few_thousand_instructions(built: None) -> None:
    """At most 20,000 of this machine's; callgrind counts, so the figure does not depend on the load."""
    if shutil.which("valgrind") is None:
        pytest.skip("callgrind is valgrind's")
    assert "host instructions" in make("cost")
