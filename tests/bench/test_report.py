from __future__ import annotations

import msgspec
import pytest
from rich.console import Console

from liftgate.bench.compare import Meta, Row
from liftgate.bench.report import Printable, comparison, facts

META = Meta(
    "CPython 3.11.2", True, True, "Linux 6 x86_64", 2, 0.1, 5, 3.0, ("engine", "limit", "redis"), "12ab"
)


def row(ratio: float, of_limit: float, p99_ratio: float) -> Row:
    return Row(9e4, 5e4, ratio, 1e5, of_limit, 10, 20, 30, 40, p99_ratio, 15, 8, 20, 2)


def printed(table: Printable) -> str:
    console = Console(width=140, record=True, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


@pytest.mark.parametrize(
    ("figures", "missed"),
    [((1.7, 0.8, 0.7), []), ((1.69, 0.79, 0.71), ["1.69 (> 1.7)", "0.79 (> 0.8)", "0.71 (< 0.7)"])],
)
def test_bars_missed_are_named(figures: tuple[float, float, float], missed: list[str]) -> None:
    """A figure that misses its bar stands with the bar; one at the bar has reached it."""
    text = printed(comparison({"1000x1": row(*figures), "meta": META}))
    assert [word for word in missed if word in text] == missed
    assert ("(>" in text or "(<" in text) == bool(missed)


def test_conditions_stand_below() -> None:
    """Under the table stands with what, where and how often it was measured."""
    text = printed(comparison({"64x1": row(1, 1, 0.5), "meta": META}))
    assert "CPython 3.11.2 (optimised), Liftgate compiled" in text
    assert "median of 5 rounds of 3 s" in text


def test_facts_list_nested_figures() -> None:
    """Other results are listed figure by figure, with what is nested under its name."""

    class Nested(msgspec.Struct):
        outer: int
        inner: dict[str, float]

    lines = [line.strip(" │") for line in printed(facts(Nested(12_345, {"rate": 0.5}))).splitlines()]
    assert any(line.startswith("outer") and line.endswith("12,345") for line in lines)
    assert any(line.startswith("rate") and line.endswith("0.5") for line in lines)
