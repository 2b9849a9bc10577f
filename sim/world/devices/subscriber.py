"""A simulated subscriber: what it is sent goes into a sink that fails, and only what is there is safe."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.sim.world.devices.session import Astonished, Caller, Session

if TYPE_CHECKING:
    from liftgate.sim.world.shape import SubscriberShape
    from liftgate.sim.world.world import World

FRAMES_MAX = 32
"""Frames that wait for the sink. Beyond it the subscriber leaves and comes back when they are written: it has
no other way to make the engine wait."""

WRITE_MS = 20
WRITE_AGAIN_MS = 3_000


class SubscriberDevice(Caller):
    """A relay: follows the journal from the engine's cursor or from its own position.

    safe: what its sink has; seen: what it was sent last.
    """

    __slots__ = ("_fails_until_ms", "_gone", "_queue", "_run", "_stored", "_writing", "safe", "seen")

    def __init__(self, world: World, spec: SubscriberShape) -> None:
        super().__init__(world, spec.id, spec.key)
        self._stored = spec.stored
        self._queue: deque[int] = deque()
        self._run = 0
        self._writing = False
        self._fails_until_ms = 0
        self._gone = False
        self.safe = 0
        self.seen = 0

    def idle(self) -> bool:
        """Whether its sink has all that it was sent."""
        return self.session is not None and not self._queue

    # -- what happens to it

    def sink_fails(self, ms: int) -> None:
        """Its sink takes nothing for so long."""
        self._fails_until_ms = max(self._fails_until_ms, self.world.loop.now_ms + ms)

    def restart(self, off_ms: int) -> None:
        """Its process ends, with what its sink has not got, and starts again."""
        if self._gone:
            return
        self._gone = True
        self.switch_off(close=True)
        self._queue.clear()
        self._run += 1
        self._writing = False
        self.world.loop.after(off_ms, self._back)

    def _back(self) -> None:
        if self._gone:
            self._gone = False
            self.switch_on()

    def calm(self) -> None:
        self._fails_until_ms = 0
        self._back()

    # -- following

    def on_welcome(self, session: Session) -> None:
        self._subscribe(session, None if self._stored else self.safe)

    def _subscribe(self, session: Session, after: int | None) -> None:
        self._queue.clear()
        self._run += 1
        self._writing = False
        self.world.auditor.subscribed(self.id, after or 0, after is None)
        session.ask(m.Subscribe(self.id, after), None)

    def take(self, session: Session, ref: int, message: m.Message) -> None:
        if session is not self.session:
            return  # an older connection's news: this one has subscribed anew
        if isinstance(message, m.Events):
            self._events(message)
        elif isinstance(message, m.Answer):
            self.safe = max(self.safe, message.body["durable_position"])
            self._subscribe(session, self.safe)
        elif isinstance(message, m.Error):
            self._refused(session, message)
        elif not isinstance(message, m.Goodbye):
            raise Astonished(f"{self.id}: {message}")

    def _refused(self, session: Session, error: m.Error) -> None:
        """A new cursor may come too late: then it goes on at the end. An old one holds what it needs."""
        self.expect(error)
        if error.code == Fault.POSITION_GONE:
            if self.safe:
                raise Astonished(f"{self.id}: has a cursor at {self.safe}, but {error.text}")
            session.ask(m.Query("", "status", {}), None)

    def _events(self, message: m.Events) -> None:
        self.world.auditor.events(self.id, message.first, message.last, message.records)
        self.seen = message.last
        self._queue.append(message.last)
        if len(self._queue) > FRAMES_MAX:
            self.switch_off(close=True)
        self._write()

    # -- the sink

    def _write(self) -> None:
        """Have the sink take the next frame, one at a time."""
        if self._queue and not self._writing:
            self._writing = True
            run = self._run
            self.world.loop.after(WRITE_MS, lambda: self._written(run))

    def _written(self, run: int) -> None:
        if run != self._run:
            return  # that was before a restart: whether the sink had it is not known
        self._writing = False
        if self.world.loop.now_ms < self._fails_until_ms:
            self._writing = True
            self.world.loop.after(WRITE_AGAIN_MS, lambda: self._written(run))
            return
        position = self._queue.popleft()
        if position > self.safe:
            self._is_safe(position)
        if not self._queue and not self.powered and not self._gone:
            self.switch_on()
        self._write()

    def _is_safe(self, position: int) -> None:
        self.safe = position
        self.world.auditor.safe(self.id, position)
        if self.session is not None:
            self.session.tell(m.Cursor(position))
