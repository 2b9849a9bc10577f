"""What readers cost that are signed on and silent: memory each, and time for a scan among them."""

from __future__ import annotations

import msgspec

from liftgate.bench.load import Result, Shape, finish, run_load, started_load, wait_signed_on
from liftgate.bench.servers import Server, bench_folder, engine_server, memory_bytes, raise_open_files

READERS = 10_000
SHAPE = Shape(64, 1)
ROUNDS = 3


class TooFewFiles(RuntimeError):
    """The system does not let one process open as many connections as the benchmark needs."""


class Idle(msgspec.Struct, frozen=True):
    """Memory that each idle reader adds, and the active ones' results alone and among the idle ones.

    bytes_per_reader: the engine's resident memory with the idle readers signed on, less that of an engine
    configured with only the active ones, for each idle reader; so it has the reader's configuration in it.
    """

    readers: int
    bytes_per_reader: float
    alone: Result
    among: Result
    p50_ratio: float
    p99_ratio: float


def idle(readers: int = READERS, seconds: float = 3.0, shape: Shape = SHAPE) -> Idle:
    """Sign on `readers` readers that stay silent, beside the active ones of `shape`.

    Alone and among are measured in turn, and the median round by p99 stands for each. Raises TooFewFiles,
    and LoadFailed on a wrong answer.
    """
    total = readers + shape.connections
    if raise_open_files() < total + 100:
        raise TooFewFiles(f"{total} connections need `ulimit -Hn` to be at least {total + 100}")
    base = _memory_without(shape, seconds)
    with bench_folder() as folder, engine_server(folder, total) as engine:
        alone, among, memory = [], [], []
        for _ in range(ROUNDS):
            alone.append(run_load(engine, shape, seconds=seconds, warm_up=min(1.0, seconds)))
            result, bytes_used = _among(engine, shape, readers, seconds)
            among.append(result)
            memory.append(bytes_used)
    before, after = _median(alone), _median(among)
    return Idle(
        readers=readers,
        bytes_per_reader=round((max(memory) - base) / readers, 1),
        alone=before,
        among=after,
        p50_ratio=round(after.p50_ms / before.p50_ms, 3),
        p99_ratio=round(after.p99_ms / before.p99_ms, 3),
    )


def _memory_without(shape: Shape, seconds: float) -> int:
    # Not the same engine before they sign on: reading ten thousand readers' configuration leaves free memory
    # behind, in which their connections then seem to cost nothing.
    with bench_folder() as folder, engine_server(folder, shape.connections) as engine:
        run_load(engine, shape, seconds=seconds)
        return memory_bytes(engine)


def _among(engine: Server, shape: Shape, readers: int, seconds: float) -> tuple[Result, int]:
    warm_up = min(1.0, seconds)
    with started_load(engine, shape, "--announce", seconds=seconds, warm_up=warm_up, idle=readers) as load:
        wait_signed_on(load)
        bytes_used = memory_bytes(engine)
        return finish(load), bytes_used


def _median(results: list[Result]) -> Result:
    return sorted(results, key=lambda result: result.p99_ms)[len(results) // 2]
