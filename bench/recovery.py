"""How fast the engine comes back: what one run wrote, replayed after a kill."""

from __future__ import annotations

import msgspec

from liftgate.bench.load import Shape, run_load
from liftgate.bench.servers import bench_folder, engine_server, kill, raise_open_files

SHAPE = Shape(64, 16)
SCANS = 500
"""For each of the 1,024 cards: half a million scans, seconds to replay, so that starting up weighs little."""


class Recovery(msgspec.Struct, frozen=True):
    """scans: written live and replayed; rates are scans a second, ratio is replay to live.

    replay_s: time to be ready after the kill, less that with an empty journal (empty_s).
    """

    scans: int
    live_rate: float
    replay_rate: float
    ratio: float
    replay_s: float
    empty_s: float


def recovery(scans: int = SCANS, shape: Shape = SHAPE) -> Recovery:
    """Write with `shape`, kill the engine, start it again. Raises LoadFailed on a wrong answer."""
    raise_open_files()
    with bench_folder() as folder:
        with engine_server(folder, shape.connections) as engine:
            empty_s = engine.ready_s
            live = run_load(engine, shape, scans=scans)
            kill(engine)
        with engine_server(folder, shape.connections) as engine:
            # Of a tiny journal nothing may be left to see beside the start itself.
            replay_s = max(engine.ready_s - empty_s, 0.001)
            run_load(engine, shape, scans=2)
    return Recovery(
        scans=live.answers,
        live_rate=live.rate,
        replay_rate=round(live.answers / replay_s, 1),
        ratio=round(live.answers / replay_s / live.rate, 3),
        replay_s=round(replay_s, 3),
        empty_s=round(empty_s, 3),
    )
