"""Dead letters are kept once each, durably, and counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftgate.relay import dead
from liftgate.relay.dead import REASON_CHARACTERS_MAX, DeadLetters, Letter


def letter(position: int, sink: str = "a", reason: str = "no") -> Letter:
    return Letter(sink, position, "north", position, 5, reason, 1, False, b"raw")


def test_refused_again_is_one_letter_with_the_newer_reason(tmp_path: Path) -> None:
    """The same position of the same sink: attempts go up, a wish to send it is over."""
    letters = DeadLetters(tmp_path)
    letters.put([letter(1)])
    assert letters.want("a", [1]) == 1
    letters.put([letter(1, reason="still no")])
    assert letters.find() == [letter(1, reason="still no")._replace(attempts=2)]


def test_sinks_are_apart(tmp_path: Path) -> None:
    """Counts, wishes and drops are of one sink."""
    letters = DeadLetters(tmp_path)
    letters.put([letter(1), letter(2), letter(1, "b")])
    assert (letters.count("a"), letters.count("b")) == (2, 1)
    letters.want("a", None)
    assert [w.position for w in letters.wanted("a", 10)] == [1, 2]
    assert letters.wanted("b", 10) == []
    assert (letters.drop("a", None), letters.count("b")) == (2, 1)


def test_they_are_found_by_sink_lot_and_position(tmp_path: Path) -> None:
    """find() filters, in the order of positions."""
    letters = DeadLetters(tmp_path)
    letters.put([letter(3), letter(2), letter(1, "b"), letter(4)._replace(lot="south")])
    assert [found.position for found in letters.find()] == [1, 2, 3, 4]
    assert [found.position for found in letters.find("a", "north", after=2)] == [3]
    assert [found.position for found in letters.find(lot="south")] == [4]
    assert letters.get("a", 1) is None


def test_they_outlive_the_process_and_another_one_sees_them(tmp_path: Path) -> None:
    """Two open the file at once, as relay and command line do; a long reason is cut."""
    letters, other = DeadLetters(tmp_path), DeadLetters(tmp_path)
    letters.put([letter(1, reason="x" * 5000)])
    assert [len(found.reason) for found in other.find()] == [REASON_CHARACTERS_MAX]
    letters.close()
    other.close()
    assert DeadLetters(tmp_path).count("a") == 1


def test_a_folder_without_a_relay_is_not_made(tmp_path: Path) -> None:
    """make=False: FileNotFoundError and nothing made."""
    with pytest.raises(FileNotFoundError):
        DeadLetters(tmp_path / "x", make=False)
    assert not (tmp_path / "x").exists()


def test_what_became_of_letters_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent again or dropped, by sink and position; of more than the bound the latest."""
    monkeypatch.setattr(dead, "SETTLED_MAX", 2)
    letters = DeadLetters(tmp_path)
    letters.put([letter(1), letter(2), letter(3), letter(1, "b")])
    letters.resent("a", 2)
    assert letters.drop("a", [1]) == 1
    assert letters.settled("a") == {1: "dropped", 2: "resent"}
    assert letters.settled("b") == {}
    assert letters.drop("a", None) == 1
    assert letters.settled("a") == {2: "resent", 3: "dropped"}
    assert letters.drop("a", [7]) == 0
    assert letters.settled("a") == {2: "resent", 3: "dropped"}
