"""The comparison that decides what is fast: Redis, the limit and the engine, by one client in one run."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from liftgate import build_info
from liftgate.bench.load import LoadFailed, Result, Shape, run_load
from liftgate.bench.servers import (
    Server,
    bench_folder,
    cpu_s,
    engine_server,
    limit_server,
    raise_open_files,
    redis_server,
)

SHAPES = (Shape(64, 1), Shape(1000, 1), Shape(64, 16), Shape(64, 64))
WARM_UP_S = 1.0
SAME_WORK = Shape(16, 4)
SAME_WORK_SCANS = 20


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """One shape: medians over the rounds. Rates are durable answers a second, times milliseconds.

    cpu_us is the server's processor time for each answer, in microseconds: of all these it says most on a
    busy machine. The engine's fields are 0 where only Redis and the limit were run.
    """

    rate: float
    redis_rate: float
    ratio: float
    limit_rate: float
    of_limit: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    redis_p99_ms: float
    p99_ratio: float
    limit_p99_ms: float
    cpu_us: float
    redis_cpu_us: float
    limit_cpu_us: float


class Meta(msgspec.Struct, frozen=True):
    """Where and how it was measured. hash: of the answers to a fixed amount of work, alike for all."""

    python: str
    optimised: bool | None
    compiled: bool
    machine: str
    cores: int
    load_before: float
    rounds: int
    seconds: float
    servers: tuple[str, ...]
    hash: str


class Sample(msgspec.Struct, frozen=True):
    """One run: the client's result and the server's processor time for each answer, in microseconds."""

    result: Result
    cpu_us: float


Samples = dict[tuple[str, str], list[Sample]]


def compare(rounds: int = 5, seconds: float = 3.0, shapes: Sequence[Shape] = SHAPES) -> dict[str, object]:
    """Measure every shape on every server in turn, for that many rounds; returns rows by shape, and "meta".

    seconds: of measuring, for one shape on one server in one round; a warm-up of a second comes before.
    Raises LoadFailed on a wrong answer, or if the servers answer the same work differently.
    """
    raise_open_files()
    load_before = os.getloadavg()[0]
    samples: Samples = {}
    hashes = set()
    for _ in range(rounds):
        with bench_servers(max(shape.connections for shape in (*shapes, SAME_WORK))) as servers:
            hashes |= {run_load(server, SAME_WORK, scans=SAME_WORK_SCANS).hash for server in servers}
            for shape in shapes:
                for server in servers:
                    samples.setdefault((str(shape), server.kind), []).append(_sample(server, shape, seconds))
    if len(hashes) != 1:
        raise LoadFailed(f"the same scans were answered in {len(hashes)} different ways: {sorted(hashes)}")
    kinds = tuple(sorted({kind for _, kind in samples}))
    meta = _meta(load_before, rounds, seconds, kinds, hashes.pop())
    return {**{str(shape): _row(samples, str(shape)) for shape in shapes}, "meta": meta}


@contextmanager
def bench_servers(readers: int, redis: bool = True) -> Iterator[list[Server]]:
    """Redis if wanted, the limit, and the engine, all running.

    They run side by side, idle but for their turn, so that what is compared was measured seconds, not
    minutes, apart.
    """
    with bench_folder() as folder, ExitStack() as stack:
        servers = [stack.enter_context(redis_server(_made(folder / "redis")))] if redis else []
        servers.append(stack.enter_context(limit_server(_made(folder / "limit"))))
        servers.append(stack.enter_context(engine_server(_made(folder / "engine"), readers)))
        yield servers


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _sample(server: Server, shape: Shape, seconds: float) -> Sample:
    before_s = cpu_s(server)
    result = run_load(server, shape, seconds=seconds, warm_up=min(WARM_UP_S, seconds))
    return Sample(result, (cpu_s(server) - before_s) * 1e6 / result.answers)


def _row(samples: Samples, shape: str) -> Row:
    redis, limit = _medians(samples[shape, "redis"]), _medians(samples[shape, "limit"])
    engine = _medians(samples.get((shape, "engine"), []))
    return Row(
        rate=engine["rate"],
        redis_rate=redis["rate"],
        ratio=round(engine["rate"] / redis["rate"], 3),
        limit_rate=limit["rate"],
        of_limit=round(engine["rate"] / limit["rate"], 3),
        p50_ms=engine["p50_ms"],
        p99_ms=engine["p99_ms"],
        p999_ms=engine["p999_ms"],
        redis_p99_ms=redis["p99_ms"],
        p99_ratio=round(engine["p99_ms"] / redis["p99_ms"], 3),
        limit_p99_ms=limit["p99_ms"],
        cpu_us=engine["cpu_us"],
        redis_cpu_us=redis["cpu_us"],
        limit_cpu_us=limit["cpu_us"],
    )


def _medians(samples: Sequence[Sample]) -> dict[str, float]:
    if not samples:
        return dict.fromkeys(("rate", "p50_ms", "p99_ms", "p999_ms", "cpu_us"), 0.0)
    found = {
        name: statistics.median(getattr(sample.result, name) for sample in samples)
        for name in ("rate", "p50_ms", "p99_ms", "p999_ms")
    }
    return {**found, "cpu_us": round(statistics.median(sample.cpu_us for sample in samples), 2)}


def _meta(load_before: float, rounds: int, seconds: float, servers: tuple[str, ...], answers: str) -> Meta:
    return Meta(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        optimised=build_info.interpreter_optimised(),
        compiled=build_info.compiled(),
        machine=f"{platform.system()} {platform.release()} {platform.machine()}",
        cores=os.cpu_count() or 0,
        load_before=round(load_before, 2),
        rounds=rounds,
        seconds=seconds,
        servers=servers,
        hash=answers,
    )
