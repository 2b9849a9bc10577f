"""How much may be in flight at once, by how long it takes: additive increase, multiplicative decrease.

    limiter = Limiter(Bounds(1, 64))
    if limiter.room(): limiter.begin()
    …                                    # the write returned after so many ms, or failed
    limiter.end(taken_ms)                # or limiter.fail()

Pure: time is an argument. A database that is well answers in about the same time however much it is given,
until its queue begins; from then on more in flight only makes everything wait longer. So the limit grows by
one for each limit's worth of answers that came in good time while it was used up, and falls to two fifths
when one took twice as long as usual, or failed. *Usual* is the quickest of late; it is forgotten slowly, so
that a service which got slower for good is judged by what it can do now.

Rejected: a fixed limit, right for one machine on one day; halving, after which a queue can stand for ever and
counts as usual by and by (tried on the tests' server of 16: the limit crept to 61 in 300 rounds).
"""

from __future__ import annotations

from typing import NamedTuple

SLOW = 2.0
"""Times the usual that an answer may take. Below it jitter alone would shrink the limit."""

SHRINK = 0.4
"""Less than 1 / SLOW: after it nothing waits any more, and the time without a queue is seen again."""

FORGET = 0.005
"""How much of the way to what is measured *usual* goes up with each limit's worth of answers: one that got
ten times slower is judged anew after some hundred."""

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
        self._used_up = 0

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
        if not self.room():
            self._used_up = self.in_flight

    def end(self, taken_ms: float) -> None:
        """One ended well, `taken_ms` after it began."""
        self._finish()
        taken_ms = max(taken_ms, USUAL_MS_MIN)
        if self._usual_ms and taken_ms > SLOW * self._usual_ms:
            self._shrink()
        else:
            self._calm = max(self._calm - 1, 0)
            self._grow()
        self._note(taken_ms)

    def _grow(self) -> None:
        if self._used_up:  # a limit that nobody reaches says nothing
            self._limit = min(self._limit + 1.0 / self._limit, float(self._bounds.high))
            self._used_up -= 1

    def fail(self) -> None:
        """One ended without an answer, or was refused as too much."""
        self._finish()
        self._shrink()

    def _finish(self) -> None:
        if not self.in_flight:
            raise RuntimeError("nothing is in flight")
        self.in_flight -= 1

    def _shrink(self) -> None:
        """Once for what was in flight together: all of it saw the same queue."""
        if not self._calm:
            self._limit = max(self._limit * SHRINK, float(self._bounds.low))
            self._calm = self.in_flight
            self._used_up = 0
        else:
            self._calm -= 1

    def _note(self, taken_ms: float) -> None:
        if not self._usual_ms or taken_ms < self._usual_ms:
            self._usual_ms = taken_ms
        else:
            self._usual_ms += FORGET / self._limit * (taken_ms - self._usual_ms)
