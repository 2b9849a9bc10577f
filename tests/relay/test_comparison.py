"""What is wrong first, and nothing where nothing is: journal and sink side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from liftgate.relay import comparison
from liftgate.relay.comparison import Compared, Difference, Entry, Span, compare, first_difference
from liftgate.relay.dead import How


def entry(position: int, lot: str = "north") -> Entry:
    """A lot's seq is the position here."""
    return Entry(lot, position, position, "ScanDecided", 1000 + position)


def entries(*positions: int) -> list[Entry]:
    return [entry(position) for position in positions]


class Shelves:
    """What a sink has, by lot; `kept_from`: what is older it has not to have."""

    def __init__(self, *there: Entry, kept_from: int = 0) -> None:
        self._there: dict[str, list[Entry]] = {}
        for each in there:
            self._there.setdefault(each.lot, []).append(each)
        self._kept_from = kept_from
        self.asked_most = 0

    def shelf(self, entry: Entry) -> str | None:
        return entry.lot if entry.position >= self._kept_from else None

    async def take(self, shelf: str, count: int) -> Sequence[Entry]:
        self.asked_most = max(self.asked_most, count)
        there = self._there.get(shelf, [])
        taken, self._there[shelf] = there[:count], there[count:]
        return taken

    def shelves(self) -> list[str]:
        return list(self._there)


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ((1, 2, 3, 4), None),
        ((1, 2, 4), "north seq 3 (position 3, ScanDecided) is missing"),
        ((2, 3, 4), "north seq 1 (position 1, ScanDecided) is missing"),
        ((1, 2, 3), "north seq 4 (position 4, ScanDecided) is missing"),
        ((), "north seq 1 (position 1, ScanDecided) is missing"),
        ((1, 2, 2, 3, 4), "north seq 2 (position 2, ScanDecided) is there twice"),
        ((1, 1, 2, 3, 4), "north seq 1 (position 1, ScanDecided) is there twice"),
        ((1, 2, 3, 4, 4), "north seq 4 (position 4, ScanDecided) is there twice"),
        (
            (1, 3, 2, 4),
            "north seq 2 (position 2, ScanDecided) is out of order: "
            "north seq 3 (position 3, ScanDecided) is before it",
        ),
        ((1, 2, 3, 4, 9), "north seq 9 (position 9, ScanDecided) is there and not in the journal"),
        (
            (1, 2, 3, 4, 2),
            "north seq 2 (position 2, ScanDecided) is there behind north seq 4 (position 4, ScanDecided): "
            "out of order, or a second time",
        ),
    ],
)
@pytest.mark.parametrize("piece", [1, 3, comparison.PIECE])
def test_the_first_difference_is_named(
    monkeypatch: pytest.MonkeyPatch, found: tuple[int, ...], wrong: str | None, piece: int
) -> None:
    """A gap, one that is doubled, out of order, or too many, wherever the journal's pieces end."""
    monkeypatch.setattr(comparison, "PIECE", piece)
    told = asyncio.run(compare(entries(1, 2, 3, 4), Shelves(*entries(*found)))).difference
    if wrong is None or piece > 4:
        assert (told and str(told)) == wrong
    else:  # in a piece of one, what comes later cannot be told from what never comes
        assert told is not None and told.entry.position == wrong_position(wrong)


def wrong_position(wrong: str) -> int:
    return int(wrong.split("seq ")[1].split()[0])


def test_an_event_too_many_in_the_middle_is_named() -> None:
    """A row that the journal has not, among those that it has."""
    wanted, more = entries(1, 2, 4), entry(3)
    assert first_difference(wanted, entries(1, 2, 3), None) == Difference(
        more, "is there and not in the journal"
    )


def test_another_event_under_the_same_name_is_a_difference() -> None:
    """(lot, seq) alone is not enough: of a journal that began anew all names come again."""
    other = entry(2)._replace(position=7)
    told = first_difference(entries(1, 2), [entry(1), other], None)
    assert told is not None and told.entry == entry(2)
    assert told.what.startswith("is there as another event: north seq 2 (position 7, ")


def test_of_several_lots_the_earliest_difference_is_told() -> None:
    """Two lots miss one each: the one that comes first in the journal is named."""
    journal = [entry(1, "b"), entry(2, "a"), entry(3, "b"), entry(4, "a")]
    told = asyncio.run(compare(journal, Shelves(journal[0], journal[1]))).difference
    assert told == Difference(journal[2], "is missing")


def test_what_was_to_be_kept_no_longer_is_not_compared() -> None:
    """Retention took the beginning: that is no difference, and it is counted."""
    told = asyncio.run(compare(entries(1, 2, 3, 4), Shelves(*entries(3, 4), kept_from=3)))
    assert told == Compared(None, 2, 2)


def test_a_long_journal_is_asked_for_in_pieces() -> None:
    """However long it is, no more than a piece is in memory."""
    count = 3 * comparison.PIECE + 1
    shelves = Shelves(*(entry(position) for position in range(1, count + 1)))
    told = asyncio.run(compare((entry(position) for position in range(1, count + 1)), shelves))
    assert told == Compared(None, count, 0)
    assert shelves.asked_most == comparison.PIECE


def test_a_span_has_both_its_ends() -> None:
    """And nothing beyond."""
    assert [position for position in range(5) if position in Span(1, 3)] == [1, 2, 3]


@pytest.mark.parametrize("piece", [1, 3, comparison.PIECE])
@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        ((1, 3, 4, 2), None),
        ((1, 2, 3, 4), None),
        ((1, 3, 4), "north seq 2 (position 2, ScanDecided) is missing, though it was sent again"),
        ((1, 2, 3, 4, 2), "north seq 2 (position 2, ScanDecided) is there twice"),
        ((1, 4, 2), "north seq 3 (position 3, ScanDecided) is missing"),
        ((1, 3, 4, 2, 5), "north seq 5 (position 5, ScanDecided) is there though it was dropped"),
    ],
)
def test_letters_that_were_sent_again_or_dropped_have_no_place_in_the_order(
    monkeypatch: pytest.MonkeyPatch, found: tuple[int, ...], wrong: str | None, piece: int
) -> None:
    """The one must be there once, wherever, the other must not; the rest is in order as ever."""
    monkeypatch.setattr(comparison, "PIECE", piece)
    settled: dict[int, How] = {2: "resent", 5: "dropped"}
    told = asyncio.run(compare(entries(1, 2, 3, 4, 5), Shelves(*entries(*found)), settled))
    assert (told.difference and str(told.difference)) == wrong
    if wrong is None:
        assert told == Compared(None, 4, 0, 1, 1)


def test_a_letter_that_is_kept_no_longer_is_not_missed() -> None:
    """Retention took what was sent again, too."""
    told = asyncio.run(compare(entries(1, 2, 3), Shelves(*entries(3), kept_from=3), {2: "resent"}))
    assert told == Compared(None, 1, 2)
