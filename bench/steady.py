"""A steady stream of scans (open loop): how long an answer takes when the server is far from its limit."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from liftgate.bench.compare import bench_servers
from liftgate.bench.load import Result, Shape, run_load
from liftgate.bench.servers import Server, raise_open_files

SHAPE = Shape(1000, 16)
"""A reader sends one scan in 0.2 s; the other fifteen places keep the timetable through a hiccup of 3 s."""
RATE = 5_000


class Steady(msgspec.Struct, frozen=True):
    """The median round of each server, by p99, at the same rate; p99_ratio is the engine's to the limit's."""

    scans_per_s: float
    connections: int
    rounds: int
    p99_ratio: float
    servers: dict[str, Result]


def steady(rounds: int = 3, seconds: float = 5.0, rate: float = RATE, shape: Shape = SHAPE) -> Steady:
    """Send `rate` scans a second by timetable to the engine and the limit in turn, `rounds` times.

    Latency counts from the scheduled time. Raises LoadFailed on a wrong answer.
    """
    raise_open_files()
    found: dict[str, list[Result]] = {}
    with bench_servers(shape.connections, redis=False) as servers:
        for _ in range(rounds):
            for server in servers:
                found.setdefault(server.kind, []).append(_round(server, shape, seconds, rate))
    medians = {kind: _median(results) for kind, results in found.items()}
    engine = medians.get("engine")
    ratio = engine.p99_ms / medians["limit"].p99_ms if engine else 0.0
    return Steady(rate, shape.connections, rounds, round(ratio, 3), medians)


def _round(server: Server, shape: Shape, seconds: float, rate: float) -> Result:
    return run_load(server, shape, seconds=seconds, warm_up=min(1.0, seconds), rate=rate)


def _median(results: Sequence[Result]) -> Result:
    return sorted(results, key=lambda result: result.p99_ms)[len(results) // 2]
