"""The simulated network between devices and the one engine: streams in order, with delays, cuts and stalls.

A connection has two ends that need not agree on whether it is alive: a cut may reach one of them only
(half-open). What was on its way when only the device's end broke still arrives, also after what the device
sent over its next connection, up to LATE_MS later.
"""

import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

from liftgate.gateways.link import Link
from liftgate.sim.world.loop import Loop

DELAY_MS = (1, 20)
"""Drawn for each owner once: how long a chunk takes. One in SLOW_ONE_IN takes up to SLOW_MS more."""

SLOW_ONE_IN = 32
SLOW_MS = 400
SPLIT_ONE_IN = 8
"""One chunk in so many arrives in two pieces, split anywhere."""

LATE_MS = 8_000
"""How late bytes of a connection may come whose device has given it up already."""

ROOM_BYTES = 64 * 1024
"""What sockets and the path between them hold before the engine's send() is short."""


class Peer(Protocol):
    """A device, as the network sees it."""

    def connected(self, wire: "Wire") -> None:
        """What it dialled is there."""

    def received(self, data: bytes) -> None:
        """Bytes of the connection that it uses; b"": the engine closed."""

    def broken(self) -> None:
        """The connection broke, or the dial failed."""


class Host(Protocol):
    """The engine's box, as the network sees it."""

    def accept(self, end: "End") -> bool:
        """Take a connection; False: nobody listens."""

    def arrived(self, end: "End", data: bytes) -> None:
        """Bytes from a device; b"": it closed."""

    def writable(self, end: "End") -> None:
        """The socket takes bytes again after a short send."""


class _Stream:
    """One direction: what is sent comes out in order, later. paused_until_ms: nothing comes out before."""

    __slots__ = ("_data", "_deliver", "_last_ms", "_network", "flying", "paused_until_ms")

    def __init__(self, network: "Network", deliver: Callable[[bytes], None]) -> None:
        self._network = network
        self._deliver = deliver
        self._data: deque[bytes] = deque()
        self._last_ms = 0
        self.flying = 0
        self.paused_until_ms = 0

    def send(self, data: bytes, delay_ms: int) -> None:
        """Let it come out; b"" is the end of the stream."""
        rng = self._network.rng
        size = len(data)
        if size > 1 and not rng.randrange(SPLIT_ONE_IN):
            at = rng.randrange(1, size)
            self._send(data[:at], delay_ms)
            self._send(data[at:], delay_ms + rng.randrange(SLOW_MS))
        else:
            self._send(data, delay_ms)

    def _send(self, data: bytes, delay_ms: int) -> None:
        network = self._network
        if not network.rng.randrange(SLOW_ONE_IN):
            delay_ms += network.rng.randrange(SLOW_MS)
        loop = network.loop
        due_ms = max(loop.now_ms + delay_ms, self._last_ms, self.paused_until_ms)
        self._last_ms = due_ms
        self.flying += len(data)
        self._data.append(data)
        loop.at(due_ms, self._out)

    def _out(self) -> None:
        """The next one comes out; which timer that is does not matter."""
        if self.paused_until_ms > self._network.loop.now_ms:
            self._network.loop.at(self.paused_until_ms, self._out)
            return
        data = self._data.popleft()
        self.flying -= len(data)
        self._deliver(data)

    def pause(self, until_ms: int) -> None:
        """Hold back everything until then."""
        self.paused_until_ms = max(self.paused_until_ms, until_ms)
        self._last_ms = max(self._last_ms, until_ms)


class Wire:
    """The device's end. alive: as far as the device can know."""

    __slots__ = ("_far", "_peer", "_stream", "alive", "delay_ms", "network", "owner")

    def __init__(self, network: "Network", owner: str, peer: Peer, delay_ms: int) -> None:
        self.network = network
        self.owner = owner
        self.alive = True
        self.delay_ms = delay_ms
        self._peer = peer
        self._far = End(self)
        self._stream = _Stream(network, self._arrive)

    @property
    def end(self) -> "End":
        """The engine's end."""
        return self._far

    def send(self, data: bytes) -> None:
        """Send; into a dead connection it goes nowhere, and the device learns of that later."""
        if not self.alive or not data:
            return
        if self._far.alive:
            self._stream.send(data, self.delay_ms)
        else:
            self.network.loop.after(2 * self.delay_ms, self.break_)

    def close(self) -> None:
        """Close without a word. Nothing is received any more."""
        if self.alive:
            self.alive = False
            self._stream.send(b"", self.delay_ms)
            self.network.forget(self)

    def break_(self) -> None:
        """Break at the device's end, as a reset or a cut cable does."""
        if self.alive:
            self.alive = False
            self.network.forget(self)
            self._peer.broken()

    def pause(self, until_ms: int) -> None:
        """Hold back both directions."""
        self._stream.pause(until_ms)
        self._far.stream.pause(until_ms)

    def deliver(self, data: bytes) -> None:
        """What the engine sent comes out here."""
        if not self.alive:
            return
        if not data:
            self.alive = False
            self.network.forget(self)
        self._peer.received(data)

    def _arrive(self, data: bytes) -> None:
        if self._far.alive:
            self.network.host.arrived(self._far, data)


