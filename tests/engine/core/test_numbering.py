"""Numberings: what is known, by ranges, and the last 256 answers, in whatever order they came."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.engine.core.events import LaneReported
from liftgate.engine.core.model import Reader
from liftgate.engine.core.numbering import Numbering
from tests.engine.core.lots import Yard, lane_spec

# The bounds as docs/protocol.md and the model's docstrings name them.
ANSWERS_KEPT, GAPS_MAX = 256, 64
NUMBERINGS_MAX, RETIRED_MAX = 4, 4096
NO_MAX = 2**64 - 1


def answer_to(no: int) -> LaneReported:
    event = LaneReported()
    event.no = no
    return event


def filled(numbers: list[int]) -> tuple[Numbering, list[LaneReported]]:
    numbering, answers = Numbering(7), []
    for no in numbers:
        answers.append(answer_to(no))
        numbering.note(no, answers[-1])
    return numbering, answers


def ranges_of(numbers: set[int]) -> tuple[int, list[list[int]]]:
    """done_to and the ranges above it, found the slow way."""
    done_to = next(no for no in range(1, len(numbers) + 2) if no not in numbers) - 1
    ranges: list[list[int]] = []
    for no in sorted(numbers):
        if no > done_to and ranges and ranges[-1][1] == no - 1:
            ranges[-1][1] = no
        elif no > done_to:
            ranges.append([no, no])
    return done_to, ranges


@st.composite
def orders(draw: st.DrawFn) -> list[int]:
    """Numbers of events as they may come: mostly in order, some held back and sent later."""
    numbers = list(range(1, draw(st.integers(1, 900)) + 1))
    for _ in range(draw(st.integers(0, 3))):
        low = draw(st.integers(0, len(numbers)))
        moved = numbers[low : low + draw(st.integers(1, 400))]
        del numbers[low : low + len(moved)]
        at = draw(st.integers(0, len(numbers)))
        numbers[at:at] = moved[:: draw(st.sampled_from([1, -1]))]
    return numbers[: draw(st.integers(1, len(numbers)))]


@given(orders())
def test_what_is_known_is_a_set_and_the_last_256_answers_a_dict(numbers: list[int]) -> None:
    """Whatever the order, has() is membership, ranges are the set's, and the last 256 answers are found."""
    numbering, answers = filled(numbers)
    known = set(numbers)
    assert [no for no in range(1, 1_000) if numbering.has(no)] == sorted(known)
    assert (numbering.done_to, numbering.ranges) == ranges_of(known)
    for event in answers[-ANSWERS_KEPT:]:
        assert numbering.answer(event.no) is event
    for event in answers[:-ANSWERS_KEPT]:
        assert numbering.answer(event.no) in (None, event)
    assert numbering.answer(max(known) + 1) is None


def test_a_backlog_older_than_live_events_pushes_no_young_answer_out() -> None:
    """Live 1000–1199 first, then the backlog 1–999, then 1200: each of the last 256 answers is kept."""
    numbering, answers = filled([*range(1000, 1200), *range(1, 1000), *range(1200, 1300)])
    assert numbering.done_to == 1299
    assert all(numbering.answer(event.no) is event for event in answers[-ANSWERS_KEPT:])


def test_memory_is_bounded_and_falls_back_once_order_returns() -> None:
    """Never more than two times 256 answers, and 256 after as many events in order."""
    numbers = list(range(1, 3_000))
    random.Random(1).shuffle(numbers)
    numbering, _ = filled(numbers)
    assert sum(map(len, numbering.kept())) <= 2 * ANSWERS_KEPT
    for no in range(3_000, 3_000 + ANSWERS_KEPT):
        numbering.note(no, answer_to(no))
    slots, late = numbering.kept()
    assert (len(slots), late, numbering.mixed) == (ANSWERS_KEPT, [], 0)


def test_ranges_are_bounded_but_what_joins_them_still_fits() -> None:
    """With 64 ranges only a number that touches one, or the next after done_to, can be noted."""
    numbering, _ = filled([10 * n for n in range(1, GAPS_MAX + 1)])
    assert len(numbering.ranges) == GAPS_MAX
    assert not numbering.fits(5)
    assert not numbering.fits(10 * GAPS_MAX + 2)
    assert numbering.fits(1)
    assert numbering.fits(9)
    assert numbering.fits(11)
    assert numbering.fits(10 * GAPS_MAX + 1)


def test_the_largest_numbers_are_numbers_like_others() -> None:
    """A reader that begins near 2**64 is counted without wrapping."""
    numbering, _ = filled([NO_MAX, NO_MAX - 2, NO_MAX - 1])
    assert numbering.ranges == [[NO_MAX - 2, NO_MAX]]
    assert numbering.has(NO_MAX)
    assert not numbering.has(NO_MAX - 3)
    assert numbering.fits(NO_MAX - 3)


@given(orders(), st.integers(1, 300))
def test_a_restored_numbering_goes_on_as_the_first_would(numbers: list[int], more: int) -> None:
    """restore() of what kept() gave: the same memory now, and after more events."""
    first, _ = filled(numbers)
    second = Numbering(7)
    second.restore(first.done_to, [[*pair] for pair in first.ranges], first.mixed, *first.kept())
    for no in range(max(numbers) + 1, max(numbers) + 1 + more):
        for numbering in (first, second):
            numbering.note(no, answer_to(no))
    assert first.ranges == second.ranges
    assert first.done_to == second.done_to

    def names(kept: Any) -> list[list[int]]:
        return [[event.no for event in events] for events in kept]

    assert names(first.kept()) == names(second.kept())


def test_a_5th_boot_retires_the_one_longest_unused() -> None:
    """Under a retired boot nothing is decided and no answer is kept; one used in between stays."""
    yard = Yard(r=(lane_spec(0, "both"),))
    for boot in range(1, NUMBERINGS_MAX + 1):
        yard.scan(0, boot=boot, no=1)
    yard.scan(0, boot=1, no=2)
    held = yard.numbering("r", 2)
    yard.scan(0, boot=99, no=1)
    for numbering in (held, yard.numbering("r", 2)):
        assert numbering.retired
        assert numbering.has(12_345)
        assert numbering.answer(1) is None
    assert yard.scan(0, boot=2, no=12_345) is None
    assert yard.scan(0, boot=1, no=2).no == 2
    assert not yard.numbering("r", 3).retired
    yard.check()


def test_the_list_of_retired_boots_is_bounded() -> None:
    """The 4,097th retired boot takes the name of the oldest."""
    reader = Reader("r")
    for boot in range(1, NUMBERINGS_MAX + RETIRED_MAX + 2):
        reader.keep(Numbering(boot))
    assert len(reader.numberings) == NUMBERINGS_MAX
    assert len(reader.retired) == RETIRED_MAX
    assert not reader.numbering(1).retired
    assert reader.numbering(2).retired


def test_two_memories_of_one_boot_are_an_error() -> None:
    """A second object for a kept boot would forget what the first one knows, so it is refused loudly."""
    reader = Reader("r")
    reader.keep(Numbering(7))
    reader.keep(Numbering(8))
    with pytest.raises(ValueError, match="second numbering of boot 7"):
        reader.keep(Numbering(7))
