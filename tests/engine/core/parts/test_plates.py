"""How far two readings of a plate are apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.engine.core.parts.plates import PLATE_MAX, edits, normal

PLATES = st.text("ABO018IL", max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("BAB123", "BAB123", 0),
        ("BAB123", "8AB123", 0.5),
        ("BOI5", "8015", 1.5),
        ("BAB123", "BAX123", 1),
        ("BAB123", "BAB12", 1),
        ("", "AB", 2),
        ("ABC", "XYZ", 3),
    ],
)
def test_a_lookalike_counts_a_half_and_any_other_character_one(one: str, other: str, apart: float) -> None:
    """Changed, left out or added."""
    assert edits(one, other) == edits(other, one) == apart


@given(PLATES, PLATES, PLATES)
def test_the_distance_is_one(a: str, b: str, c: str) -> None:
    """None from itself, and no way round is shorter."""
    assert edits(a, a) == 0
    assert (edits(a, b) == 0) == (a == b)
    assert edits(a, c) <= edits(a, b) + edits(b, c)


@pytest.mark.parametrize(
    ("token", "plate"),
    [(b"b-ab 123", "BAB123"), ("m-ü 7".encode(), "MÜ7"), (b"\xff\xfe", ""), (b"A" * 500, "A" * PLATE_MAX)],
)
def test_a_plate_is_its_letters_and_digits(token: bytes, plate: str) -> None:
    """In capitals, whatever stands between them, and not longer than plates are."""
    assert normal(token) == plate
