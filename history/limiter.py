"""How many writes may be in flight: a limit that follows latency, since no store says what it can take.

Additive increase, multiplicative decrease: while the limit is what holds writes back and they are quick, one
more for each limit's worth of answers; when one is slow or fails, a part of it goes at once. No clock and no
waiting inside; whoever writes measures and waits.

Until the first cut it grows with each answer instead, or a backlog would be half written before the limit is
what the store can take. Slow is a fixed time. Rejected: so many times the usual, as batches here have 1 to
500 rows and take 1 to 50 ms on one and the same idle node.
"""

from __future__ import annotations

SLOW_S = 0.5
"""Ten times what a batch takes on a busy two-core node: more means that it queues there and helps nobody."""
START, LEAST, MOST = 4, 1, 32
"""One in flight always: only a write can find out that the store is well again. 32 of the largest batches
(8 MiB all in all) saturate a node many times over."""
KEPT_WHEN_SLOW, KEPT_WHEN_FAILED = 0.75, 0.5


class Limiter:
    """Counts what is in flight. `begin` when there is room, then `end` once, whatever came of it."""

    __slots__ = ("_answers_until_cut", "_limit", "_most", "_was_cut", "in_flight", "slow_s")

    def __init__(self, start: int = START, most: int = MOST, slow_s: float = SLOW_S) -> None:
        self.slow_s = slow_s
        self.in_flight = 0
        self._most = most
        self._limit = float(start)
        self._answers_until_cut = 0
        self._was_cut = False

    @property
    def limit(self) -> int:
        return int(self._limit)

    def has_room(self) -> bool:
        return self.in_flight < self.limit

    def begin(self) -> None:
        """Count one more. Raises RuntimeError where there is no room: the caller was to wait."""
        if not self.has_room():
            raise RuntimeError(f"{self.in_flight} writes in flight, {self.limit} may be")
        self.in_flight += 1

    def end(self, latency_s: float, failed: bool = False) -> None:
        """One came back after so long. failed: the store could not be had, or not in time."""
        if self.in_flight < 1:
            raise RuntimeError("more writes ended than began")
        was_full = self.in_flight >= self.limit
        self.in_flight -= 1
        self._answers_until_cut -= 1
        if failed or latency_s > self.slow_s:
            self._cut(KEPT_WHEN_FAILED if failed else KEPT_WHEN_SLOW)
        elif was_full:  # one that was never reached says nothing about what the store can take
            self._limit = min(self._limit + (1 / self._limit if self._was_cut else 1), self._most)

    def _cut(self, kept: float) -> None:
        """Only once for all that was sent under the old limit: they tell of one and the same queue."""
        if self._answers_until_cut <= 0:
            self._answers_until_cut = self.in_flight + 1
            self._was_cut = True
            self._limit = max(self._limit * kept, LEAST)