class End:
    """The engine's end. alive: the engine has it open; slot: the gateway's link, while it has one."""

    __slots__ = ("_short", "alive", "room_bytes", "slot", "stream", "wire")

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.alive = True
        self.room_bytes = wire.network.room_bytes.get(wire.owner, ROOM_BYTES)
        self.slot: Link | None = None
        self.stream = _Stream(wire.network, self._out)
        self._short = False

    def send(self, data: bytes) -> int:
        """Send what there is room for; how many bytes that was, -1: the connection is known to be broken."""
        if not self.alive:
            return -1
        if not self.wire.alive:  # nobody acknowledges: the socket fills, and no error comes
            return max(0, min(len(data), self._take_dead(len(data))))
        room = max(0, self.room_bytes - self.stream.flying)
        taken = data[:room]
        if taken:
            self.stream.send(taken, self.wire.delay_ms)
        self._short = len(taken) < len(data)
        return len(taken)

    def _take_dead(self, size: int) -> int:
        taken = min(size, self.room_bytes - self.stream.flying)
        self.stream.flying += max(taken, 0)
        return taken

    def close(self) -> None:
        """The engine's process closes it, in order."""
        if self.alive:
            self.alive = False
            if self.wire.alive:
                self.stream.send(b"", self.wire.delay_ms)

    def vanish(self) -> None:
        """The engine's box is gone without a word."""
        self.alive = False

    def _out(self, data: bytes) -> None:
        self.wire.deliver(data)
        if self._short and self.alive:
            self._short = False
            self.wire.network.host.writable(self)


class Network:
    """All connections. owner: whose a connection is, a device's id.

    room_bytes: of owners whose sockets hold less than usual; stalled_until_ms: until when something is held
    back somewhere, which `calm` does not change: what is on its way still comes.
    """

    def __init__(self, loop: Loop, host: Host, rng: random.Random) -> None:
        self.loop = loop
        self.host = host
        self.rng = rng
        self.room_bytes: dict[str, int] = {}
        self._wires: dict[str, list[Wire]] = {}
        self._delays_ms: dict[str, int] = {}
        self._dead_until_ms: dict[str, int] = {}
        self._all_dead_until_ms = 0
        self.stalled_until_ms = 0

    # -- for devices

    def dial(self, owner: str, peer: Peer) -> None:
        """Connect; `connected` or `broken` is called later."""
        delay_ms = self._delay_ms(owner)
        self.loop.after(2 * delay_ms, lambda: self._dialled(owner, peer, delay_ms))

    def _dialled(self, owner: str, peer: Peer, delay_ms: int) -> None:
        if self._is_dead(owner):
            peer.broken()
            return
        wire = Wire(self, owner, peer, delay_ms)
        if not self.host.accept(wire.end):
            peer.broken()
            return
        self._wires.setdefault(owner, []).append(wire)
        peer.connected(wire)

    def _delay_ms(self, owner: str) -> int:
        delay_ms = self._delays_ms.get(owner)
        if delay_ms is None:
            delay_ms = self._delays_ms[owner] = self.rng.randint(*DELAY_MS)
        return delay_ms

    def _is_dead(self, owner: str) -> bool:
        return max(self._all_dead_until_ms, self._dead_until_ms.get(owner, 0)) > self.loop.now_ms

    def forget(self, wire: Wire) -> None:
        """The device has no use for it any more."""
        wires = self._wires.get(wire.owner, [])
        if wire in wires:
            wires.remove(wire)

    # -- faults

    def cut(self, owner: str, device: bool = True, engine: bool = True) -> None:
        """Break the owner's connections, at both ends or at one only."""
        for wire in list(self._wires.get(owner, ())):
            end = wire.end
            if device and not engine:
                wire.pause(self.loop.now_ms + self.rng.randrange(LATE_MS))
            if device:
                wire.break_()
            if engine and end.alive:
                end.vanish()
                self.host.arrived(end, b"")

    def stall(self, owner: str, ms: int) -> None:
        """Nothing comes through for so long; then all of it."""
        self.stalled_until_ms = max(self.stalled_until_ms, self.loop.now_ms + ms)
        for wire in self._wires.get(owner, ()):
            wire.pause(self.loop.now_ms + ms)

    def dead(self, owner: str | None, ms: int) -> None:
        """Dials fail for so long; None: everybody's."""
        until_ms = self.loop.now_ms + ms
        if owner is None:
            self._all_dead_until_ms = max(self._all_dead_until_ms, until_ms)
        else:
            self._dead_until_ms[owner] = max(self._dead_until_ms.get(owner, 0), until_ms)

    def widen(self, owner: str) -> None:
        """The sockets of the owner's next connections hold what is usual again."""
        self.room_bytes.pop(owner, None)

    def calm(self) -> None:
        """No dial fails any more, and every socket has room."""
        self._all_dead_until_ms = 0
        self._dead_until_ms.clear()
        self.room_bytes.clear()

    # -- for the engine's box

    def down(self, reset: bool) -> None:
        """All its connections end: the kernel resets them, or nobody is there who could."""
        for owner in sorted(self._wires):
            for wire in list(self._wires[owner]):
                wire.end.vanish()
                if reset:
                    self.loop.after(wire.delay_ms, wire.break_)
