"""The one screen of `liftgate up`: lanes, occupancy with the truth beside it, rates. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from liftgate.codecs import messages as m
from liftgate.sim.city.reader import LaneState

BAR_CELLS = 14
UP_MS = 400
"""How long a lane is shown open after its barrier went up: in the story cars pass in an instant."""

_SUBTITLE = "[dim]Ctrl-C ends in order and compares[/]"
_MODES = {2: "held open", 3: "closed", 4: "closed to all", 5: "known only"}


class LotRow(NamedTuple):
    """One lot. truth: cars by the data, None for a lot that the city leaves alone."""

    id: str
    name: str
    capacity: int
    engine: int
    truth: int | None


class LaneRow(NamedTuple):
    """One lane of one reader."""

    reader: str
    state: LaneState


class Screen(NamedTuple):
    """Everything shown. now_ms: Unix time; elapsed_s: of the run; rate: decisions a second, lately.

    hint: what to try meanwhile.
    """

    title: str
    clock: str
    elapsed_s: float
    now_ms: int
    lots: tuple[LotRow, ...]
    lanes: tuple[LaneRow, ...]
    decided: int
    rate: float
    position: int
    readers: int
    refused: int
    hint: str


def render(screen: Screen) -> RenderableType:
    """The screen as rich draws it."""
    hint = Text(screen.hint, style="dim")
    # What matters most comes first: a low terminal cuts the rest off.
    body = Group(_head(screen), _sums(screen), _lots(screen.lots), _lanes(screen), hint)
    return Panel(body, title="[bold]liftgate[/] up", subtitle=_SUBTITLE, padding=(0, 1))


def bar(share: float, cells: int = BAR_CELLS) -> Text:
    """A bar of that share, to half a cell; what is above 1 is drawn as 1."""
    halves = round(max(0.0, min(share, 1.0)) * cells * 2)
    full = "━" * (halves // 2) + "╸" * (halves % 2)
    style = "red" if share >= 1 else "yellow" if share >= 0.85 else "green"
    return Text.assemble((full, style), ("━" * (cells - len(full)), "grey30"))


def _head(screen: Screen) -> RenderableType:
    grid = Table.grid(expand=True)
    grid.add_column()
    grid.add_column(justify="right")
    minutes, seconds = divmod(int(screen.elapsed_s), 60)
    grid.add_row(Text(screen.title), Text(f"{screen.clock}   {minutes}:{seconds:02}", style="bold"))
    return grid


def _lots(lots: Iterable[LotRow]) -> Table:
    table = Table(box=SIMPLE_HEAD, expand=True, header_style="dim", pad_edge=False)
    for name in ("lot", "", "occupancy"):
        table.add_column(name, no_wrap=True)
    for name, width in (("engine", 6), ("of", 3), ("truth", 5), ("", 1)):
        table.add_column(name, justify="right", no_wrap=True, min_width=width)
    for lot in lots:
        table.add_row(
            Text(lot.id, style="bold"),
            lot.name,
            bar(lot.engine / lot.capacity if lot.capacity else 0.0),
            Text(str(lot.engine), style="bold"),
            str(lot.capacity),
            *_truth(lot),
        )
    return table


def _truth(lot: LotRow) -> tuple[Text, Text]:
    if lot.truth is None:
        return Text("yours", style="dim"), Text("")
    mark = ("✓", "green") if lot.truth == lot.engine else ("≠", "yellow")
    return Text(str(lot.truth)), Text(*mark)


def _lanes(screen: Screen) -> Table:
    table = Table(box=SIMPLE_HEAD, expand=True, header_style="dim", pad_edge=False)
    for name in ("lane", "way", "barrier", "card", "last decision"):
        table.add_column(name, no_wrap=True)
    table.add_column("spot", justify="right", no_wrap=True)
    for row in screen.lanes:
        table.add_row(*_lane_cells(row, screen.now_ms))
    return table


def _lane_cells(row: LaneRow, now_ms: int) -> Iterator[RenderableType]:
    state = row.state
    yield Text(f"{row.reader}/{state.config.number}", style="bold")
    yield Text(state.config.direction)
    yield _barrier(state, now_ms)
    yield Text(state.token.hex().upper(), style="dim")
    yield _decision(state.last)
    yield Text((state.last.spot if state.last is not None else None) or "")


def _barrier(state: LaneState, now_ms: int) -> Text:
    opened = state.last is not None and state.last.verdict == m.OPEN
    up = now_ms - max(state.decided_at_ms if opened else 0, state.vended_at_ms) < UP_MS
    if state.mode != 1:
        return Text(_MODES.get(state.mode, str(state.mode)), style="yellow")
    return Text("▲ up", style="bold green") if up else Text("▬ down", style="dim")


def _decision(decision: m.Decision | None) -> Text:
    if decision is None:
        return Text("")
    if decision.verdict == m.OPEN:
        return Text(f"open: {decision.text}", style="green")
    return Text(f"refused: {decision.text}", style="bold red")


def _sums(screen: Screen) -> Text:
    refused = (f"{screen.refused} refused", "red" if screen.refused else "dim")
    return Text("   ").join(
        (
            Text.assemble((f"{screen.decided:,}", "bold"), " decisions"),
            Text.assemble((f"{screen.rate:,.0f}", "bold"), " a second"),
            Text.assemble("journal position ", (f"{screen.position:,}", "bold")),
            Text.assemble((str(screen.readers), "bold"), " readers"),
            Text(*refused),
        )
    )
