"""The mover of bytes: one epoll set, drained in rounds, one commit and then all answers a round.

A nested epoll descriptor is what trio waits on: handing each socket to trio costs a task switch a scan,
which measured a fifth of this (docs/design.md, Fast). Edge-triggered: the kernel need not look again at every
socket that had something last time, and reading less than was asked for proves a socket empty. A peer whose
output does not fit its socket is not read until it does, so what waits for it is one round's answers.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog
import trio

from liftgate.gateways import sockets
from liftgate.gateways.gateway import Gateway, LinkOf
from liftgate.gateways.later import Later
from liftgate.gateways.link import Link
from liftgate.gateways.tls import TlsError, TlsLayer

log = structlog.get_logger()

ACCEPTS_PER_ROUND = 16
"""A storm of connections shares the loop with those who are signed on: each costs some 30 µs. The others wait
in the kernel's queue."""

REPLAY = 0x15

TURN_S = 0.01
"""Rounds go on for so long before the other tasks (timer, signals) get a look in. A number of rounds won't
do: one can be 64 scans of each of 10,000 readers, and 32 of those kept SIGTERM waiting for seconds."""

MORE_LOOKS = 4
"""Looks for more, at most, before a round is decided: while some were read, others have spoken, and they
share its sync. Beside each other at 1,000 x 1: none 62, four 82, thirty-two 63 thousand answers a second;
so many make engine and readers wait for each other in turn."""

SAID_BYTES_MAX = 1024 * 1024
"""Read ahead of deciding. System calls push the engine's code and state out of the cache, so a thousand small
reads and then a thousand decisions cost less than the two in turn; beyond this there is nothing to gain."""

_EDGES = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET


def wall_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


def steady_ms() -> int:
    """Milliseconds of a clock that never jumps."""
    return time.monotonic_ns() // 1_000_000


class Door(NamedTuple):
    """A listening socket, TLS around what comes in by it, and the link that speaks its protocol."""

    listener: socket.socket
    tls: ssl.SSLContext | None
    link_of: LinkOf


