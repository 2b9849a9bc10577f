"""Tidal lanes: both ways, one at a time, with time to clear the lane in between."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events.lanes import TideTurned
from liftgate.codecs.events.operators import OperatorEvent
from liftgate.configs.rules.hours import DAYS, minutes
from liftgate.configs.rules.lanes import Tide, Turn
from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.parts.base import NEVER
from liftgate.engine.core.parts.local_time import at, local_day, zone_of

Key = tuple[str, int]
"""A lane: its reader's id and its number."""

WAYS = {"in": codes.IN, "out": codes.OUT, "closed": 0}


class Running(msgspec.Struct, frozen=True, array_like=True):
    """How a lane runs. until_ms: when what was ordered by hand is over, 0 never; actor "": by schedule."""

    run: str
    clear_until_ms: int
    since_ms: int
    until_ms: int
    actor: str
    reason: str


class Tides:
    """The tides of one lot. tidal: the lanes that have one, each in its `tide` for the rule."""

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.running: dict[Key, Running] = {}
        self.tidal: list[Lane] = []
        self.rules: dict[Key, Tide] = {}
        self.clearing_s = 0
        self._said: dict[Key, tuple[int, str, int, str]] = {}

    def configure(self, tides: tuple[Tide, ...], clearing_s: int) -> None:
        """Take the rules. What was running goes on until the schedule says otherwise."""
        self.rules = {(tide.reader, tide.lane): tide for tide in tides}
        self.clearing_s = clearing_s
        self._said.clear()

    # -- looking

    def lane(self, key: Key) -> Lane | None:
        """The lane, where it is there and leads both ways."""
        reader = self.lot.readers.get(key[0])
        lane = None if reader is None else reader.lanes.get(key[1])
        return lane if lane is not None and lane.direction == "both" else None

    def turn(
        self, key: Key, run: str, now_ms: int, until_ms: int = 0, actor: str = "", reason: str = ""
    ) -> TideTurned:
        """The event by which a lane runs another way."""
        clear_until_ms = self._clear_until(key, run, now_ms)
        return TideTurned(self.lot.id, 0, now_ms, *key, run, clear_until_ms, until_ms, actor, reason)

    def _clear_until(self, key: Key, run: str, now_ms: int) -> int:
        """Cars of the way before, or of both where there was no tide, have time to leave the lane."""
        tide = self.rules.get(key)
        clearing_s = self.clearing_s if tide is None or tide.clearing_s is None else tide.clearing_s
        before = self.running.get(key)
        if run == "off":
            return 0
        if before is not None and before.run in (run, "closed"):
            return before.clear_until_ms
        return now_ms + clearing_s * 1000

    def scheduled(self, key: Key, now_ms: int) -> tuple[str, int]:
        """What the schedule says now, and when it says something again: remembered until then."""
        timezone = self.lot.timezone
        asked_ms, run, next_ms, where = self._said.get(key, (0, "off", 0, timezone))
        if not asked_ms <= now_ms < next_ms or where != timezone:
            tide = self.rules.get(key)
            run, next_ms = ("off", NEVER) if tide is None else turn_at(tide.schedule, timezone, now_ms)
            self._said[key] = (now_ms, run, next_ms, timezone)
        return run, next_ms

    # -- time

    def due(self, now_ms: int) -> Iterator[OperatorEvent]:
        """Turns by schedule, and ends of what was ordered by hand."""
        for key in {**self.rules, **self.running}:
            before = self.running.get(key)
            if self.lane(key) is None or (before is not None and _by_hand(before, now_ms)):
                continue
            run, _ = self.scheduled(key, now_ms)
            if run != ("off" if before is None else before.run) or (before is not None and before.until_ms):
                yield self.turn(key, run, now_ms)

    def next_ms(self, now_ms: int) -> int:
        """When one of them turns, if nothing does now."""
        ends = [tide.until_ms for tide in self.running.values() if tide.until_ms > now_ms]
        return min([NEVER, *ends, *(self.scheduled(key, now_ms)[1] for key in self.rules)])

    # -- changing

    def turned(self, event: TideTurned) -> None:
        """A lane runs another way, or both ways."""
        key = (event.reader, event.lane)
        self.running.pop(key, None)
        if event.run != "off" or (event.actor and key in self.rules):
            self.running[key] = Running(
                event.run, event.clear_until_ms, event.at_ms, event.until_ms, event.actor, event.reason
            )
        self.relink()

    def relink(self) -> None:
        """Point at the lanes as they are now; what ran at one that is gone is forgotten."""
        for key in [key for key in self.running if self.lane(key) is None]:
            del self.running[key]
        before, self.tidal = self.tidal, []
        for lane in before:
            lane.tide = None
        for key, tide in self.running.items():
            found = self.lane(key)
            if found is not None and tide.run in WAYS:
                found.tide = (WAYS[tide.run], tide.clear_until_ms, tide.since_ms)
                self.tidal.append(found)
        self.lot.choose_rules([*before, *self.tidal])

    def dump(self) -> Any:
        return [[*key, msgspec.to_builtins(tide)] for key, tide in self.running.items()]

    def load(self, data: Any) -> None:
        for reader, number, tide in data:
            self.running[reader, number] = msgspec.convert(tide, Running)
        self.relink()


def _by_hand(tide: Running, now_ms: int) -> bool:
    """Whether it runs so by an order that still holds."""
    return bool(tide.actor) and (not tide.until_ms or tide.until_ms > now_ms)


def turn_at(schedule: tuple[Turn, ...], timezone: str, now_ms: int) -> tuple[str, int]:
    """The run in force by a weekly schedule, "off" for an empty one, and the next turn's time.

    A time of day that a change of the clocks leaves out is taken as if they had not changed yet.
    """
    zone = zone_of(timezone)
    today = local_day(now_ms, zone)
    turns = []
    for days in range(-8, 9):
        date = today + timedelta(days=days)
        for turn in schedule:
            if DAYS[date.weekday()] in turn.days:
                turns.append((at(date, minutes(turn.at), zone), turn.run))
    turns.sort(key=lambda turn: turn[0])
    run = next((run for at_ms, run in reversed(turns) if at_ms <= now_ms), "off")
    return run, next((at_ms for at_ms, _ in turns if at_ms > now_ms), NEVER)
