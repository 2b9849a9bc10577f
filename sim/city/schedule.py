"""When to drive which car: a story of the city on somebody else's clock.

The schedule has no clock. The caller (a real run or virtual time) passes its own `now_ms` and gets the
movements that are due. A caller keeps two rules, or the engine's count can rightly differ from the truth:

1. `opening` first, every entry answered, and only then `begin`.
2. Within one lot in the order given, each movement answered (and its passage confirmed, where the lane asks
   for that) before the next is sent. Movements of the same minute depend on their order: a full lot takes
   the next car only after the one before has left. Different lots don't wait for each other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from liftgate.sim.city.traffic import Direction, Movement, Traffic

HOUR_MS = 3_600_000


class Schedule:
    """One stretch of a story, start_ms <= at_ms < end_ms in the data's time, `speed` times as fast.

    speed: ms of data per ms of the caller's clock, whole, so that no rounding stands between the two clocks.
    opening: entries of the cars inside at start_ms, in order of arrival (at_ms: when they really came).
    closing: exits of the cars still inside at end_ms, for a caller that wants empty lots before another
    round; the truth after them is 0.
    """

    __slots__ = (
        "_begun_ms",
        "_moves",
        "_next",
        "closing",
        "end_ms",
        "opening",
        "speed",
        "start_ms",
        "traffic",
    )

    def __init__(self, traffic: Traffic, start_ms: int, end_ms: int, speed: int) -> None:
        """Raises ValueError: speed below 1, an empty stretch, or one outside the story's complete part."""
        if speed < 1:
            raise ValueError(f"speed {speed}: at least 1")
        if not traffic.from_ms <= start_ms < end_ms <= traffic.to_ms:
            raise ValueError(f"stretch {start_ms}..{end_ms} not within {traffic.from_ms}..{traffic.to_ms}")
        self.traffic, self.speed = traffic, speed
        self.start_ms, self.end_ms = start_ms, end_ms
        first, after_last = _bounds(traffic.movements, start_ms, end_ms)
        self._moves = traffic.movements[first:after_last]
        self.opening = inside_at(traffic.movements, start_ms)
        self.closing = _out(inside_at(traffic.movements, end_ms), end_ms)
        self._next = 0
        self._begun_ms: int | None = None

    def begin(self, now_ms: int) -> None:
        """Let start_ms of the data be now_ms of the caller's clock. RuntimeError: it has begun already."""
        if self._begun_ms is not None:
            raise RuntimeError("a schedule begins once")
        self._begun_ms = now_ms

    def data_ms(self, now_ms: int) -> int:
        """Return the data's time at now_ms, never past end_ms."""
        return min(self.start_ms + (now_ms - self._begun()) * self.speed, self.end_ms)

    def due(self, now_ms: int) -> Sequence[Movement]:
        """Return what has become due and was not handed out before, in order."""
        first, data_ms = self._next, self.data_ms(now_ms)
        self._next = max(first, bisect_left(self._moves, data_ms + 1, key=_at_ms))
        return self._moves[first : self._next]

    def next_due_ms(self) -> int | None:
        """Return when, on the caller's clock, `due` will have something; after the last movement None."""
        if self._next == len(self._moves):
            return None
        return self._on_callers_clock(self._moves[self._next].at_ms)

    def ends_at_ms(self) -> int:
        """Return when the stretch is over on the caller's clock."""
        return self._on_callers_clock(self.end_ms)

    def expected(self) -> dict[str, int]:
        """Return the true count per lot once the opening and all that was handed out is answered."""
        last_ms = self._moves[self._next - 1].at_ms if self._next else self.start_ms - 1
        return {lot.id: self.traffic.truth.inside(lot.id, last_ms) for lot in self.traffic.lots}

    def final(self) -> dict[str, int]:
        """Return the true count per lot at the end of the stretch."""
        return {lot.id: self.traffic.truth.inside(lot.id, self.end_ms - 1) for lot in self.traffic.lots}

    @property
    def remaining(self) -> int:
        """How many movements are still to be handed out."""
        return len(self._moves) - self._next

    def _begun(self) -> int:
        if self._begun_ms is None:
            raise RuntimeError("the schedule has not begun")
        return self._begun_ms

    def _on_callers_clock(self, data_ms: int) -> int:
        """Return the first ms at which data_ms has been reached."""
        return self._begun() + -((self.start_ms - data_ms) // self.speed)


def plan(traffic: Traffic, speed: int, for_ms: int | None = None) -> Schedule:
    """Return the schedule for a run of for_ms on the caller's clock; None, or more than there is: the whole
    story.

    A shorter run gets the busiest stretch of that length.
    """
    whole_ms = traffic.to_ms - traffic.from_ms
    if for_ms is None or for_ms * speed >= whole_ms:
        return Schedule(traffic, traffic.from_ms, traffic.to_ms, speed)
    start_ms = busiest(traffic, for_ms * speed)
    return Schedule(traffic, start_ms, start_ms + for_ms * speed, speed)


def busiest(traffic: Traffic, length_ms: int) -> int:
    """Return the start of the stretch with the most movements, the earliest of equals.

    Stretches that begin and end with the lots well filled (at least a third of what they ever hold
    together) go first: a count that ends at 3 cars of 80 would agree with almost anything. Starts are tried
    at whole hours from the story's
    beginning: to the minute would win a few cars and make starts that nobody can read. ValueError: the
    story is shorter than length_ms.
    """
    starts = range(traffic.from_ms, traffic.to_ms - length_ms + 1, HOUR_MS)
    if not starts:
        raise ValueError(f"no stretch of {length_ms} ms in a story of {traffic.to_ms - traffic.from_ms} ms")
    enough = max(_inside_together(traffic, start_ms) for start_ms in starts) / 3

    def rank(start_ms: int) -> tuple[bool, int]:
        fewest = min(_inside_together(traffic, at_ms) for at_ms in (start_ms, start_ms + length_ms))
        first, after_last = _bounds(traffic.movements, start_ms, start_ms + length_ms)
        return fewest >= enough, after_last - first

    return max(starts, key=rank)


def inside_at(moves: Sequence[Movement], at_ms: int) -> tuple[Movement, ...]:
    """Return the entries, by arrival, of the cars that came before at_ms and had not left before it."""
    inside: dict[tuple[str, bytes], Movement] = {}
    for movement in moves[: bisect_left(moves, at_ms, key=_at_ms)]:
        if movement.direction is Direction.ENTRY:
            inside[movement.lot, movement.token] = movement
        else:
            del inside[movement.lot, movement.token]
    return tuple(inside.values())


def _inside_together(traffic: Traffic, at_ms: int) -> int:
    """Return the cars inside all lots just before at_ms."""
    return sum(traffic.truth.inside(lot.id, at_ms - 1) for lot in traffic.lots)


def _bounds(moves: Sequence[Movement], start_ms: int, end_ms: int) -> tuple[int, int]:
    """Return the places of the first movement of start_ms <= at_ms < end_ms and of the one after the last."""
    return bisect_left(moves, start_ms, key=_at_ms), bisect_left(moves, end_ms, key=_at_ms)


def _out(entries: Sequence[Movement], at_ms: int) -> tuple[Movement, ...]:
    return tuple(Movement(at_ms, entry.lot, entry.token, Direction.EXIT) for entry in entries)


def _at_ms(movement: Movement) -> int:
    return movement.at_ms
