"""Rules of reservations in the file: what is taken, and what is said of a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.configs.rules import mistakes, read_theme
from liftgate.configs.rules.reservations import HoldStep, Reservations


def test_all_keys_are_read() -> None:
    """Each into its place; an empty table is the defaults."""
    data = {"early_s": 60, "hold": [{"before_s": 600, "percent": 50}], "overbooking_percent": 120}
    found = read_theme("reservations", data)
    assert found == Reservations(early_s=60, hold=(HoldStep(600, 50),), overbooking_percent=120)
    assert read_theme("reservations", {}) == Reservations()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"overbooking_percent": 151}, "overbooking_percent"),
        ({"overbooking_percent": 99}, "overbooking_percent"),
        ({"late_s": -1}, "late_s"),
        ({"waiting_max": 501}, "waiting_max"),
        ({"nonsense": 1}, "nonsense"),
        ({"hold": [{"before_s": 60, "percent": 50}, {"before_s": 600, "percent": 80}]}, "later"),
        ({"hold": [{"before_s": 600, "percent": 50}, {"before_s": 60, "percent": 50}]}, "keeps more"),
    ],
)
def test_a_mistake_is_named(data: dict[str, Any], word: str) -> None:
    """With the key or the reason."""
    ((theme, why),) = mistakes({"reservations": data})
    assert theme == "reservations"
    assert word in why
