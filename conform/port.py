"""What the kit needs of the world: time, connections, and somebody who works the reader.

`sockets.py` is the real one; the kit's own tests run in virtual time. Everything blocks: one thread plays one
side of one conversation at a time, and a scenario reads like the protocol's sentence.
"""

from enum import Enum
from typing import Protocol


class Ended(Exception):
    """The other side closed the connection, or it broke."""


class Link(Protocol):
    """One connection."""

    def send(self, data: bytes) -> None:
        """Write all of it. Raises Ended."""

    def receive(self, wait_s: float) -> bytes:
        """What came, b"" if nothing did within wait_s. Raises Ended at the end of the stream."""

    def close(self) -> None:
        """Drop it without a word, as a cut cable would."""


class Clock(Protocol):
    """Time that only goes forward, and the calendar's."""

    def now_s(self) -> float:
        """Seconds of a clock that never jumps."""

    def unix_ms(self) -> int:
        """Unix time in ms."""

    def wait(self, seconds: float) -> None:
        """Let so much time pass."""


class Door(Clock, Protocol):
    """Where readers under test connect."""

    def accept(self, wait_s: float) -> Link | None:
        """The next connection, None if nobody came within wait_s."""

    def shut(self) -> None:
        """Refuse connections: the engine is away."""

    def open(self) -> None:
        """Take them again, at the same address."""


class Line(Clock, Protocol):
    """The way to an engine under test."""

    def dial(self) -> Link:
        """A new connection. Raises Ended if nobody listens."""


class Act(Enum):
    """What somebody does to a reader under test."""

    SCAN = "scan"
    PASS = "pass"
    RESTART = "restart"


class Tester(Protocol):
    """Who works the reader under test: a person who is told, or a program.

    scripted: acts at once and as often as asked.
    """

    scripted: bool

    def do(self, act: Act) -> None:
        """Have it done, or say that it is to be done now. Raises Unseen if it cannot be done."""

    def check(self) -> None:
        """Raises Unseen if there is nobody any more who could do anything."""

    def say(self, text: str) -> None:
        """Tell what is going on."""
