"""What several tests of the city need: small random stories, and counting by brute force."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from liftgate.sim.city.stays import Stay, movements, parse
from liftgate.sim.city.traffic import CityLot, Movement, Traffic, count

MINUTE_MS = 60_000
HEADER = "lot,arrival,departure,price_cny,status"


def line(lot: str, came_min: int, left_min: int) -> str:
    """One row of a stays file; minutes count from a midnight, up to two hours."""

    def clock(minutes: int) -> str:
        return f"2018-09-03T{minutes // 60:02}:{minutes % 60:02}"

    return f"{lot},{clock(came_min)},{clock(left_min)},0,1"


spans = st.tuples(st.sampled_from(["A", "B"]), st.integers(0, 60), st.integers(0, 60)).map(
    lambda span: (span[0], span[1], span[1] + span[2] % 20)
)
stay_lists = st.lists(spans, max_size=40).map(lambda rows: parse([HEADER, *(line(*row) for row in rows)]))


def story(stays: list[Stay]) -> Traffic:
    """A story of lots A and B, each large enough, complete from its first to after its last minute."""
    lots = (CityLot("A", 100), CityLot("B", 100))
    moves = tuple(movements(stays))
    times = [move.at_ms for move in moves] or [0]
    return Traffic(lots, moves, count(lots, moves), min(times), max(times) + MINUTE_MS)


def brute_inside(stays: Iterable[Stay], lot: str, at_ms: int) -> int:
    """Cars of the lot that have come and not left by at_ms."""
    return sum(1 for stay in stays if stay.lot == lot and stay.arrived_at_ms <= at_ms < stay.left_at_ms)


def card_times(moves: Iterable[Movement]) -> dict[bytes, list[Movement]]:
    """The movements of each card, in order."""
    of_card: dict[bytes, list[Movement]] = {}
    for move in moves:
        of_card.setdefault(move.token, []).append(move)
    return of_card
