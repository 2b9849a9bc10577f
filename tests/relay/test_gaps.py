"""A gap is left behind once for each time that somebody asks for it, and never forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftgate.relay.gaps import Gap, Gaps


def test_a_wish_is_for_one_gap_of_one_sink(tmp_path: Path) -> None:
    """Another process asks, the relay goes past it, and the next gap needs a wish of its own."""
    gaps, other = Gaps(tmp_path), Gaps(tmp_path, make=False)
    other.want("stream")
    other.want("stream")
    assert (gaps.wanted("stream"), gaps.wanted("history")) == (True, False)
    gaps.skip("stream", Gap(11, 20, 5))
    assert not gaps.wanted("stream")
    assert other.skipped("stream") == [Gap(11, 20, 5)]
    assert (other.skipped("stream")[0].events, other.skipped("history")) == (10, [])


def test_a_wish_without_a_gap_is_over(tmp_path: Path) -> None:
    """It must not wait for one that comes in a year."""
    gaps = Gaps(tmp_path)
    gaps.want("stream")
    gaps.unwish("stream")
    assert (gaps.wanted("stream"), gaps.skipped("stream")) == (False, [])


def test_without_a_relay_there_is_no_file(tmp_path: Path) -> None:
    """make=False: FileNotFoundError and nothing made."""
    with pytest.raises(FileNotFoundError):
        Gaps(tmp_path / "x", make=False)
    assert not (tmp_path / "x").exists()
