"""The engine's box: a process that starts, serves, and ends in every way that processes end; its disk."""

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
from liftgate.sim.world.loop import Loop, Timer
from liftgate.sim.world.network import End, Network
from liftgate.sim.world.rounds import Rounds
from liftgate.sim.world.shape import Shape

if TYPE_CHECKING:
    from liftgate.sim.world.audit import Auditor

STOP_MS = (50, 5_000)
"""How long an orderly stop waits for those who do not read: up to STOP_S_MAX of gateways/tcp.py."""

FOLD_EVERY_MS = 300_000
FOLD_MS = (20, 5_000)
"""How long a fold takes: the engine goes on while its child works."""

RESTART_MS = (200, 20_000)
"""How long until somebody or something starts the engine again."""

RETRY_MS = 5_000
"""How long until a start that failed is tried again."""

Failed = (JournalFailed, StorageError, Interrupted)
Trouble = Callable[[str, str, str], None]


class Node:
    """storage: the folder; shape: what the file says, reshaped: will say from the next start on; engine and
    gateway: of the running process, or of the last one.

    network: to be given before anything runs; on_start: to be called after each start; trouble: called with
    (kind, text, expected) for what should never be. starts, folds: counts; refused: starts that found damage.
    """

    engine: Engine
    gateway: Gateway
    network: Network

    def __init__(
        self, loop: Loop, shape: Shape, auditor: Auditor, rng: random.Random, trouble: Trouble
    ) -> None:
        self.loop = loop
        self.shape = shape
        self.auditor = auditor
        self.rng = rng
        self.trouble = trouble
        self.storage = MemoryStorage()
        self.reshaped: Shape | None = None
        self.on_start: list[Callable[[], None]] = []
        self.starts = self.refused = self.folds = 0
        self._rounds: Rounds | None = None
        self._rounds_before = 0
        self._start: Timer | None = None
        self._fold: Timer | None = None
        self._struck = 0
        self._connected: tuple[int, list[tuple[str, bytes]]] | None = None
        self._rotten: tuple[str, int, int] | None = None

    @property
    def up(self) -> bool:
        """Whether the process runs."""
        return self._rounds is not None

    @property
    def rounds(self) -> int:
        """Rounds with traffic, of all processes so far."""
        return self._rounds_before + (self._rounds.count if self._rounds else 0)

    # -- start

    def start(self) -> None:
        """Recover and serve. What the disk does meanwhile may end it again: then it is tried later."""
        if self.up:
            return
        if self.reshaped is not None:
            self.shape, self.reshaped = self.reshaped, None
            self.auditor.restarted_with(self.shape)
        try:
            self._recover()
        except (JournalRotten, CursorsDamaged) as error:
            self._refused(error)
        except Failed as error:
            self._check_excused(error)
            self._end_process()
            self._start_in(RETRY_MS)
        else:
            self._serve()

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

    def _serve(self) -> None:
        self.starts += 1
        self._judged()
        self._rounds = Rounds(
            self.loop, self.engine, self.gateway, self._guard, self._judged, self._committed
        )
        self.check_replay()
        for told in self.on_start:
            told()
        self._fold_in(FOLD_EVERY_MS)

    def _judged(self) -> None:
        self.auditor.durable(self.storage)
        self._connected = None

    def _committed(self) -> None:
        """Tell the auditor who is connected, where anything is new, and once a second: most rounds change
        nothing.
        """
        links = [(link.id, link.key) for link in self.gateway.readers.values() if not link.closing]
        told = (self.loop.now_ms // 1000, links)
        if told != self._connected:
            self._connected = told
            self.auditor.connected(links, self.engine.accepting)

    def _start_in(self, ms: int) -> None:
        if self._start is not None:
            self._start.cancel()
        self._start = self.loop.after(ms, self.start)

    def _start_later(self) -> None:
        self._start_in(self.rng.randint(*RESTART_MS))

    # -- end

    def kill(self) -> None:
        """End the process: what it wrote is in the kernel's memory, and its sockets are reset."""
        self._end_process()
        self._start_later()

    def power_cut(self) -> None:
        """End the machine: what was not synced may be gone, and nobody tells the devices."""
        self.storage.faults.power_off = True
        self.kill()

    def end_within(self, operations: int, power: bool) -> None:
        """End the process, or the machine, in the midst of that operation on its disk."""
        self.storage.faults.interruption = operations
        self.storage.faults.cuts_power = power

    def stop(self) -> None:
        """End in order: GOODBYE to everybody, wait a little, close, start later."""
        rounds = self._rounds
        if rounds is not None and not rounds.stopping and self._guard(rounds.say_goodbye):
            self.loop.after(self.rng.randint(*STOP_MS), lambda: self._stopped(rounds))

    def _stopped(self, rounds: Rounds) -> None:
        if not rounds.over and self._guard(self.engine.journal.maintain):
            self.engine.journal.close()
            self.kill()

    def calm(self) -> None:
        """The disk is whole and has room, and whoever starts engines does it now."""
        faults = self.storage.faults
        faults.failing_write = faults.short_write = faults.failing_sync = 0
        faults.interruption = faults.lying_snapshot = 0
        faults.bytes_max = None
        self._start_in(0)

    def _end_process(self) -> None:
        """The process is gone; with the power, if that is what went."""
        power_off = self.storage.faults.power_off
        if self._rounds is not None:
            self._rounds_before += self._rounds.count
            self._rounds.end()
            self._rounds = None
        if power_off and self._fold is not None:
            self._fold.cancel()
        self.network.down(reset=not power_off)
        if power_off:
            self.storage.crash(self.rng)
        else:
            self.storage.restart()

    def _guard(self, act: Callable[[], Any]) -> bool:
        """Do it as the process does; False: that ended the process."""
        try:
            act()
        except Failed as error:
            self._check_excused(error)
            self.kill()
            return False
        return True

    def _check_excused(self, error: BaseException) -> None:
        """An engine may end itself only where the disk failed."""
        struck = self.storage.faults.struck
        if struck == self._struck:
            text = f"the engine ended with {type(error).__name__}: {error}"
            self.trouble("ended by itself", text, "an engine ends itself only when its disk fails")
        self._struck = struck

    # -- the network's side

    def accept(self, end: End) -> bool:
        """Take a connection, if somebody listens."""
        return self._rounds is not None and self._rounds.accept(end)

    def arrived(self, end: End, data: bytes) -> None:
        """Bytes came."""
        if self._rounds is not None:
            self.auditor.spoke(end.wire.owner)
            self._rounds.arrived(end, data)

    def writable(self, end: End) -> None:
        """A socket has room again."""
        if self._rounds is not None:
            self._rounds.writable(end)

    # -- rot

    def rot(self, what: str, rng: random.Random) -> None:
        """End the process; a bit of one of its files is another one when it starts again."""
        self._put_right()
        self._end_process()
        self._start_in(RETRY_MS)
        names = self.storage.names()
        files = {"segment": segment_names(names)[:-1], "snapshot": snapshot_names(names)}
        rotting = files.get(what, [name for name in names if name == what])
        if rotting:
            name = rng.choice(rotting)
            data = self.storage.read_whole(name)
            end = len(data) if rng.random() < 0.2 else len(data.rstrip(b"\0"))
            self._rotten = (name, rng.randrange(end), 1 << rng.randrange(8))
            self.storage.flip(*self._rotten)

    def _put_right(self) -> None:
        """An operator copies the file back, if it is still wanted: a fold outlives an engine, and may have
        removed that snapshot meanwhile.
        """
        if self._rotten is not None and self._rotten[0] in self.storage.names():
            self.storage.flip(*self._rotten)
        self._rotten = None

    def _refused(self, error: JournalRotten | CursorsDamaged) -> None:
        """The engine does not start: right where a byte rotted, which is put right then."""
        rotten = self._rotten
        if rotten is None:
            self.trouble("does not start", f"refuses to start: {error}", "it starts, as nothing rotted")
            return
        if isinstance(error, JournalRotten) and rotten[0].endswith(".seg") and error.segment != rotten[0]:
            text = f"byte {rotten[1]} of {rotten[0]} rotted, but the engine says: {error}"
            self.trouble("wrong place", text, "the engine names the file that is damaged")
        self.refused += 1
        self._put_right()
        self._end_process()
        self._start_in(RETRY_MS)

    # -- folds

    def _fold_in(self, ms: int) -> None:
        if self._fold is not None:
            self._fold.cancel()
        self._fold = self.loop.after(ms, self.fold)

    def fold(self) -> None:
        """Begin a snapshot, as the engine's child does; it is written a little later."""
        self._fold_in(FOLD_EVERY_MS)
        snapshot = self._folded()
        if snapshot is not None and self._fold is not None:
            self._fold.cancel()
            ms = self.rng.randint(*FOLD_MS)
            self._fold = self.loop.after(ms, lambda: self._write_snapshot(snapshot))

    def fold_cut(self, power: bool) -> None:
        """Begin a snapshot, and end everything while it is half written."""
        snapshot = self._folded()
        if snapshot is not None:
            self.end_within(1, power)
            self._write_snapshot(snapshot)

    def _folded(self) -> Snapshot | None:
        if not self.up or len(self.engine.journal.catalogue.all()) < 2:
            return None
        return replay.folded(self.storage)

    def _write_snapshot(self, snapshot: Snapshot) -> None:
        """The child outlives a killed engine, and ends with an error where the disk fails."""
        self._fold_in(FOLD_EVERY_MS)
        try:
            replay.write_snapshot(self.storage, snapshot)
        except StorageError as error:
            self._check_excused(error)
        except Interrupted as error:
            self._check_excused(error)
            self.kill()
        else:
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
