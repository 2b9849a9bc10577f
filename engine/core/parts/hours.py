"""When a lot is closed for entry, as spans of Unix time."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from liftgate.configs.rules.hours import DAYS, minutes
from liftgate.configs.rules.limits import Closed
from liftgate.engine.core.parts.local_time import at, local_day

AROUND_DAYS = 9
"""A week and the night after it on either side: every weekly hour is in it."""


class ClosedHours:
    """When a lot is closed for entry, as edges in time around the last time it was asked about."""

    def __init__(self, closed: tuple[Closed, ...], zone: ZoneInfo) -> None:
        self.closed = closed
        self.zone = zone
        self.from_ms = 0
        self.to_ms = 0
        self.edges: list[int] = []

    def span(self, at_ms: int) -> tuple[int, int, bool]:
        """(from, to, closed): how it is at at_ms, and since when and until when it is so, as far as is
        seen.
        """
        if not self.from_ms <= at_ms < self.to_ms:
            self._look_around(at_ms)
        place = bisect_right(self.edges, at_ms)
        begin = self.edges[place - 1] if place else self.from_ms
        end = self.edges[place] if place < len(self.edges) else self.to_ms
        return begin, end, place % 2 == 1

    def _look_around(self, at_ms: int) -> None:
        middle = local_day(at_ms, self.zone)
        days = [middle + timedelta(ahead) for ahead in range(-AROUND_DAYS, AROUND_DAYS + 1)]
        spans = sorted(span for day in days for span in self._on(day))
        self.edges = []
        for begin, end in spans:
            if self.edges and begin <= self.edges[-1]:
                self.edges[-1] = max(self.edges[-1], end)
            else:
                self.edges += [begin, end]
        # The first and the last day may lack what began before or ends after: they are not answered from
        # here.
        self.from_ms, self.to_ms = at(days[1], 0, self.zone), at(days[-1], 0, self.zone)

    def _on(self, day: date) -> Iterable[tuple[int, int]]:
        """What begins on that day. A time that the clocks leave out counts as an hour later; where that is
        after the end, nothing is left of it.
        """
        for closed in self.closed:
            if DAYS[day.weekday()] in closed.days:
                begin, end = minutes(closed.from_), minutes(closed.to)
                end += 1440 if end <= begin else 0
                from_ms, to_ms = at(day, begin, self.zone), at(day, end, self.zone)
                if from_ms < to_ms:
                    yield from_ms, to_ms
