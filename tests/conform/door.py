"""The door that readers in virtual time come to, and who works them."""

from __future__ import annotations

from collections.abc import Callable

from liftgate.conform.port import Act, Ended
from tests.conform.reader import TICK_S, SimReader
from tests.gateways.network import START_MS


class End:
    """One end of a connection in memory."""

    def __init__(self, door: VirtualDoor) -> None:
        self.door = door
        self.inbox: list[bytes] = []
        self.over = False
        self.other = self

    def send(self, data: bytes) -> None:
        """See the port."""
        if self.over:
            raise Ended("it closed the connection")
        self.other.inbox.append(data)

    def receive(self, wait_s: float) -> bytes:
        """See the port; the reader gets its turns meanwhile."""
        self.door.run(lambda: bool(self.inbox) or self.over, wait_s)
        if not self.inbox and self.over:
            raise Ended("it closed the connection")
        data, self.inbox = b"".join(self.inbox), []
        return data

    def close(self) -> None:
        """See the port."""
        self.over = self.other.over = True


class VirtualDoor:
    """The port's door: time moves while the kit waits, and the reader has its turns."""

    def __init__(self, reader: SimReader) -> None:
        self.now = 0.0
        self.reader = reader
        self.listening = True
        self.waiting: list[End] = []
        reader.door = self

    def run(self, until: Callable[[], bool], wait_s: float) -> None:
        """Turns of the reader until that holds, or for so long."""
        deadline = self.now + wait_s
        while True:
            self.reader.step(self.now)
            if until() or self.now >= deadline:
                return
            self.now = min(deadline, self.now + TICK_S)

    def dial(self) -> End | None:
        """The reader's way in."""
        if not self.listening:
            return None
        ours, theirs = End(self), End(self)
        ours.other, theirs.other = theirs, ours
        self.waiting.append(ours)
        return theirs

    def accept(self, wait_s: float) -> End | None:
        """See the port."""
        self.run(lambda: bool(self.waiting), wait_s)
        return self.waiting.pop(0) if self.waiting else None

    def shut(self) -> None:
        """See the port."""
        self.listening = False
        for end in self.waiting:
            end.close()
        self.waiting.clear()

    def open(self) -> None:
        """See the port."""
        self.listening = True

    def now_s(self) -> float:
        """See the port."""
        return self.now

    def unix_ms(self) -> int:
        """See the port."""
        return START_MS + int(self.now * 1000)

    def wait(self, seconds: float) -> None:
        """See the port."""
        self.run(lambda: False, seconds)


class SimTester:
    """Works the reader at once, but for what it is told to leave out."""

    def __init__(self, reader: SimReader, scripted: bool = True, lazy: tuple[Act, ...] = ()) -> None:
        self.reader = reader
        self.scripted = scripted
        self.lazy = lazy
        self.said: list[str] = []

    def do(self, act: Act) -> None:
        """See the port."""
        if act not in self.lazy:
            self.reader.act(act)

    def check(self) -> None:
        """See the port."""

    def say(self, text: str) -> None:
        """See the port."""
        self.said.append(text)