class Reactor:
    """Moves bytes between sockets and one gateway.

    clock: Unix time in ms; steady: ms of a clock that never jumps; listener, tls: the first door's, for
    frames; doors: by descriptor. rounds: how many had traffic;
    table: links by descriptor; again: those who may have more than was read at once;
    heard, said: who said what in this round and is not decided yet; later: the same of those who may wait,
    behind, held: links that are not read until that is decided; urgent: somebody waits for the answers.
    """

    def __init__(
        self,
        gateway: Gateway,
        listener: socket.socket,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], int] = wall_ms,
        steady: Callable[[], int] = steady_ms,
    ) -> None:
        self.gateway = gateway
        self.listener = listener
        self.clock = clock
        self.steady = steady
        self.rounds = 0
        self.epoll = select.epoll()
        self.table: list[Link | None] = []
        self.again: list[Link] = []
        self.heard: list[Link] = []
        self.said: list[bytes] = []
        self._said_bytes = 0
        self.later = Later(self)
        self.behind = self.later.behind
        self.held = self.later.held
        self.urgent = False
        self.owned: dict[int, socket.socket] = {}
        self.secure: dict[int, TlsLayer] = {}
        self.accepting = True
        self.doors: dict[int, Door] = {}
        self._epoll_fd = self.epoll.fileno()
        self.open_door(Door(listener, tls, Link))
        self.epoll.register(self.later.bell, select.EPOLLIN)

    def open_door(self, door: Door) -> None:
        """Take connections at one more listening socket; it is closed with the reactor."""
        fd = door.listener.fileno()
        self.doors[fd] = door
        self.epoll.register(fd, select.EPOLLIN)

    async def run(self) -> None:
        """Serve until cancelled. Raises JournalFailed, and whatever else ends the engine."""
        while True:
            if self.turn():
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_readable(self._epoll_fd)

    def turn(self) -> bool:
        """Rounds for as long as there is something to do; True: TURN_S was not enough."""
        until_s = time.monotonic() + TURN_S
        while self.round():
            if time.monotonic() >= until_s:
                return True
        return False

    def round(self) -> bool:
        """Take what is there, decide it, make it durable, answer. False: there was nothing."""
        count = sockets.poll(self.epoll, self._epoll_fd)
        later = self.later
        if not count and not self.again and not self.gateway.hungry() and not later.waiting():
            return False
        self.rounds += 1
        gateway = self.gateway
        packed = gateway.out.n
        gateway.begin(self.clock(), self.steady())
        if gateway.out.n != packed:
            self.urgent = True  # what waited for a proof is answered
        if self.again:
            self._read_again()
        self._read_ready(count)
        for _ in range(MORE_LOOKS):
            count = sockets.poll(self.epoll, self._epoll_fd)
            if not count:
                break
            self._read_ready(count)
        self._decide()
        urgent = self.urgent
        if urgent or not later.waiting() or gateway.hungry():
            self.finish()
        if later.waiting() and later.work(urgent):
            self.finish()
        return True

    def _read_ready(self, count: int) -> None:
        """Read from everyone that the last poll found ready."""
        for index in range(count):
            fd = sockets.ready_fd(index)
            link = self.table[fd] if fd < len(self.table) else None
            if link is None:
                if fd == self.later.bell:
                    self.later.heard_bell()
                else:
                    self._accept(self.doors[fd])
                continue
            if link.backlog:
                if sockets.ready_mask(index) & sockets.WRITABLE:
                    self._flush(fd, link)
            elif sockets.ready_mask(index) & sockets.READABLE:
                self._read(fd, link)
                if sockets.ready_mask(index) & sockets.ENDED:
                    self.again.append(link)
            if self._said_bytes >= SAID_BYTES_MAX:
                self._decide()

    def _read(self, fd: int, link: Link) -> None:
        """Take what a socket has. It is decided a little later, together with what others said."""
        if (self.behind and link in self.behind) or (self.held and self.held.get(link)):
            return
        data = sockets.receive(fd)
        if data is None:
            return
        if len(data) >= sockets.RECEIVE_BYTES:
            self.again.append(link)
        self.heard.append(link)
        self.said.append(data)
        self._said_bytes += len(data)

    def _decide(self) -> None:
        """Decide what was read, all of it in one go but for what may wait."""
        heard, said = self.heard, self.said
        gateway = self.gateway
        for index in range(len(heard)):
            link = heard[index]
            data = said[index]
            aside = (self.behind and link in self.behind) or (self.held and link in self.held)
            if aside or (data and (not link.role or (len(data) >= 16 and data[3] == REPLAY))):
                self.later.put(link, data)
                continue
            self.urgent = True
            if self.secure:
                self.receive(link, data)
            else:
                link.receive(data)
            if gateway.full():
                self.finish()
        heard.clear()
        said.clear()
        self._said_bytes = 0

    def _read_again(self) -> None:
        """Those who sent more than is read at once, or the end behind it, have no new edge for the rest."""
        again = self.again
        self.again = []
        for link in again:
            if link.handle >= 0 and not link.backlog:
                self._read(link.handle, link)
            if self._said_bytes >= SAID_BYTES_MAX:
                self._decide()

    def tick(self) -> None:
        """Let time pass at the gateway."""
        self.gateway.begin(self.clock(), self.steady())
        self.gateway.tick()
        self.finish()
        self.later.release()

    def proved(self) -> None:
        """The prover has answers: what waited for them is decided in a round of its own, or may wait on."""
        self.gateway.begin(self.clock(), self.steady())
        self.finish()
        self.later.ring()

    def finish(self) -> None:
        """Commit, then send. Whoever could not take all is watched for writing."""
        gateway = self.gateway
        gateway.commit()
        gateway.end_run()
        owners, stops = gateway.owners, gateway.stops
        buf = gateway.out.buf
        ending = []  # and not dropped in the loop: a later run may hold its GOODBYE
        start = 0
        for index in range(len(owners)):
            link = owners[index]
            stop = stops[index]
            fd = link.handle
            if fd >= 0:
                if link.backlog or link.wraps or self.secure:
                    self._send_slowly(fd, link, bytes(buf[start:stop]))
                elif stop > start:
                    sent = sockets.send(fd, buf, start, stop)
                    if sent != stop - start:
                        self._sent_short(link, bytes(buf[start:stop]), sent)
                if link.closed or link.closing:
                    ending.append(link)
            start = stop
        for link in ending:
            if link.closed or not link.backlog:
                self.drop(link)
        gateway.sent()
        self.urgent = False
        self.later.finished()

    # -- connections

    def _accept(self, door: Door) -> None:
        """Take new connections. Out of descriptors: stop for a tick, those who are here go on."""
        for _ in range(ACCEPTS_PER_ROUND):
            try:
                sock, address = door.listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                log.error("reactor.accept_failed", error=str(error))
                self.pause_accepting()
                return
            self._greet(door, sock, f"{address[0]}:{address[1]}")

    def _greet(self, door: Door, sock: socket.socket, peer: str) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = self.gateway.connect(peer, door.link_of)
        fd = sock.fileno()
        if link is None:
            if door.tls is None and door.link_of is Link:
                farewell = bytearray(self.gateway.farewell())
                sockets.send(fd, farewell, 0, len(farewell))
            sock.close()
            return
        link.handle = fd
        self.table.extend([None] * (fd + 1 - len(self.table)))
        self.table[fd] = link
        self.owned[fd] = sock
        if door.tls is not None:
            self.secure[fd] = TlsLayer(door.tls)
        self.epoll.register(fd, _EDGES)

    def pause_accepting(self) -> None:
        """Let new connections wait in the kernel's queue."""
        if self.accepting:
            self.accepting = False
            for fd in self.doors:
                self.epoll.unregister(fd)

    def resume_accepting(self) -> None:
        """Take new connections again."""
        if not self.accepting and not self.gateway.stopping:
            self.accepting = True
            for fd in self.doors:
                self.epoll.register(fd, select.EPOLLIN)

    def drop(self, link: Link) -> None:
        """Close the link's socket."""
        fd = link.handle
        if fd < 0:
            return
        link.handle = -1
        link.closed = True
        self.gateway.forget(link)
        self.table[fd] = None
        self.secure.pop(fd, None)
        self.epoll.unregister(fd)
        self.owned.pop(fd).close()

    def close(self) -> None:
        """Close everything at once."""
        for link in self.table:
            if link is not None:
                self.drop(link)
        self.pause_accepting()
        for door in self.doors.values():
            door.listener.close()
        self.later.close()
        self.epoll.close()

    # -- the slower paths

    def _sent_short(self, link: Link, run: bytes, sent: int) -> None:
        """The socket is full or broken. Its next edge for writing goes on with what is kept."""
        if sent < 0:
            link.close("broken")
        else:
            link.keep(run[sent:])

    def _flush(self, fd: int, link: Link) -> None:
        """Send what waited; when all of it went, read from the peer again, whose edge may have passed."""
        data = bytearray(link.backlog)
        sent = sockets.send(fd, data, 0, len(data))
        if sent < 0:
            link.close("broken")
            return
        if sent:
            link.stalled_ms = self.gateway.steady_ms
        link.backlog = link.backlog[sent:]
        if not link.backlog:
            self.gateway.own(link)
            self._read(fd, link)
            self.again.append(link)  # an end behind what was read now had its edge long ago

    def receive(self, link: Link, data: bytes) -> None:
        """Have a link take what its peer sent, through TLS where that is."""
        fd = link.handle
        layer = self.secure.get(fd)
        if layer is None:
            link.receive(data)
            return
        try:
            plain, ended = layer.decrypt(data)
        except TlsError as error:
            log.info("reactor.tls_failed", peer=link.peer, error=str(error))
            self._send_slowly(fd, link, b"")
            link.close("tls")
            return
        if plain:
            link.receive(plain)
        if ended:
            link.receive(b"")
        self.gateway.own(link)

    def _send_slowly(self, fd: int, link: Link, run: bytes) -> None:
        """Send behind what waits already, in the link's own protocol, and through TLS where that is."""
        if link.wraps:
            run = link.wrap(run)
        layer = self.secure.get(fd)
        if layer is not None:
            layer.encrypt(run)
            run = layer.outgoing()
        if not run:
            return
        if link.backlog:
            link.keep(run)
            return
        sent = sockets.send(fd, bytearray(run), 0, len(run))
        if sent != len(run):
            self._sent_short(link, run, sent)
