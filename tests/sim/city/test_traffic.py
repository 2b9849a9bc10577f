from __future__ import annotations

import pytest

from liftgate.sim.city.traffic import (
    CityDataError,
    CityLot,
    Direction,
    Movement,
    Tally,
    Traffic,
    Truth,
    count,
)

LOT = CityLot("A", 1)


def _move(at_ms: int, direction: Direction = Direction.ENTRY, token: bytes = b"card") -> Movement:
    return Movement(at_ms, "A", token, direction)


def test_truth_is_a_step_series() -> None:
    """The count is 0 before the first step, stands between steps, and takes the last of equal times."""
    truth = Truth({"A": [(10, 1), (20, 2), (20, 1)]})
    assert [truth.inside("A", at_ms) for at_ms in (9, 10, 19, 20, 99)] == [0, 1, 1, 1, 1]
    assert (truth.peak("A"), truth.final("A")) == (2, 1)
    assert truth.steps("A") == [(10, 1), (20, 2), (20, 1)]


def test_truth_of_a_lot_without_movements_is_zero() -> None:
    """A lot that nobody visits is empty all the time."""
    truth = count([LOT], [])
    assert (truth.inside("A", 5), truth.peak("A"), truth.final("A")) == (0, 0, 0)


def test_nobody_leaves_an_empty_lot() -> None:
    """A count below zero is an error in the data, not a number."""
    with pytest.raises(CityDataError, match="leaves the empty lot at 5"):
        Tally([LOT]).add(_move(5, Direction.EXIT))


def test_time_never_goes_back() -> None:
    """Movements out of order are refused: their truth would be wrong in between."""
    tally = Tally([LOT])
    tally.add(_move(5))
    with pytest.raises(CityDataError, match="a movement at 4 after one at 5"):
        tally.add(_move(4, Direction.EXIT))
    assert tally.inside("A") == 1


def test_a_story_above_capacity_is_refused() -> None:
    """An engine would refuse the second car, so such a story cannot be compared with one."""
    moves = (_move(1), _move(2, token=b"other"))
    with pytest.raises(CityDataError, match="2 cars inside at once, capacity 1"):
        Traffic((LOT,), moves, count([LOT], moves), 0, 10)
