"""What rules cost: the simplest lot against the same lot with every theme switched on, side by side."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from liftgate.bench.load import Result, Shape, run_load
from liftgate.bench.servers import Server, bench_folder, cpu_s, engine_config, engine_server, raise_open_files
from liftgate.bench.themes import CARD, LOT, MORE, RULES, give, orders, token
from liftgate.configs.loader import load
from liftgate.engine.configured import lot_spec
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.apply import apply
from liftgate.engine.core.decide import decide
from liftgate.engine.core.lane_spec import lane_spec
from liftgate.engine.core.model import Lot

SHAPES = (Shape(64, 64), Shape(1000, 1))
STAYS = 4096
AT_MS = 1_795_348_800_000


class Pair(msgspec.Struct, frozen=True):
    """One shape: medians of both engines, and how far the one with all rules falls behind.

    falls_by: the share of the simplest lot's decisions a second that is lost; the median over the rounds,
    each measured within one round, so that a machine that others use too slows both. cpu_falls_by: the same
    by processor time for each answer, which suffers least from a busy machine.
    """

    plain_rate: float
    rules_rate: float
    falls_by: float
    plain_p99_ms: float
    rules_p99_ms: float
    plain_cpu_us: float
    rules_cpu_us: float
    cpu_falls_by: float


class StayBytes(msgspec.Struct, frozen=True):
    """State per open stay: memory by what is allocated for it, and in a snapshot."""

    memory: float
    snapshot: float


class Rules(msgspec.Struct, frozen=True):
    """Both engines in turn, by shape, and the bytes of an open stay in either lot."""

    shapes: dict[str, Pair]
    plain_stay: StayBytes
    rules_stay: StayBytes
    rounds: int


class Round(msgspec.Struct, frozen=True):
    """One server's part of a round."""

    result: Result
    cpu_us: float


