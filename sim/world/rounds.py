"""One process's life between its start and its end: rounds, and looks at the time.

This is to the gateway what `gateways/reactor.py` is, on a network of numbers instead of sockets. What arrives
in the same ms is one round. A look at the time comes at quarter seconds of virtual time, but only at those
where something can be due: the others would decide nothing, and most of a night is those.
"""

from collections.abc import Callable
from typing import Any

from liftgate.codecs.messages import SERVICE
from liftgate.engine.core.parts.lanes.part import lanes_of
from liftgate.engine.engine import Engine
from liftgate.gateways.gateway import Gateway
from liftgate.gateways.link import SIGN_ON_MS, STALLED_MS, Link
from liftgate.sim.world.loop import Loop, Timer
from liftgate.sim.world.network import End

TICK_MS = 250
"""TICK_S of gateways/tcp.py."""

Guard = Callable[[Callable[[], Any]], bool]
"""Does something as the process does it; False: that ended the process."""


class Rounds:
    """Moves bytes between the network and one gateway.

    guard: runs each round; judged: called after each commit that made something durable, before an answer
    leaves; committed: after every commit. over: the process has ended, and nothing is done any more;
    stopping: nobody is taken any more; count: rounds with traffic.
    """

    def __init__(
        self,
        loop: Loop,
        engine: Engine,
        gateway: Gateway,
        guard: Guard,
        judged: Callable[[], None],
        committed: Callable[[], None],
    ) -> None:
        self.loop = loop
        self.engine = engine
        self.gateway = gateway
        self.over = False
        self.stopping = False
        self.count = 0
        self._guard = guard
        self._judged = judged
        self._committed = committed
        self._durable = engine.journal.durable_position
        self._ends: dict[Link, End] = {}
        self._inbox: list[tuple[End, bytes]] = []
        self._writable: list[End] = []
        self._unread: dict[End, list[bytes]] = {}
        self._asked = False
        self._soon = False
        """Whether this round may bring something that is done at the next look."""
        self._tick: Timer | None = None
        self._plan_tick(self._next_grid_ms())

    def end(self) -> None:
        """The process has ended."""
        self.over = True
        for end in self._ends.values():
            end.slot = None
        if self._tick is not None:
            self._tick.cancel()

    def say_goodbye(self) -> None:
        """The first half of an orderly stop."""
        self.stopping = True
        self._begin()
        self.gateway.stop()
        self._finish()

    # -- the network's side

    def accept(self, end: End) -> bool:
        """Take a connection."""
        if self.stopping:
            return False
        self._begin()
        link = self.gateway.connect(end.wire.owner)
        if link is None:
            end.send(self.gateway.farewell())
            end.close()
            return True
        link.handle = 1
        end.slot = link
        self._ends[link] = end
        self._ask(0)
        return True

    def arrived(self, end: End, data: bytes) -> None:
        """Bytes for this ms's round."""
        if end.slot is not None:
            self._inbox.append((end, data))
            self._ask(0)

    def writable(self, end: End) -> None:
        """A full socket has room again."""
        if end.slot is not None:
            self._writable.append(end)
            self._ask(0)

    # -- rounds

    def _ask(self, ms: int) -> None:
        """Have a round then, with what has come by then."""
        if not self._asked:
            self._asked = True
            self.loop.after(ms, self._now)

    def _now(self) -> None:
        self._asked = False
        if not self.over:
            self._guard(self._round)

    def _begin(self) -> None:
        self.gateway.begin(self.loop.now_ms, self.loop.now_ms)

    def _round(self) -> None:
        """Flush, read, decide, commit, answer."""
        self.count += 1
        self._soon = False
        self._begin()
        writable, self._writable = self._writable, []
        for end in writable:
            self._flush(end)
        inbox, self._inbox = self._inbox, []
        for end, data in inbox:
            self._take(end, data)
        more = self.gateway.replays.work()
        self._finish()
        if more or self.gateway.hungry() or self.gateway.proofs.is_waiting():
            self._ask(1)
        self._plan_after_round()

    def _take(self, end: End, data: bytes) -> None:
        """Give one link what came; one that leaves its answers unread is not read either."""
        link = end.slot
        if link is None or link.handle < 0:
            return
        if link.backlog and data:
            self._unread.setdefault(end, []).append(data)
            return
        link.receive(data)
        if link.role == SERVICE:
            self._soon = True
        if self.gateway.full():
            self._finish()

    def _flush(self, end: End) -> None:
        """Send what waited; when all of it went, read on."""
        link = end.slot
        if link is None or not link.backlog:
            return
        sent = end.send(link.backlog)
        if sent < 0:
            link.close("broken")
            return
        if sent:
            link.stalled_ms = self.gateway.steady_ms
        link.backlog = link.backlog[sent:]
        if not link.backlog:
            self.gateway.own(link)
            for data in self._unread.pop(end, ()):
                self._take(end, data)

    def _finish(self) -> None:
        """Commit, have it judged, then send."""
        gateway = self.gateway
        gateway.commit()
        durable = self.engine.journal.durable_position
        if durable != self._durable:
            self._durable = durable
            self._soon = True
            self._judged()
        self._committed()
        buf = gateway.out.buf
        ending = []
        for link, start, stop in gateway.runs():
            end = self._ends.get(link)
            if end is not None:
                if stop > start:
                    _send(link, end, bytes(buf[start:stop]))
                if link.closed or link.closing:
                    ending.append(link)
        for link in ending:
            if link.closed or not link.backlog:
                self._drop(link)
        gateway.sent()

    def _drop(self, link: Link) -> None:
        end = self._ends.pop(link, None)
        if end is not None:
            link.handle = -1
            link.closed = True
            self.gateway.forget(link)
            end.slot = None
            self._unread.pop(end, None)
            end.close()

    # -- time

    def _next_grid_ms(self) -> int:
        return (self.loop.now_ms // TICK_MS + 1) * TICK_MS

    def _plan_tick(self, due_ms: int) -> None:
        """Look at the time then, or earlier where that is planned already."""
        tick = self._tick
        if tick is not None and tick.act is not None:
            if tick.due_ms <= due_ms:
                return
            tick.cancel()
        self._tick = self.loop.at(due_ms, self._tick_now)

    def _plan_after_round(self) -> None:
        """Look at the next quarter second, if what came may bring anything that `_due_ms` does not know: what
        was decided, a subscriber's cursor, a reader that was down and is heard.
        """
        if self._soon or any(lanes_of(lot).watch.down for lot in self.engine.lots.values()):
            self._plan_tick(self._next_grid_ms())
        elif self._tick is None or self._tick.act is None or self._tick.due_ms > self._next_grid_ms():
            self._plan_due()

    def _plan_due(self) -> None:
        """Look when something may be due, which a PONG may have put off."""
        if self._tick is not None:
            self._tick.cancel()
        due_ms = max(self._due_ms(), self.loop.now_ms + 1)
        self._plan_tick(-(-due_ms // TICK_MS) * TICK_MS)

    def _tick_now(self) -> None:
        if not self.over and self._guard(self._look):
            self._plan_due()

    def _look(self) -> None:
        """What the process does now and then: the gateway's time, and the journal's housekeeping."""
        self._begin()
        self.gateway.tick()
        self._finish()
        self.engine.journal.maintain()
        if self.gateway.hungry():
            self._ask(1)

    def _due_ms(self) -> int:
        """When something may be due next. Too early is harmless; what comes in meanwhile asks anew."""
        now_ms = self.loop.now_ms
        if not self.engine.accepting or self.engine.journal.disk_full:
            return now_ms + 4 * TICK_MS
        heartbeat_ms = self.gateway.config.heartbeat_s * 1000
        due = [now_ms + heartbeat_ms, self.gateway.policies.due_ms()]
        for link in self.gateway.links:
            if link.backlog:
                due.append(link.stalled_ms + STALLED_MS)
            if link.role:
                due.append((link.pinged_ms or link.heard_ms) + heartbeat_ms)
            else:
                due.append(link.opened_ms + SIGN_ON_MS)
        for lot in self.engine.lots.values():
            due += [stay.since_ms + lot.confirm_ms for stay in lot.moving.values()]
            due += [part.due_ms() for part in lot.parts.values()]
        return min(due)


def _send(link: Link, end: End, data: bytes) -> None:
    """Send, or keep what does not fit."""
    if link.backlog:
        link.keep(data)
        return
    sent = end.send(data)
    if sent < 0:
        link.close("broken")
    elif sent < len(data):
        link.keep(data[sent:])
