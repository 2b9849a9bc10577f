"""Free spots: the tree of bitmaps is a sorted set that is quick at its lowest."""

from __future__ import annotations

import random

import pytest

from liftgate.engine.core.spots import FreeSpots

SIZES = [0, 1, 2, 63, 64, 65, 4095, 4096, 4097]


@pytest.mark.parametrize("size", [*SIZES, 1_000_000])
def test_a_new_block_is_free_from_1_to_its_count(size: int) -> None:
    """The lowest is 1, the last is its count, and nothing beyond either end exists."""
    spots = FreeSpots(size)
    assert (spots.free, spots.lowest()) == (size, min(size, 1))
    assert spots.is_free(size) == (size > 0)
    assert not any(map(spots.is_free, (-1, 0, size + 1, size + 64)))
    assert not any(map(spots.take, (-1, 0, size + 1)))
    assert not any(map(spots.release, (-1, 0, size, size + 1)))
    assert spots.free == size


@pytest.mark.parametrize("size", SIZES)
def test_lowest_first_until_full_then_whatever_comes_back(size: int) -> None:
    """Spots are given in order; a full block gives none; a spot given back is the next one given."""
    spots = FreeSpots(size)
    for number in range(1, size + 1):
        assert spots.lowest() == number
        assert spots.take(number)
        assert not spots.take(number), "taken twice"
    assert (spots.lowest(), spots.free) == (0, 0)
    for number in range(size, 0, -1):
        assert spots.release(number)
        assert not spots.release(number), "given back twice"
        assert spots.lowest() == number


@pytest.mark.parametrize("size", [*SIZES, 1_000_000])
def test_random_takes_and_releases_agree_with_a_sorted_set(size: int) -> None:
    """Taking the lowest or any number, and giving back, always leaves the set that it should."""
    dice = random.Random(size)
    spots, taken = FreeSpots(size), set[int]()
    for _ in range(3_000):
        lowest = spots.lowest()
        gap = next((number for number in range(1, size + 1) if number not in taken), 0)
        assert lowest == gap
        number = dice.choice((lowest, dice.randint(0, size + 1), dice.randint(1, 130)))
        if dice.random() < 0.6:
            assert spots.take(number) == (1 <= number <= size and number not in taken)
            taken |= {number} if 1 <= number <= size else set()
        else:
            assert spots.release(number) == (number in taken)
            taken -= {number}
        assert spots.free == size - len(taken)


def test_the_last_of_a_million_is_found() -> None:
    """With all but the last spot taken, that one is the lowest."""
    spots = FreeSpots(1_000_000)
    assert all(spots.take(number) for number in range(1, 1_000_000))
    assert spots.lowest() == 1_000_000
    assert spots.release(777_777)
    assert spots.lowest() == 777_777
