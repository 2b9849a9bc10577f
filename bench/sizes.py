"""Does a large lot cost more than a small one? The same cards in lots of 100 to 1,000,000 spots."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack

import msgspec

from liftgate.bench.load import Shape, run_load
from liftgate.bench.servers import bench_folder, engine_server, raise_open_files

SIZES = (100, 10_000, 1_000_000)
SHAPE = Shape(6, 16)
"""96 cards: they fit the lot of 100, and fill it to the last spots."""


class Sizes(msgspec.Struct, frozen=True):
    """Median durable answers a second by lot size, and the share by which the largest lot is slower."""

    rates: dict[str, float]
    falls_by: float
    rounds: int


def sizes(rounds: int = 3, seconds: float = 2.0, spots: Sequence[int] = SIZES, shape: Shape = SHAPE) -> Sizes:
    """Measure an engine for each size in turn, `rounds` times. Raises LoadFailed on a wrong answer."""
    raise_open_files()
    found: dict[int, list[float]] = {count: [] for count in spots}
    with bench_folder() as folder, ExitStack() as stack:
        engines = {}
        for count in spots:
            (folder / str(count)).mkdir()
            engines[count] = stack.enter_context(engine_server(folder / str(count), shape.connections, count))
        for _ in range(rounds):
            for count, engine in engines.items():
                result = run_load(engine, shape, seconds=seconds, warm_up=min(1.0, seconds))
                found[count].append(result.rate)
    rates = {str(count): statistics.median(rates) for count, rates in found.items()}
    return Sizes(rates, round(1 - rates[str(spots[-1])] / rates[str(spots[0])], 3), rounds)
