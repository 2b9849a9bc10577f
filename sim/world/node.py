"""The engine's box: a process that starts, is driven in rounds, and ends in every way that processes end.

The node is to the gateway what `gateways/reactor.py` is, on a network of numbers instead of sockets. What
arrives in the same ms is one round. A looking-at-time round comes at the quarter seconds of virtual time, but
only at those where something can be due: the others would decide nothing, and most of a night is those.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from liftgate.engine import replay
from liftgate.engine.configured import configure
from liftgate.engine.core import state
from liftgate.engine.engine import Engine
from liftgate.engine.journal.cursors import CursorsDamaged
from liftgate.engine.journal.journal import JournalFailed
from liftgate.engine.journal.memory import Interrupted, MemoryStorage
from liftgate.engine.journal.recovery import Reader
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.segments import segment_names
from liftgate.engine.journal.snapshot import Snapshot, covered_position, newest, snapshot_names
from liftgate.engine.journal.storage import StorageError
from liftgate.gateways.gateway import Gateway
from liftgate.gateways.link import Link
from liftgate.sim.world.loop import Loop, Timer
from liftgate.sim.world.network import End, Network
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.audit import Auditor

TICK_MS = 250
STOP_MS = 5_000
"""How long an orderly stop waits for those who do not read: STOP_S_MAX of gateways/tcp.py."""

FOLD_EVERY_MS = 300_000
FOLD_MS = (20, 5_000)
"""How long a fold takes: the engine goes on while its child works."""

RESTART_MS = (200, 20_000)
"""How long until somebody or something starts the engine again."""

RETRY_MS = 5_000
"""How long until a start that failed is tried again."""

SIGN_ON_MS, STALLED_MS = 5_000, 10_000
"""When gateways/link.py may have to act on a link that nothing comes from: see `_due_ms`."""

Failed = (JournalFailed, StorageError, Interrupted)


class Node:
    """storage: the folder; shape: what the file says now; up: the process runs and answers.

    network: to be given before anything runs; on_start: to be called after each start; starts,
    refused, rounds, folds, decided: counts, refused of starts that found damage; trouble: called with (kind, text, expected) for what should never be.
    """

    def __init__(
        self,
        loop: Loop,
        shape: Shape,
        auditor: Auditor,
        rng: random.Random,
        trouble: Callable[[str, str, str], None],
    ) -> None:
        self.loop = loop
        self.shape = shape
        self.auditor = auditor
        self.rng = rng
        self.trouble = trouble
        self.storage = MemoryStorage()
        self.network: Network
        self.up = False
        self.stopping = False
        self.engine: Engine
        self.gateway: Gateway
        self.reshaped: Shape | None = None
        self.on_start: list[Callable[[], None]] = []
        self.starts = self.refused = self.rounds = self.folds = self.decided = 0
        self._ends: dict[Link, End] = {}
        self._inbox: list[tuple[End, bytes]] = []
        self._writable: list[End] = []
        self._unread: dict[End, list[bytes]] = {}
        self._round_due = False
        self._tick: Timer | None = None
        self._start_timer: Timer | None = None
        self._fold: Timer | None = None
        self._durable = 0
        self._rotten: tuple[str, int, int] | None = None
        self._struck = 0

    # -- start and end of the process

    def start(self) -> None:
        """Recover and serve. What the disk does meanwhile may end it again: then it is tried later."""
        if self.up:
            return
        self._cancel_start()
        if self.reshaped is not None:
            self.shape, self.reshaped = self.reshaped, None
            self.auditor.restarted_with(self.shape)
        try:
            self._recover()
        except (JournalRotten, CursorsDamaged) as error:
            self._refused(error)
            return
        except Failed as error:
            self._check_excused(error)
            self._end_process()
            self._start_in(RETRY_MS)
            return
        self.up = True
        self.starts += 1
        self._durable = self.engine.journal.durable_position
        self.auditor.durable(self.storage)
        self.check_replay()
        for told in self.on_start:
            told()
        self._plan_tick(self._next_grid_ms())
        self._fold_in(FOLD_EVERY_MS)

    def _recover(self) -> None:
        """As gateways/tcp.py starts: recover, configure, listen."""
        config = self.shape.config()
        self.engine, _ = replay.open_engine(self.storage, config.engine.segment_bytes)
        self._put_right()
        self.auditor.recovered(self.storage)
        self.engine.begin(self.loop.now_ms)
        configure(self.engine, config)
        self.engine.commit()
        self.gateway = Gateway(self.engine, config, lambda: self.rng.randbytes(16))
        self.engine.journal.retire(covered_position(self.storage))

    def _refused(self, error: JournalRotten | CursorsDamaged) -> None:
        """The engine does not start: right where a byte rotted, which is put right then."""
        rotten = self._rotten
        if rotten is None:
            self.trouble("does not start", f"refuses to start: {error}", "it starts, as nothing rotted")
            return
        if isinstance(error, JournalRotten) and rotten[0].endswith(".seg") and error.segment != rotten[0]:
            text = f"byte {rotten[1]} of {rotten[0]} rotted, but the engine says: {error}"
            self.trouble("wrong place", text, "the engine names the file that is damaged")
            return
        self.refused += 1
        self._put_right()
        self._end_process()
        self._start_in(RETRY_MS)

    def _put_right(self) -> None:
        """An operator copies the file back."""
        if self._rotten is not None:
            self.storage.flip(*self._rotten)
            self._rotten = None

    def rot(self, what: str, rng: random.Random) -> None:
        """End the process; a bit of one of its files is another one when it starts again."""
        self._put_right()
        self._end_process()
        self._start_in(RETRY_MS)
        names = self.storage.names()
        files = {"segment": segment_names(names)[:-1], "snapshot": snapshot_names(names), "cursors": ["cursors"]}
        rotting = [name for name in files[what] if name in names]
        if rotting:
            name = rng.choice(rotting)
            data = self.storage.read_whole(name)
            end = len(data) if rng.random() < 0.2 else len(data.rstrip(b"\0"))
            self._rotten = (name, rng.randrange(end), 1 << rng.randrange(8))
            self.storage.flip(*self._rotten)

    def end_within(self, operations: int, power: bool) -> None:
        """End the process, or the machine, in the midst of that operation on its disk."""
        self.storage.faults.interruption = operations
        self.storage.faults.cuts_power = power

    def _check_excused(self, error: BaseException) -> None:
        """An engine may end itself only where the disk failed."""
        struck = self.storage.faults.struck
        if struck == self._struck:
            text = f"the engine ended with {type(error).__name__}: {error}"
            self.trouble("ended by itself", text, "an engine ends itself only when its disk fails")
        self._struck = struck

    def kill(self) -> None:
        """End the process: what it wrote is in the kernel's memory, and its sockets are reset."""
        if self.up or self.stopping:
            self._end_process()
        self._start_later()

    def power_cut(self) -> None:
        """End the machine: what was not synced may be gone, and nobody tells the devices."""
        self.storage.faults.power_off = True
        self._end_process()
        self._start_later()

    def stop(self) -> None:
        """End in order: GOODBYE to everybody, wait a little, close, start later."""
        if not self.up or self.stopping:
            return
        self.stopping = True
        if self._guarded(self._say_goodbye):
            self.loop.after(self.rng.randint(50, STOP_MS), self._stopped)

    def _say_goodbye(self) -> None:
        self.gateway.begin(self.loop.now_ms, self.loop.now_ms)
        self.gateway.stop()
        self._finish()

    def _stopped(self) -> None:
        if not self.stopping or not self.up:
            return
        self.decided += self.gateway.decided
        if self._guarded(self.engine.journal.maintain):
            self.engine.journal.close()
            self.decided -= self.gateway.decided
            self._end_process()
            self._start_later()

    def _end_process(self) -> None:
        """The process is gone; with the power, if that is what went."""
        power_off = self.storage.faults.power_off
        if self.up:
            self.decided += self.gateway.decided
        self.up = self.stopping = False
        for end in self._ends.values():
            end.slot = None
        self._ends.clear()
        self._inbox.clear()
        self._writable.clear()
        self._unread.clear()
        if self._tick is not None:
            self._tick.cancel()
        if power_off and self._fold is not None:
            self._fold.cancel()
        self.network.down(reset=not power_off)
        if power_off:
            self.storage.crash(self.rng)
        else:
            self.storage.restart()

    def _start_later(self) -> None:
        self._start_in(self.rng.randint(*RESTART_MS))

    def _start_in(self, ms: int) -> None:
        self._cancel_start()
        self._start_timer = self.loop.after(ms, self.start)

    def _cancel_start(self) -> None:
        if self._start_timer is not None:
            self._start_timer.cancel()

    def _guarded(self, act: Callable[[], Any]) -> bool:
        """Do it as the process does; False: that ended the process."""
        try:
            act()
        except Failed as error:
            self._check_excused(error)
            self._end_process()
            self._start_later()
            return False
        return True

    def calm(self) -> None:
        """The disk is whole and has room, and whoever starts engines does it now."""
        faults = self.storage.faults
        faults.failing_write = faults.short_write = faults.failing_sync = 0
        faults.interruption = faults.lying_snapshot = 0
        faults.bytes_max = None
        self._start_in(0)

    # -- the network's side

    def accept(self, end: End) -> bool:
        """Take a connection."""
        if not self.up or self.stopping:
            return False
        self.gateway.begin(self.loop.now_ms, self.loop.now_ms)
        link = self.gateway.connect(end.wire.owner)
        if link is None:
            end.send(self.gateway.farewell())
            end.close()
            return True
        link.handle = 1
        end.slot = link
        self._ends[link] = end
        self._ask_for_round()
        return True

    def arrived(self, end: End, data: bytes) -> None:
        """Bytes for this ms's round."""
        if end.slot is not None:
            self._inbox.append((end, data))
            self._ask_for_round()

    def writable(self, end: End) -> None:
        """A full socket has room again."""
        if end.slot is not None:
            self._writable.append(end)
            self._ask_for_round()

    # -- rounds

    def _ask_for_round(self, ms: int = 0) -> None:
        if not self._round_due:
            self._round_due = True
            self.loop.after(ms, self._round_now)

    def _round_now(self) -> None:
        self._round_due = False
        if self.up:
            self._guarded(self._round)

    def _round(self) -> None:
        """Flush, read, decide, commit, answer."""
        self.rounds += 1
        self.gateway.begin(self.loop.now_ms, self.loop.now_ms)
        for end in self._take_writable():
            self._flush(end)
        inbox, self._inbox = self._inbox, []
        for end, data in inbox:
            self._take(end, data)
        self._finish()
        if self.up and self.gateway.hungry():
            self._ask_for_round(1)
        self._plan_tick(self._next_grid_ms())

    def _take_writable(self) -> list[End]:
        ends, self._writable = self._writable, []
        return ends

    def _take(self, end: End, data: bytes) -> None:
        """Give one link what came; one that leaves its answers unread is not read either."""
        link = end.slot
        if not isinstance(link, Link) or link.handle < 0:
            return
        if link.backlog and data:
            self._unread.setdefault(end, []).append(data)
            return
        link.receive(data)
        if self.gateway.full():
            self._finish()

    def _flush(self, end: End) -> None:
        """Send what waited; when all of it went, read on."""
        link = end.slot
        if not isinstance(link, Link) or not link.backlog:
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
            self.auditor.durable(self.storage)
        buf = gateway.out.buf
        ending = []
        for link, start, stop in gateway.runs():
            end = self._ends.get(link)
            if end is not None:
                if stop > start:
                    self._send(link, end, bytes(buf[start:stop]))
                if link.closed or link.closing:
                    ending.append(link)
        for link in ending:
            if link.closed or not link.backlog:
                self._drop(link)
        gateway.sent()

    def _send(self, link: Link, end: End, data: bytes) -> None:
        if link.backlog:
            link.keep(data)
            return
        sent = end.send(data)
        if sent < 0:
            link.close("broken")
        elif sent < len(data):
            link.keep(data[sent:])

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

    def _tick_now(self) -> None:
        if self.up and self._guarded(self._look_at_time):
            due_ms = max(self._due_ms(), self.loop.now_ms + 1)
            self._plan_tick(-(-due_ms // TICK_MS) * TICK_MS)

    def _look_at_time(self) -> None:
        self.gateway.begin(self.loop.now_ms, self.loop.now_ms)
        self.gateway.tick()
        self._finish()
        self.engine.journal.maintain()
        if self.gateway.hungry():
            self._ask_for_round(1)

    def _due_ms(self) -> int:
        """When something may be due next. Too early is harmless; what comes in meanwhile asks anew."""
        if not self.engine.accepting or self.engine.journal.disk_full:
            return self.loop.now_ms + 4 * TICK_MS
        heartbeat_ms = self.gateway.config.heartbeat_s * 1000
        due = self.loop.now_ms + heartbeat_ms
        for link in self.gateway.links:
            if link.backlog:
                due = min(due, link.stalled_ms + STALLED_MS)
            if not link.role:
                due = min(due, link.opened_ms + SIGN_ON_MS)
            else:
                due = min(due, (link.pinged_ms or link.heard_ms) + heartbeat_ms)
        for lot in self.engine.lots.values():
            for stay in lot.moving.values():
                due = min(due, stay.since_ms + lot.confirm_ms)
        return due

    # -- folds

    def _fold_in(self, ms: int) -> None:
        if self._fold is not None:
            self._fold.cancel()
        self._fold = self.loop.after(ms, self.fold)

    def fold(self) -> None:
        """Begin a snapshot, as the engine's child does; it is written a little later."""
        self._fold_in(FOLD_EVERY_MS)
        if not self.up or len(self.engine.journal.catalogue.all()) < 2:
            return
        snapshot = replay.folded(self.storage)
        if snapshot is not None:
            ms = self.rng.randint(*FOLD_MS)
            self._fold = self.loop.after(ms, lambda: self._write_snapshot(snapshot))

    def fold_cut(self, power: bool) -> None:
        """Begin a snapshot, and end everything while it is half written."""
        snapshot = replay.folded(self.storage) if self.up else None
        self.end_within(1, power)
        if snapshot is not None:
            self._write_snapshot(snapshot)

    def _write_snapshot(self, snapshot: Snapshot) -> None:
        """The child outlives a killed engine, and ends with an error where the disk fails."""
        self._fold_in(FOLD_EVERY_MS)
        try:
            replay.write_snapshot(self.storage, snapshot)
        except StorageError as error:
            self._check_excused(error)
            return
        except Interrupted as error:
            self._check_excused(error)
            self._end_process()
            self._start_later()
            return
        self.folds += 1
        if self.up:
            self.engine.journal.retire(covered_position(self.storage))

    # -- what must always hold

    def check_replay(self) -> None:
        """A fresh replay of what is on the disk gives what is in memory."""
        if not self.up:
            return
        fresh = replay.Replay(newest(self.storage))
        try:
            Reader(self.storage, fresh.record, fresh.position).read()
        except JournalRotten as error:
            self.trouble("replay", f"the journal of a running engine cannot be read: {error}", "it can")
            return
        memory = {id: state.dump(lot) for id, lot in sorted(self.engine.lots.items())}
        disk = {id: state.dump(lot) for id, lot in sorted(fresh.lots.items())}
        if memory != disk:
            text = f"replay differs from memory: {difference(memory, disk)}"
            self.trouble("replay", text, "replaying the journal gives the state in memory, byte for byte")


def difference(memory: dict[str, bytes], disk: dict[str, bytes]) -> str:
    """Where two sets of dumps differ first, in words."""
    for id in sorted({*memory, *disk}):
        if memory.get(id) == disk.get(id):
            continue
        if id not in memory or id not in disk:
            return f"lot {id} is missing in {'memory' if id not in memory else 'replay'}"
        one, other = (msgspec.msgpack.decode(dumps[id], strict=False) for dumps in (memory, disk))
        for key in one:
            if one[key] != other.get(key):
                return f"lot {id}, {key}: memory {str(one[key])[:300]}, replay {str(other.get(key))[:300]}"
    return "in the order of what they hold"
