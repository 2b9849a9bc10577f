"""Forged tickets: scans of honest readers while others hold garbage before theirs as fast as they can."""

from __future__ import annotations

import signal
import statistics

import msgspec

from liftgate.bench.load import Result, Shape, finish, run_load, started_load, wait_signed_on
from liftgate.bench.proofs import PUBLIC
from liftgate.bench.servers import Server, bench_folder, engine_server, raise_open_files
from liftgate.codecs.credentials import ticket
from liftgate.codecs.credentials.ticket import Ticket

HONEST = Shape(100, 16)
RATE = 2_000
"""Honest scans a second: 100 lanes with a car every 20 s each would be 5."""
FLOOD = Shape(64, 16)
"""As many tickets as one reader may have waiting for a proof, at each of 64."""
FORGER = bytes(range(1, 33))
LONGEST_S = 3_600.0
SPOTS = 10_000
RULES = f"""
[[lot.rules.tickets.keys]]
kid = "2026a"
public = "{PUBLIC.hex()}"
"""


class Beside(msgspec.Struct, frozen=True):
    """Honest scans in one kind of company: medians of the rounds. flood_rate: what the others got, answers a
    second.
    """

    p50_ms: float
    p99_ms: float
    max_ms: float
    flood_rate: float


class Forged(msgspec.Struct, frozen=True):
    """alone: nobody else scans; cards: others scan cards that are let in, as fast as they can; forged: others
    hold forged tickets, each another, as fast as they can.

    p99_ratio: of honest scans beside forged tickets to those alone; to_cards: to those beside cards. Medians
    of the rounds, in each of which all three are measured one after the other.
    """

    rounds: int
    rate: float
    p99_ratio: float
    to_cards: float
    alone: Beside
    cards: Beside
    forged: Beside


def forged(rounds: int = 5, seconds: float = 3.0, rate: float = RATE) -> Forged:
    """Measure `rate` honest scans a second for `seconds` in each company. Raises LoadFailed."""
    raise_open_files()
    kinds: dict[str, tuple[str, ...] | None] = {"alone": None, "cards": (), "forged": ("--forged", token())}
    found: dict[str, list[tuple[Result, float]]] = {kind: [] for kind in kinds}
    with bench_folder() as folder:
        with engine_server(folder, HONEST.connections + FLOOD.connections, SPOTS, rules=RULES) as engine:
            for _ in range(rounds):
                for kind, flags in kinds.items():
                    found[kind].append(_measure(engine, flags, seconds, rate))
    p99 = {kind: [result.p99_ms for result, _ in results] for kind, results in found.items()}
    return Forged(
        rounds=rounds,
        rate=rate,
        p99_ratio=_ratio(p99["forged"], p99["alone"]),
        to_cards=_ratio(p99["forged"], p99["cards"]),
        alone=_median(found["alone"]),
        cards=_median(found["cards"]),
        forged=_median(found["forged"]),
    )


def token() -> str:
    """A ticket that says all that a good one says, signed by somebody else."""
    said = Ticket(cti=bytes(8), lot="bench", expires_s=1_900_000_000, single_use=True)
    return ticket.issue(said, "2026a", "ed25519", FORGER).decode()


def _measure(
    engine: Server, flags: tuple[str, ...] | None, seconds: float, rate: float
) -> tuple[Result, float]:
    """Honest scans, and how many answers a second the others got meanwhile."""
    warm_up = min(1.0, seconds)
    if flags is None:
        return run_load(engine, HONEST, seconds=seconds, warm_up=warm_up, rate=rate), 0.0
    with started_load(
        engine, FLOOD, "--announce", "--first", str(HONEST.connections), *flags, seconds=LONGEST_S
    ) as flood:
        wait_signed_on(flood)
        honest = run_load(engine, HONEST, seconds=seconds, warm_up=warm_up, rate=rate)
        flood.send_signal(signal.SIGTERM)
        return honest, finish(flood).rate


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(one / other for one, other in zip(ours, theirs, strict=True)), 2)


def _median(results: list[tuple[Result, float]]) -> Beside:
    return Beside(
        p50_ms=statistics.median(result.p50_ms for result, _ in results),
        p99_ms=statistics.median(result.p99_ms for result, _ in results),
        max_ms=statistics.median(result.max_ms for result, _ in results),
        flood_rate=round(statistics.median(rate for _, rate in results)),
    )
