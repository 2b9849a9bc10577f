"""Recorded stays, as shipped in data/thsparking (source, licence and columns in the README there).

Times in the file are whole minutes, so what happened first within a minute is unknown. Rule, per lot and
minute: cars that came in an earlier minute leave first (that is also how the publisher's peaks were counted
here); then each car that comes and goes within the minute enters and leaves at once; then the others enter.
A stay of zero minutes would otherwise leave before it came. This order gives the lowest peak that the file
allows.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib.resources import files

from liftgate.sim.city.cards import Cards
from liftgate.sim.city.traffic import CityDataError, CityLot, Direction, Movement, Traffic, count

# Asia/Shanghai has had no summer time since 1991; a fixed offset needs no time zone database on the machine.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
# Spaces as the publisher states them.
LOTS = (CityLot("P1", 23), CityLot("P7", 31), CityLot("P8", 27))
# The extract: every stay that touches these six weeks. Monday at seven, so that the story's first hour is a
# busy one.
FROM_LOCAL = "2018-09-03T07:00"
TO_LOCAL = "2018-10-15T07:00"

_FILE = "data/thsparking/stays.csv.gz"
_LEAVES, _PASSES, _ENTERS = range(3)


@dataclass(frozen=True, slots=True)
class Stay:
    """One car in one lot. Unix ms, whole minutes; left_at_ms >= arrived_at_ms; token: card UID, 7 bytes."""

    lot: str
    token: bytes
    arrived_at_ms: int
    left_at_ms: int


def at_ms_of(local: str) -> int:
    """Return the Unix ms of a local time like 2018-09-03T07:00."""
    return int(datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).timestamp()) * 1000


def parse(lines: Iterable[str]) -> list[Stay]:
    """Return the stays of a CSV with columns lot, arrival, departure, in order of arrival, each with its
    card.

    Raises CityDataError, with the row, for a missing column, a time that is none, or a departure before its
    arrival.
    """
    spans = sorted(_span(number, row) for number, row in enumerate(csv.DictReader(lines), start=1))
    pools: dict[str, Cards] = {}
    return [_with_card(pools, lot, came, left) for came, left, _, lot in spans]


def load() -> list[Stay]:
    """Return the shipped stays, in order of arrival."""
    packed = (files(__package__) / _FILE).read_bytes()
    return parse(gzip.decompress(packed).decode("ascii").splitlines())


def movements(stays: Iterable[Stay]) -> list[Movement]:
    """Return the movements in order of time, within a minute by the rule above, then as given."""
    keyed = [entry for number, stay in enumerate(stays) for entry in _both_ways(number, stay)]
    keyed.sort(key=lambda entry: entry[0])
    return [movement for _, movement in keyed]


def recorded() -> Traffic:
    """Return the shipped stays as a story. The truth is counted from the file."""
    moves = tuple(movements(load()))
    return Traffic(LOTS, moves, count(LOTS, moves), at_ms_of(FROM_LOCAL), at_ms_of(TO_LOCAL))


def _span(number: int, row: Mapping[str, str]) -> tuple[int, int, int, str]:
    """Return (arrived, left, row number, lot), which sorts as the cards are given out."""
    try:
        lot, came, left = row["lot"], at_ms_of(row["arrival"]), at_ms_of(row["departure"])
    except (KeyError, TypeError, ValueError) as error:
        raise CityDataError(f"row {number}: {error!r}") from error
    if left < came:
        raise CityDataError(f"row {number}: leaves {row['departure']}, arrives {row['arrival']}")
    return came, left, number, lot


def _with_card(pools: dict[str, Cards], lot: str, came: int, left: int) -> Stay:
    cards = pools.setdefault(lot, Cards(lot))
    number = cards.take(came)
    cards.give_back(number, left)
    return Stay(lot, cards.token(number), came, left)


def _both_ways(number: int, stay: Stay) -> Iterator[tuple[tuple[int, int, int, int], Movement]]:
    """Yield entry and exit, each with its place: (at_ms, rank in the minute, stay, entry before exit)."""
    came, left = stay.arrived_at_ms, stay.left_at_ms
    entry_rank, exit_rank = (_PASSES, _PASSES) if came == left else (_ENTERS, _LEAVES)
    yield (came, entry_rank, number, 0), Movement(came, stay.lot, stay.token, Direction.ENTRY)
    yield (left, exit_rank, number, 1), Movement(left, stay.lot, stay.token, Direction.EXIT)
