from __future__ import annotations

import msgspec

from liftgate.bench.compare import SAME_WORK, SAME_WORK_SCANS, Meta, Row, compare
from liftgate.bench.load import Shape

KEYS = {
    "rate",
    "redis_rate",
    "ratio",
    "limit_rate",
    "of_limit",
    "p50_ms",
    "p99_ms",
    "p999_ms",
    "redis_p99_ms",
}
WORD = (1 << 64) - 1


def mixed(value: int) -> int:
    """The finalizer of MurmurHash3 (64 bits), which bench/loadgen.c uses."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = ((value ^ value >> 33) * factor) & WORD
    return value ^ value >> 33


def test_compares_tiny() -> None:
    """A tiny comparison has every promised figure, and all servers gave the answers the work calls for."""
    result = compare(rounds=1, seconds=0.1, shapes=[Shape(8, 1), Shape(8, 4)])
    assert set(result) == {"8x1", "8x4", "meta"}
    for shape in ("8x1", "8x4"):
        row = result[shape]
        assert isinstance(row, Row)
        assert set(msgspec.to_builtins(row)) > KEYS | {"p99_ratio"}
        assert row.redis_rate > 0
        assert row.limit_rate > 0
        assert row.rate > 0
    meta = result["meta"]
    assert isinstance(meta, Meta)
    assert set(meta.servers) >= {"limit", "redis"}
    assert meta.hash == f"{same_work_hash():016x}"


def same_work_hash() -> int:
    """The sum over every scan of (connection, card, how many before it) answered "open", mixed."""
    return (
        sum(
            mixed(connection << 40 ^ card << 32 ^ scan ^ 1 << 60)
            for connection in range(SAME_WORK.connections)
            for card in range(SAME_WORK.in_flight)
            for scan in range(SAME_WORK_SCANS)
        )
        & WORD
    )
