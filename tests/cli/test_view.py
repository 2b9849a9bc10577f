"""What the screen of `liftgate up` shows."""

from __future__ import annotations

import pytest
from rich.console import Console

from liftgate.codecs import messages as m
from liftgate.commands.view import UP_MS, LaneRow, LotRow, Screen, bar, render
from liftgate.configs.schema import LaneConfig
from liftgate.sim.city.reader import LaneState

NOW_MS = 1_700_000_000_000
LANE = LaneConfig(
    number=0, direction="entry", area="P1", gate=None, confirm=True, cards="open", kinds=("card",)
)


def decision(verdict: int, text: str, spot: str | None = None) -> m.Decision:
    """A decision as it is shown."""
    return m.Decision(1, verdict, 0 if verdict == m.OPEN else 300, None, spot, text, None, 1, 9)


def shown(*lanes: LaneState, lots: tuple[LotRow, ...] = (), width: int = 100) -> list[str]:
    """The lines of a screen with these lanes and lots."""
    rows = tuple(LaneRow(f"reader-{number}", lane) for number, lane in enumerate(lanes))
    screen = Screen("engine demo", "Sat 10:20", 61.0, NOW_MS, lots, rows, 1234, 17.4, 2345, 8, 0, "try this")
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(render(screen))
    return console.export_text().splitlines()


def lane_line(state: LaneState) -> str:
    """The line of one lane."""
    return next(line for line in shown(state) if "reader-0/0" in line)


def test_rates_and_position() -> None:
    """Decisions, their rate and the journal's position are there, with what to try."""
    text = "\n".join(shown())
    assert "1,234 decisions   17 a second   journal position 2,345   8 readers   0 refused" in text
    assert "1:01" in text and "try this" in text


def test_a_lane_is_up_for_a_moment_after_it_opened() -> None:
    """Up right after the decision, down again when the car has had time to pass; refused: never up."""
    opened = LaneState(
        LANE, last=decision(m.OPEN, "Welcome", "P1-A-003"), token=b"\x04\xab", decided_at_ms=NOW_MS
    )
    assert "▲ up" in lane_line(opened)
    assert "04AB" in lane_line(opened) and "P1-A-003" in lane_line(opened)
    opened.decided_at_ms -= UP_MS
    assert "▬ down" in lane_line(opened)
    refused = LaneState(LANE, last=decision(m.REFUSE, "Full"), decided_at_ms=NOW_MS)
    assert "▬ down" in lane_line(refused) and "refused: Full" in lane_line(refused)


def test_an_operators_mode_is_shown() -> None:
    """A lane that was closed says so in place of its barrier."""
    assert "closed" in lane_line(LaneState(LANE, mode=3))


def test_truth_stands_beside_the_count() -> None:
    """Equal counts get a tick, others a sign; a lot that the city leaves alone is yours."""
    lots = (LotRow("P1", "One", 23, 4, 4), LotRow("P7", "Seven", 31, 5, 6), LotRow("n", "North", 9, 0, None))
    lines = shown(lots=lots)
    assert [line.split()[-2] for line in lines if any(lot.name in line for lot in lots)] == [
        "✓",
        "≠",
        "yours",
    ]


@pytest.mark.parametrize(
    ("share", "full"), [(0.0, 0.0), (0.25, 2.5), (0.5, 5.0), (1.0, 10.0), (1.3, 10.0), (-1, 0)]
)
def test_a_bar(share: float, full: float) -> None:
    """As long as it is told, to half a cell, and never longer than its place."""
    drawn = bar(share, 10)
    coloured = drawn.plain[: drawn.spans[0].end] if full else ""
    assert len(drawn.plain) == 10
    assert coloured.count("━") + coloured.count("╸") / 2 == full
