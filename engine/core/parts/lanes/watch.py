"""What is watched at lanes: tailgates, cars that back out, forced barriers, vends, readers gone silent."""

from bisect import insort
from collections.abc import Iterator
from typing import Any

from liftgate.codecs.events.lanes import LaneDown, LaneUp, RateExceeded
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.configs.rules.lanes import Lanes
from liftgate.engine.core.model import Lot
from liftgate.engine.core.passages import BACKED_OUT, FOLLOWED, FORCED

HOUR_MS = 3_600_000

TAILGATES, BACKOUTS, FORCINGS, VENDS = "tailgates", "backouts", "forced_barriers", "vends"
WHAT = {FOLLOWED: TAILGATES, BACKED_OUT: BACKOUTS, FORCED: FORCINGS}
_WORDS = {
    TAILGATES: "cars followed another without a credential",
    BACKOUTS: "cars backed out",
    FORCINGS: "times the barrier was forced",
    VENDS: "times the barrier was raised by hand",
}

Key = tuple[str, int, str]
"""Reader, lane and what was counted."""


class Watch:
    """times: of the last hour, at most one more than is allowed; down: readers, and since when."""

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.most: dict[str, int] = {}
        self.times: dict[Key, list[int]] = {}
        self.exceeded: dict[Key, None] = {}
        self.down: dict[str, int] = {}
        self.down_after_ms = 0

    def configure(self, rules: Lanes | None) -> None:
        """Take the rules; what is no longer counted or watched is forgotten."""
        found = rules or Lanes(down_after_s=0)
        limits = {
            TAILGATES: found.tailgates_max,
            BACKOUTS: found.backouts_max,
            FORCINGS: found.forced_max,
            VENDS: found.vends_max,
        }
        self.most = {what: most for what, most in limits.items() if most is not None}
        self.down_after_ms = found.down_after_s * 1000
        if not self.down_after_ms:
            self.down.clear()
        self.times = {key: times for key, times in self.times.items() if key[2] in self.most}
        self._look()

    # -- rates

    def count(self, reader: str, lane: int, what: str, at_ms: int) -> bool:
        """Count one; whether it is one too many within an hour.

        One out of history counts in its own time, as far as that is within an hour of the latest. What is
        exceeded stays as it is until its finding is made: a clock that jumps would count it down again.
        """
        most = self.most.get(what)
        key = (reader, lane, what)
        if most is None or key in self.exceeded:
            return most is not None
        times = self.times.setdefault(key, [])
        insort(times, at_ms)
        times[:] = [time for time in times if time > times[-1] - HOUR_MS][-(most + 1) :]
        if len(times) > most:
            self.exceeded[key] = None
        return key in self.exceeded

    def _look(self) -> None:
        """Find anew what is exceeded, after a snapshot or other limits."""
        self.exceeded = {key: None for key, times in self.times.items() if len(times) > self.most[key[2]]}

    def due(self, now_ms: int) -> Iterator[list[OperatorEvent]]:
        """A finding for each rate exceeded, with the event that begins the count anew."""
        for reader, lane, what in self.exceeded:
            count = len(self.times[reader, lane, what])
            text = f"{count} {_WORDS[what]} within an hour at lane {lane} of {reader}"
            about = {"reader": reader, "lane": lane, "count": count, "most": self.most[what]}
            yield [
                RateExceeded(self.lot.id, 0, now_ms, reader, lane, what, count),
                FindingMade(self.lot.id, 0, now_ms, what, text, about),
            ]

    def told(self, event: RateExceeded) -> None:
        """The finding is made."""
        key = (event.reader, event.lane, event.what)
        self.times.pop(key, None)
        self.exceeded.pop(key, None)

    # -- readers

    def away(self, reader: str, since_ms: int, now_ms: int) -> list[OperatorEvent]:
        """A reader has been silent for long: down, if that is news, with its finding."""
        if reader in self.down or not self.down_after_ms or not self._lanes(reader):
            return []
        lanes = self._lanes(reader)
        silent_s = max(0, now_ms - since_ms) // 1000
        text = f"reader {reader} has not been heard for {silent_s} s; lanes {', '.join(map(str, lanes))}"
        about = {"reader": reader, "lanes": list(lanes), "since_ms": since_ms}
        return [
            LaneDown(self.lot.id, 0, now_ms, reader, lanes, since_ms),
            FindingMade(self.lot.id, 0, now_ms, "lane_down", text, about),
        ]

    def seen(self, reader: str, now_ms: int) -> list[OperatorEvent]:
        """A reader is there: up, if it was down."""
        since_ms = self.down.get(reader)
        if since_ms is None:
            return []
        return [LaneUp(self.lot.id, 0, now_ms, reader, self._lanes(reader), since_ms)]

    def _lanes(self, reader: str) -> tuple[int, ...]:
        known = self.lot.readers.get(reader)
        return () if known is None else tuple(known.lanes)

    def relink(self) -> None:
        """A reader without lanes is gone: nobody waits to hear from it. Nor is a lane counted then."""
        for reader in [reader for reader in self.down if not self._lanes(reader)]:
            del self.down[reader]
        self.times = {key: times for key, times in self.times.items() if key[1] in self._lanes(key[0])}
        self._look()

    def dump(self) -> Any:
        return {"times": [[*key, times] for key, times in self.times.items()], "down": dict(self.down)}

    def load(self, data: Any) -> None:
        self.times = {(reader, lane, what): times for reader, lane, what, times in data["times"]}
        self.down = dict(data["down"])
        self._look()
