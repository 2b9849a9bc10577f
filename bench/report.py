"""Tables of the benchmarks' figures for people; the bars they are held to stand beside them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table

from liftgate.bench.compare import Meta, Row

Printable = RenderableType

P99_RATIO_MAX = 0.7
RATIO_MIN = {"1000x1": 1.7, "64x16": 3.0, "64x64": 4.0}
OF_LIMIT_MIN = {"1000x1": 0.8}


def comparison(result: Mapping[str, object]) -> Printable:
    """The comparison with Redis and the limit: one line for each shape, then how it was measured."""
    table = Table("shape", title="Durable answers a second (connections x in flight), one client for all")
    for heading in (
        "engine",
        "Redis",
        "x Redis",
        "limit",
        "of limit",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "p99 : Redis",
    ):
        table.add_column(heading, justify="right")
    for shape, row in result.items():
        if isinstance(row, Row):
            table.add_row(shape, *_cells(shape, row))
    meta = result["meta"]
    return Group(table, _conditions(meta)) if isinstance(meta, Meta) else table


def _cells(shape: str, row: Row) -> list[str]:
    return [
        f"{row.rate:,.0f}",
        f"{row.redis_rate:,.0f}",
        _held(row.ratio, RATIO_MIN.get(shape)),
        f"{row.limit_rate:,.0f}",
        _held(row.of_limit, OF_LIMIT_MIN.get(shape)),
        f"{row.p50_ms:.2f}",
        f"{row.p99_ms:.2f}",
        f"{row.p999_ms:.2f}",
        _held(-row.p99_ratio, -P99_RATIO_MAX),
    ]


def _held(value: float, bar: float | None) -> str:
    """The figure, green if it is at or above its bar, red with the bar if not; negative: at or below."""
    if bar is None:
        return f"{value:.2f}"
    if value >= bar:
        return f"[green]{abs(value):.2f}[/]"
    return f"[red]{abs(value):.2f} ({'<' if bar < 0 else '>'} {abs(bar)})[/]"


def _conditions(meta: Meta) -> str:
    optimised = {True: "optimised", False: "not optimised", None: "optimised or not: unknown"}[meta.optimised]
    return (
        f"{meta.python} ({optimised}), Liftgate {'compiled' if meta.compiled else 'plain'}; {meta.machine}, "
        f"{meta.cores} cores, load before {meta.load_before}; median of {meta.rounds} rounds of "
        f"{meta.seconds:g} s; the same answers from {', '.join(meta.servers)}: {meta.hash}"
    )


def facts(result: msgspec.Struct) -> Printable:
    """Any other benchmark's result, one line for each figure; what is nested is indented under its name."""
    table = Table(type(result).__name__.lower(), "", show_header=True)
    for name, value in _lines(msgspec.to_builtins(result), ""):
        table.add_row(name, value)
    return table


def _lines(values: Mapping[str, object], indent: str) -> list[tuple[str, str]]:
    lines = []
    for name, value in values.items():
        nested = isinstance(value, dict)
        lines.append(
            (indent + name, "" if nested else f"{value:,}" if isinstance(value, int | float) else str(value))
        )
        if isinstance(value, dict):
            lines += _lines(value, indent + "  ")
    return lines
