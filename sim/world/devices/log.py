"""A reader's event log: what it numbered and what nobody acknowledged yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from liftgate.codecs import messages as m

Event = m.Scan | m.Passage | m.LaneStatus

ENTRIES_MAX = 2_000
"""What the flash of a small reader holds. A full log numbers nothing more: then a lane stays shut, as an
opening that nobody will ever hear of is worse."""

OLD_MAX = 400
"""Answered events that a forgetful reader may send again: more than the 256 whose answers are kept."""


class Answer(NamedTuple):
    """What a driver sees at the barrier: it opened, or a verdict; 0 when nothing happened at all."""

    opened: bool
    verdict: int
    session: bytes | None = None


NOTHING = Answer(False, 0)

Then = Callable[[Answer], None]


class Entry:
    """One event until it is answered.

    alone: it was acted on without the engine; verdict: given then, 0 where none; then: tells the driver who
    waits, None when nobody does; over: the session that it is under way on.
    """

    __slots__ = ("alone", "event", "over", "then", "verdict")

    def __init__(self, event: Event, alone: bool = False, verdict: int = 0, then: Then | None = None) -> None:
        self.event = event
        self.alone = alone
        self.verdict = verdict
        self.then = then
        self.over: object = None

    @property
    def no(self) -> int:
        return self.event.no

    def show(self, answer: Answer) -> None:
        """Let the driver know, once."""
        then, self.then = self.then, None
        if then is not None:
            then(answer)


class EventLog:
    """The events of one numbering.

    boot: names it; live: to be sent as they are; backlog: what was acted on alone, to be told by REPLAY; old:
    answered ones, the last of them.
    """

    __slots__ = ("backlog", "boot", "last", "live", "old")

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self.last = 0
        self.live: dict[int, Entry] = {}
        self.backlog: dict[int, Entry] = {}
        self.old: deque[Entry] = deque(maxlen=OLD_MAX)

    def full(self) -> bool:
        """Whether nothing more can be numbered now."""
        return len(self.live) + len(self.backlog) >= ENTRIES_MAX

    def number(self) -> int:
        """The next event's number."""
        self.last += 1
        return self.last

    def add(self, entry: Entry) -> None:
        """Keep an event until it is answered."""
        (self.backlog if entry.alone else self.live)[entry.no] = entry

    def answered(self, entry: Entry) -> None:
        """The engine has it: it may be forgotten."""
        if self.live.pop(entry.no, None) or self.backlog.pop(entry.no, None):
            self.old.append(entry)

    def drop(self, entry: Entry) -> None:
        """The engine will never take it."""
        self.live.pop(entry.no, None)
        self.backlog.pop(entry.no, None)

    def known(self, done_to: int, gaps: tuple[tuple[int, int], ...]) -> list[Entry]:
        """The entries that are durable by what the engine says."""
        return [
            entry
            for entry in [*self.live.values(), *self.backlog.values()]
            if entry.no <= done_to or any(low <= entry.no <= high for low, high in gaps)
        ]

    def remember(self, count: int) -> list[Entry]:
        """Take the last `count` live ones that were answered as if they had not been, to send them again."""
        again = [entry for entry in self.old if not entry.alone][-count:]
        for entry in again:
            entry.over = None
            self.live[entry.no] = entry
        return again
