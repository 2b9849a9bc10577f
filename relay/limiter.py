"""How much may be in flight at once, by how long it takes: additive increase, multiplicative decrease.

    limiter = Limiter(Bounds(1, 64))
    if limiter.room(): limiter.begin()
    …                                    # the write returned after so many ms, or failed
    limiter.end(taken_ms)                # or limiter.fail()

Pure: time is an argument. A database that is well answers in about the same time however much it is given,
until its queue begins; from then on more in flight only makes everything wait longer. So the limit grows by
one for each limit's worth of answers that came in good time, and shrinks by a fifth when one took twice as
long as usual (by half when one failed). *Usual* is the quickest of late, forgotten slowly, so that a
service which got slower for good is judged by what it can do now. Rejected: a fixed limit (right for one
machine on one day); the gradient of latency as in TCP Vegas (needs calm measurements that two cores do not
give).
"""

from __future__ import annotations

from typing import NamedTuple

SLOW = 2.0
"""Times the usual that an answer may take. Below it jitter alone would shrink the limit."""

SHRINK_SLOW = 0.8
SHRINK_FAILED = 0.5

FORGET = 0.02
"""How much of the way to the latest answer *usual* goes up with each: after 35 slower ones it is half
there."""

USUAL_MS_MIN = 1.0
"""Answers quicker than this are all alike: twice 50 µs says nothing."""


class Bounds(NamedTuple):
    """low: never fewer, 1 or more, so that something goes on; high: what memory and the server allow."""

    low: int
    high: int


class Limiter:
    """limit: what may be in flight now; in_flight: what is."""

    def __init__(self, bounds: Bounds) -> None:
        if not 1 <= bounds.low <= bounds.high:
            raise ValueError(f"bounds: 1 or more, low before high: {bounds}")
        self.in_flight = 0
        self._bounds = bounds
        self._limit = float(bounds.low)
        self._usual_ms = 0.0
        self._calm = 0

    @property
    def limit(self) -> int:
        """What may be in flight."""
        return int(self._limit)

    def room(self) -> bool:
        """Whether one more may begin."""
        return self.in_flight < self.limit

    def begin(self) -> None:
        """One begins. Raises RuntimeError beyond the limit: ask room() first."""
        if not self.room():
            raise RuntimeError(f"{self.in_flight} are in flight, {self.limit} may be")
        self.in_flight += 1

    def end(self, taken_ms: float) -> None:
        """One ended well, `taken_ms` after it began."""
        was_full = self.in_flight >= self.limit
        self._finish()
        taken_ms = max(taken_ms, USUAL_MS_MIN)
        if self._usual_ms and taken_ms > SLOW * self._usual_ms:
            self._shrink(SHRINK_SLOW)
        elif was_full:  # a limit that nobody reaches says nothing, so it does not grow
            self._limit = min(self._limit + 1.0 / self._limit, float(self._bounds.high))
        self._note(taken_ms)

    def fail(self) -> None:
        """One ended without an answer, or was refused as too much."""
        self._finish()
        self._shrink(SHRINK_FAILED)

    def _finish(self) -> None:
        if not self.in_flight:
            raise RuntimeError("nothing is in flight")
        self.in_flight -= 1
        self._calm = max(self._calm - 1, 0)

    def _shrink(self, factor: float) -> None:
        """Once for what was in flight together: all of it saw the same queue."""
        if not self._calm:
            self._limit = max(self._limit * factor, float(self._bounds.low))
            self._calm = self.in_flight

    def _note(self, taken_ms: float) -> None:
        if not self._usual_ms or taken_ms < self._usual_ms:
            self._usual_ms = taken_ms
        else:
            self._usual_ms += FORGET * (taken_ms - self._usual_ms)
