"""One connection of the kit's: frames in and out, and waiting for one while the others are served."""

from collections.abc import Callable
from typing import Any

from liftgate.conform.port import Clock, Ended, Link
from liftgate.conform.report import Missed
from liftgate.conform.wire import Frame, Splitter, frame, frame_of, name

FRAMES_KEPT = 1000
"""Frames remembered of one connection, for what is judged afterwards: more than any scenario exchanges."""


class Talk:
    """One connection.

    got: every frame that came, in order; left: the other side has ended it.
    """

    def __init__(self, clock: Clock, link: Link) -> None:
        self.clock = clock
        self.link = link
        self.splitter = Splitter()
        self.got: list[Frame] = []
        self.left = False
        self._ref = 0

    def next_ref(self) -> int:
        """A number that no open request of ours carries."""
        self._ref += 1
        return self._ref

    def send_bytes(self, data: bytes) -> None:
        """Write bytes as they are. Raises Ended."""
        self.link.send(data)

    def send(self, kind: int, ref: int, *fields: Any) -> None:
        """Send a message. Raises Ended."""
        self.link.send(frame(kind, ref, *fields))

    def send_body(self, kind: int, ref: int, raw: bytes) -> None:
        """Send a body that is packed already. Raises Ended."""
        self.link.send(frame_of(kind, ref, raw))

    def read(self, wait_s: float) -> Frame | None:
        """The next frame, None if none came whole within wait_s. Raises Ended, BadFrame."""
        deadline = self.clock.now_s() + wait_s
        while (found := self.splitter.next_frame()) is None:
            try:
                data = self.link.receive(max(0.0, deadline - self.clock.now_s()))
            except Ended:
                self.left = True
                raise
            if not data:
                return None
            self.splitter.feed(data)
        if len(self.got) < FRAMES_KEPT:
            self.got.append(found)
        return found

    def serve(self, received: Frame) -> None:
        """Do what a frame asks for that nobody waits for. For each side to fill in."""

    def find(self, wanted: Callable[[Frame], bool], wait_s: float) -> Frame | None:
        """The first frame that is wanted, the others served meanwhile; None after wait_s. Raises Ended."""
        deadline = self.clock.now_s() + wait_s
        while (left_s := deadline - self.clock.now_s()) >= 0:
            received = self.read(left_s)
            if received is None:
                break
            if wanted(received):
                return received
            self.serve(received)
        return None

    def find_kind(self, kind: int, wait_s: float) -> Frame | None:
        """The first frame of that type, as find()."""
        return self.find(lambda received: received.kind == kind, wait_s)

    def expect(self, kind: int, wait_s: float) -> Frame:
        """The next frame, which has to be of that type: nothing else is legal now. Raises Missed."""
        try:
            received = self.read(wait_s)
        except Ended:
            raise Missed(f"the connection ended where {name(kind)} was due") from None
        if received is None:
            raise Missed(f"no {name(kind)} within {wait_s:g} s")
        if received.kind != kind:
            raise Missed(f"{received} where {name(kind)} was due")
        return received

    def settle(self, seconds: float) -> list[Frame]:
        """Serve whatever comes for so long; return it. Raises Ended."""
        start = len(self.got)
        self.find(lambda _: False, seconds)
        return self.got[start:]

    def wait_end(self, wait_s: float) -> list[Frame] | None:
        """What still came until the other side ended the connection; None if it stayed. Nothing is served."""
        start = len(self.got)
        deadline = self.clock.now_s() + wait_s
        try:
            while (left_s := deadline - self.clock.now_s()) >= 0:
                if self.read(left_s) is None:
                    return None
        except Ended:
            return self.got[start:]
        return None

    def close(self) -> None:
        """Drop the connection without a word."""
        self.link.close()
