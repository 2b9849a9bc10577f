"""Less of a story that still goes wrong, so that somebody can read it.

Delta debugging (A. Zeller, R. Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002), with
complements only: a single happening seldom fails by itself, so trying subsets found little for its time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Fails = Callable[[tuple[int, ...]], bool]
More = Callable[[], bool]


def shrink(kept: Sequence[int], fails: Fails, more: More) -> tuple[int, ...]:
    """A part of `kept` that still fails, of which nothing can be left out, unless `more` ended it early.

    fails: whether the story with only these happenings goes wrong in the same way; more: whether another try
    is allowed. What comes last is tried first: without it, all before it goes as it went.
    """
    left = tuple(kept)
    size = len(left)
    while size:
        shorter = _pass(left, size, fails, more)
        if not more():
            return shorter
        size = min(size // 2 if size > 1 or shorter == left else 1, len(shorter))
        left = shorter
    return left


def _pass(left: tuple[int, ...], size: int, fails: Fails, more: More) -> tuple[int, ...]:
    """Leave out pieces of that size, from the end on."""
    stop = len(left)
    while stop > 0 and more():
        start = max(stop - size, 0)
        shorter = left[:start] + left[stop:]
        if fails(shorter):
            left = shorter
        stop = start
    return left
