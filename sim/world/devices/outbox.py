"""How a reader's events reach the engine: live ones at once, backlog by REPLAY, each until it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.sim.world.devices.log import NOTHING, Entry
from liftgate.sim.world.devices.session import Session

if TYPE_CHECKING:
    from liftgate.sim.world.devices.reader import ReaderDevice

REPLAY_OVERHEAD = 16
ENTRY_OVERHEAD = 8


class Outbox:
    """One reader's sending side. `pump` may be called at any time: it sends what may go now."""

    __slots__ = ("_batch_max", "_in_order", "_loop", "_reader", "_replay_from_ms")

    def __init__(self, reader: ReaderDevice) -> None:
        self._reader = reader
        self._loop = reader.world.loop
        self._replay_from_ms = 0
        self._in_order = False
        self._batch_max = reader.habits.replay_entries

    def pump(self) -> None:
        """Send as much as the window allows: live events first, then one REPLAY."""
        session = self._reader.session
        if session is None or session.over or self._reader.held():
            return
        if not (self._in_order and self._reader.log.backlog):
            self._send_live(session)
        self._send_backlog(session)

    def _room(self, session: Session) -> int:
        assert session.welcome is not None
        window = min(self._reader.habits.window, session.welcome.in_flight_max)
        return window - len(session.asked)

    def _send_live(self, session: Session) -> None:
        waiting = [entry for entry in self._reader.log.live.values() if entry.over is not session]
        if self._reader.habits.newest_first and not self._in_order:
            waiting.reverse()
        for entry in waiting[: max(0, self._room(session))]:
            entry.over = session
            session.ask(entry.event, entry)

    def _send_backlog(self, session: Session) -> None:
        """One REPLAY at a time, and not before the pause that the engine asked for is over."""
        waits = self._loop.now_ms < self._replay_from_ms
        backlog = self._reader.log.backlog
        if waits or not backlog or self._room(session) < 1 or self._replaying(session):
            return
        batch, entries = self._batch(session)
        session.ask(m.Replay(entries), batch)

    def _replaying(self, session: Session) -> bool:
        return any(isinstance(what, list) for what in session.asked.values())

    def _batch(self, session: Session) -> tuple[list[Entry], tuple[m.ReplayEntry, ...]]:
        """The oldest entries of the backlog that one frame holds."""
        assert session.welcome is not None
        room = session.welcome.frame_bytes_max - REPLAY_OVERHEAD
        batch: list[Entry] = []
        entries: list[m.ReplayEntry] = []
        for entry in list(self._reader.log.backlog.values())[: self._batch_max]:
            body = m.encode(entry.event)
            room -= len(body) + ENTRY_OVERHEAD
            if batch and room < 0:
                break
            batch.append(entry)
            entries.append(m.ReplayEntry(entry.event.TYPE, entry.verdict, msgspec.Raw(body)))
        return batch, tuple(entries)

    # -- what comes back

    def welcomed(self, session: Session) -> None:
        """Forget what is durable by WELCOME, but for scans whose decision somebody still waits for."""
        assert session.welcome is not None
        log = self._reader.log
        for entry in log.known(session.welcome.done_to, session.welcome.gaps):
            if entry.then is None or not self._reader.habits.asks_again:
                log.answered(entry)
                entry.show(NOTHING)
        self.pump()

    def replayed(self, batch: list[Entry], message: m.Replayed) -> None:
        """The backlog's next part is durable."""
        log = self._reader.log
        for entry in [*batch, *log.known(message.done_to, message.gaps)]:
            if entry.alone:
                log.answered(entry)
        if not log.backlog:
            self._batch_max = self._reader.habits.replay_entries
            self._in_order = False
        self._replay_from_ms = self._loop.now_ms + message.pause_ms
        self._loop.after(message.pause_ms, self.pump)

    def refused(self, error: m.Error, what: object) -> None:
        """ERROR for one request, or for the connection. Raises Astonished."""
        self._reader.expect(error)
        if error.code == Fault.UNAVAILABLE:
            if isinstance(what, Entry):
                what.over = None
            self._reader.hold()
        elif error.code == Fault.TOO_MANY_GAPS:
            self._replay_first()
        elif error.code == Fault.NO_SUCH_LANE:
            self._lane_is_gone(what)

    def _replay_first(self) -> None:
        """Where there is nothing to replay, or that did not help, only a new numbering does."""
        if self._in_order or not self._reader.log.backlog:
            self._reader.lose_log()
        self._in_order = True

    def _lane_is_gone(self, what: object) -> None:
        """What was counted at a lane that the reader has no longer can never be told. Which entry of a
        REPLAY it was is found by sending them one by one.
        """
        if isinstance(what, list) and len(what) > 1:
            self._batch_max = 1
            return
        for entry in what if isinstance(what, list) else [what]:
            assert isinstance(entry, Entry)
            self._reader.log.drop(entry)
            self._reader.told_in_vain(entry)
