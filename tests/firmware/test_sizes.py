"""The library fits a small microcontroller."""

import shutil
import subprocess

import pytest

from tests.firmware.board import FIRMWARE

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        shutil.which("arm-none-eabi-gcc") is None, reason="package gcc-arm-none-eabi is needed"
    ),
]


def test_the_library_fits_16_kib_of_code_and_8_kib_of_memory_on_both_cores() -> None:
    """`make sizes` fails where it does not, and prints what takes how much."""
    done = subprocess.run(["make", "-s", "-C", str(FIRMWARE), "sizes"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("of 16384") == 2


def test_a_library_over_its_bounds_is_refused() -> None:
    """The same table with the bound of a smaller part: the check is able to fail."""
    subprocess.run(["make", "-s", "-C", str(FIRMWARE), "sizes"], check=True, stdout=subprocess.DEVNULL)
    less = "import sys; sys.path.insert(0, 'targets'); import sizes; sizes.CODE_BYTES_MAX = 8192; "
    less += "from pathlib import Path; sys.exit(0 if sizes.report(Path('build/size/cortex-m4')) else 3)"
    done = subprocess.run(["python3", "-c", less], cwd=FIRMWARE, capture_output=True, text=True)
    assert done.returncode == 3, done.stdout + done.stderr
