from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.sim.city.synthetic import CAR_PARKS, Curve, birmingham, curve, generate, load_shares
from liftgate.sim.city.traffic import CityDataError, CityLot, Direction, Traffic, count
from tests.sim.city.stories import card_times

HALF_HOUR_MS = 1_800_000
DAY_MS = 86_400_000


@cache
def _small() -> Traffic:
    return birmingham(seed=7, capacity=40)


def _curve(name: str, capacity: int, targets: list[int], step_ms: int = HALF_HOUR_MS) -> Curve:
    return Curve(CityLot(name, capacity), tuple(i * step_ms + 1 for i in range(len(targets))), tuple(targets))


curves = st.integers(0, 12).flatmap(
    lambda capacity: st.lists(st.integers(0, capacity), min_size=2, max_size=8).map(
        lambda targets: _curve("A", capacity, targets)
    )
)


def test_shares_are_read_with_gaps_left_out() -> None:
    """Each car park has rising times within the four weeks, shares from 0 to 1, and no reading made up."""
    shares = load_shares()
    assert {park: len(readings) for park, readings in shares.items()} == {
        "BHMEURBRD01": 466,
        "BHMBCCMKT01": 466,
        "Shopping": 466,
        "Others-CCCPS135a": 466,
    }
    for readings in shares.values():
        assert readings == sorted(readings)
        assert all(0.0 <= share <= 1.0 for _, share in readings)
    assert shares["Shopping"][0] == (1_478_505_600_000, 0.285417)  # 2016-11-07 08:00 UTC


def test_a_curve_is_scaled_to_the_nearest_car() -> None:
    """A share becomes cars of the given capacity, halves upwards, a full one exactly full."""
    made = curve(CityLot("A", 10), [(1, 0.0), (2, 0.249), (3, 0.25), (4, 1.0)])
    assert made.targets == (0, 2, 3, 10)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    """A share outside 0…1 would make targets that no lot can hold."""
    with pytest.raises(CityDataError, match="A: share"):
        curve(CityLot("A", 10), [(1, share)])


@given(curves, st.integers(), st.floats(0, 4))
def test_targets_are_met_and_capacity_is_kept(wanted: Curve, seed: int, turnover: float) -> None:
    """Whatever the draws, every target is met exactly and no lot is ever overfull or below empty."""
    made = generate([wanted], seed, turnover)
    met = tuple(made.truth.inside("A", at_ms - 1) for at_ms in wanted.at_ms)
    assert met == wanted.targets
    assert made.truth.peak("A") <= wanted.lot.capacity


@given(curves, st.integers())
def test_the_truth_counted_on_the_way_is_that_of_the_movements(wanted: Curve, seed: int) -> None:
    """Counting the finished movements again gives the same series."""
    made = generate([wanted], seed, 2.0)
    assert made.truth.steps("A") == count([wanted.lot], made.movements).steps("A")


def test_one_seed_is_one_story() -> None:
    """The same seed gives the same movements, another seed others."""
    assert birmingham(7, capacity=40).movements == _small().movements
    assert birmingham(8, capacity=40).movements != _small().movements


def test_a_lot_more_leaves_the_others_story() -> None:
    """Each lot draws for itself, so what one lot does doesn't depend on who is beside it."""
    alone = generate([_curve("A", 9, [3, 8, 2])], 5)
    beside = generate([_curve("B", 9, [9, 0, 9]), _curve("A", 9, [3, 8, 2])], 5)
    assert [m for m in beside.movements if m.lot == "A"] == list(alone.movements)


def test_cards_alternate_and_time_never_goes_back() -> None:
    """Every card enters, leaves, and may come again; all lots' movements are in one order of time."""
    times = [m.at_ms for m in _small().movements]
    assert times == sorted(times)
    for mine in card_times(_small().movements).values():
        ways = [m.direction for m in mine]
        assert ways == ([Direction.ENTRY, Direction.EXIT] * len(ways))[: len(ways)]


def test_turnover_adds_to_the_net_change() -> None:
    """About as many cars are exchanged as the model says, and at night none."""
    day = generate([_curve("A", 1000, [500] * 49)], 3, turnover_per_hour=0.25)
    entries = sum(m.direction is Direction.ENTRY for m in day.movements) - 500
    assert 2_750 < entries < 3_250  # 24 h × 0.25 × 500 = 3,000; the bounds are 4.5 standard deviations
    night = generate([_curve("A", 1000, [500, 500], step_ms=DAY_MS)], 3, turnover_per_hour=0.25)
    assert len(night.movements) == 500


def test_published_capacities_are_the_default() -> None:
    """Without a capacity the lots are as large as they were."""
    small = {lot.id: lot.capacity for lot in _small().lots}
    assert small == dict.fromkeys(CAR_PARKS, 40)
    assert CAR_PARKS["Shopping"] == 1920


@pytest.mark.parametrize("given_curves", [[], [_curve("A", 5, [3])]])
def test_a_story_needs_two_targets(given_curves: list[Curve]) -> None:
    """Nothing can move between fewer than two readings."""
    with pytest.raises(CityDataError, match="two targets"):
        generate(given_curves, 1)