def rules(
    rounds: int = 5, seconds: float = 2.0, shapes: tuple[Shape, ...] = SHAPES, stays: int = STAYS
) -> Rules:
    """Measure both engines in turn, `rounds` times each shape. Raises LoadFailed on a wrong answer."""
    raise_open_files()
    readers = max(shape.connections for shape in shapes)
    found: dict[str, list[tuple[Round, Round]]] = {str(shape): [] for shape in shapes}
    with bench_folder() as folder, _engines(folder, readers) as (plain, ruled):
        give(ruled, orders(shapes, time.time_ns() // 1_000_000))
        for number in range(rounds):
            for shape in shapes:
                found[str(shape)].append(_round(plain, ruled, shape, seconds, number % 2 == 1))
    with bench_folder() as folder:
        plain_stay, rules_stay = (stay_bytes(folder, themes, stays) for themes in (False, True))
    return Rules({name: _pair(pairs) for name, pairs in found.items()}, plain_stay, rules_stay, rounds)


@contextmanager
def _engines(folder: Path, readers: int) -> Iterator[tuple[Server, Server]]:
    with ExitStack() as stack:
        engines = []
        for name, rules, more in (("plain", "", ""), ("rules", RULES, MORE)):
            (folder / name).mkdir()
            engines.append(stack.enter_context(engine_server(folder / name, readers, rules=rules, more=more)))
        yield engines[0], engines[1]


def _round(plain: Server, ruled: Server, shape: Shape, seconds: float, swap: bool) -> tuple[Round, Round]:
    """Both, one after the other; swap: the other one first, so that neither has always the better half."""
    turns = (ruled, plain) if swap else (plain, ruled)
    found = {server: _turn(server, shape, seconds) for server in turns}
    return found[plain], found[ruled]


def _turn(server: Server, shape: Shape, seconds: float) -> Round:
    before = cpu_s(server)
    result = run_load(server, shape, seconds=seconds, warm_up=min(0.5, seconds))
    return Round(result, (cpu_s(server) - before) / max(result.answers, 1) * 1e6)


def _pair(rounds: list[tuple[Round, Round]]) -> Pair:
    falls = statistics.median(1 - ruled.result.rate / plain.result.rate for plain, ruled in rounds)
    cpu_falls = statistics.median(1 - plain.cpu_us / max(ruled.cpu_us, 1e-9) for plain, ruled in rounds)
    plain, ruled = ([pair[side] for pair in rounds] for side in (0, 1))
    return Pair(
        plain_rate=statistics.median(each.result.rate for each in plain),
        rules_rate=statistics.median(each.result.rate for each in ruled),
        falls_by=round(falls, 3),
        plain_p99_ms=statistics.median(each.result.p99_ms for each in plain),
        rules_p99_ms=statistics.median(each.result.p99_ms for each in ruled),
        plain_cpu_us=round(statistics.median(each.cpu_us for each in plain), 2),
        rules_cpu_us=round(statistics.median(each.cpu_us for each in ruled), 2),
        cpu_falls_by=round(cpu_falls, 3),
    )


# -- state of open stays


def stay_bytes(folder: Path, themes: bool, stays: int) -> StayBytes:
    """What one more open stay costs a lot in memory and in a snapshot, the mean over `stays` of them.

    They come in through one lane of this process's own lot: what a server remembers beside is bounded by
    reader, and no part of it. Half of the cards hold something, as in the rest of the benchmark.
    """
    lot, read = small_lot(folder, themes, Shape(1, stays))
    numbers = iter(range(1, 3 * stays + 257))
    # All come in and go once before: what is kept of a pass with its first use is no stay's.
    for at_ms in (AT_MS, AT_MS + 1):
        for slot in range(stays):
            scan(lot, read, next(numbers), token(0, slot), at_ms)
    tracemalloc.start()
    # The numbering keeps 256 answers: they are there before the count begins, as they are after it.
    for _ in range(256):
        scan(lot, read, next(numbers), b"stranger", AT_MS)
    snapshot = len(state.dump(lot))
    before = tracemalloc.get_traced_memory()[0]
    for slot in range(stays):
        scan(lot, read, next(numbers), token(0, slot), AT_MS + slot)
    memory = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(lot.stays) >= stays, f"{len(lot.stays)} stays of {stays}"
    grown = len(state.dump(lot)) - snapshot
    return StayBytes(round(memory / stays, 1), round(grown / stays, 1))


def small_lot(folder: Path, themes: bool, shape: Shape) -> tuple[Lot, c.ReadCredential]:
    """A lot in this process, by the benchmark's configuration and orders, and a scan at its first reader."""
    path = folder / f"themes-{themes}.toml"
    path.write_text(engine_config(1, 10_000, rules=RULES, more=MORE) if themes else engine_config(1, 10_000))
    config = load(path)
    lot = Lot(LOT)
    _do(lot, c.ConfigureLot(AT_MS, lot_spec(config.lots[0])))
    for reader in config.readers:
        lanes = tuple(lane_spec(lane) for lane in reader.lanes)
        _do(lot, c.ConfigureReader(AT_MS, reader.id, lanes))
    for number, (name, args) in enumerate(orders((shape,), AT_MS) if themes else ()):
        _do(lot, c.Order(AT_MS, number.to_bytes(16, "big"), "bench", name, args))
    _do(lot, c.Tick(AT_MS))
    lane = lot.readers["bench-00000"].lanes[0]
    return lot, c.ReadCredential(lane, lane.reader.numbering(1))


def _do(lot: Lot, command: Any) -> None:
    for event in decide(lot, command):
        apply(lot, event, event.seq)


def scan(lot: Lot, read: c.ReadCredential, no: int, card: bytes, at_ms: int) -> None:
    """One scan of a card, decided and applied."""
    read.no, read.kind, read.token, read.at_ms, read.now_ms = no, CARD, card, at_ms, at_ms
    _do(lot, read)
