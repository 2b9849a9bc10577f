"""A story shrinks to what makes it fail."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from liftgate.sim.world.shrink import shrink


def always() -> bool:
    """No bound."""
    return True


@given(st.integers(1, 80).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1)))))
def test_only_what_matters_is_left(drawn: tuple[int, set[int]]) -> None:
    """What needs certain happenings together ends with exactly those, in their order."""
    count, needed = drawn
    assert shrink(range(count), needed.issubset, always) == tuple(sorted(needed))


@given(st.integers(2, 60), st.integers(2, 9))
def test_nothing_can_be_left_out_of_the_result(count: int, least: int) -> None:
    """Also where any of many would do: here, so and so many of them."""
    result = shrink(range(count), lambda kept: len(kept) >= min(least, count), always)
    assert len(result) == min(least, count)


def test_what_fails_by_itself_ends_empty() -> None:
    """If no happening matters, none is told."""
    assert shrink(range(40), lambda kept: True, always) == ()


def test_the_bound_holds() -> None:
    """When no more tries are allowed, what was reached by then is the result, and it still fails."""
    tries = iter(range(9))
    result = shrink(range(100), {3, 97}.issubset, lambda: next(tries, None) is not None)
    assert {3, 97} <= set(result) and len(result) < 100


def test_tries_are_few() -> None:
    """Two out of 400 take far fewer tries than there are happenings."""
    tried = []

    def fails(kept: tuple[int, ...]) -> bool:
        tried.append(kept)
        return {20, 300} <= set(kept)

    assert shrink(range(400), fails, always) == (20, 300)
    assert len(tried) < 60
