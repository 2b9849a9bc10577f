"""The mover of bytes: one epoll set, drained in rounds, one commit and then all answers a round.

A nested epoll descriptor is what trio waits on: handing each socket to trio costs a task switch a scan,
which measured a fifth of this (docs/design.md, Fast). Level-triggered; a peer whose output does not fit its
socket is watched for writing instead of reading until it does, so what waits for it is one round's answers.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable

import structlog
import trio

from liftgate.gateways import sockets
from liftgate.gateways.gateway import Gateway
from liftgate.gateways.link import Link
from liftgate.gateways.tls import TlsError, TlsLayer

log = structlog.get_logger()

READY_MAX = 16_384
"""Sockets handled a round: all of them. Capping rounds at 500 cost a third of the rate (docs/design.md)."""

ACCEPTS_PER_ROUND = 256
"""A storm of connections shares the loop with those who are signed on."""

ROUNDS_PER_TURN = 32
"""Rounds before the other tasks (timer, signals) get a look in: some 10 ms under full load."""

_READ = select.EPOLLIN
_WRITE = select.EPOLLOUT
_IN = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR


def wall_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


class Reactor:
    """Moves bytes between sockets and one gateway.

    clock: Unix time in ms; tls: wraps every connection where it is given. rounds: how many had traffic.
    """

    def __init__(
        self,
        gateway: Gateway,
        listener: socket.socket,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], int] = wall_ms,
    ) -> None:
        self.gateway = gateway
        self.listener = listener
        self.tls = tls
        self.clock = clock
        self.rounds = 0
        self.epoll = select.epoll()
        self.links: dict[int, Link] = {}
        self.owned: dict[int, socket.socket] = {}
        self.secure: dict[int, TlsLayer] = {}
        self.accepting = True
        self._listener_fd = listener.fileno()
        self.epoll.register(self._listener_fd, _READ)

    async def run(self) -> None:
        """Serve until cancelled. Raises JournalFailed, and whatever else ends the engine."""
        fd = self.epoll.fileno()
        while True:
            if self.turn():
                await trio.lowlevel.checkpoint()
            else:
                await trio.lowlevel.wait_readable(fd)

    def turn(self) -> bool:
        """Rounds for as long as there is something to do; True: ROUNDS_PER_TURN were not enough."""
        for _ in range(ROUNDS_PER_TURN):
            if not self.round():
                return False
        return True

    def round(self) -> bool:
        """Take what is there, decide it, make it durable, answer. False: there was nothing."""
        ready = self.epoll.poll(0, READY_MAX)
        if not ready and not self.gateway.hungry():
            return False
        self.rounds += 1
        gateway = self.gateway
        gateway.begin(self.clock())
        for fd, mask in ready:
            link = self.links.get(fd)
            if link is None:
                self._accept()
                continue
            if mask & _WRITE:
                self._flush(fd, link)
            elif mask & _IN:
                data = sockets.receive(fd)
                if data is not None:
                    if self.secure:
                        self._receive(fd, link, data)
                    else:
                        link.receive(data)
            if gateway.engine.full:
                self.finish()
        self.finish()
        return True

    def tick(self) -> None:
        """Let time pass at the gateway: once a second."""
        self.gateway.begin(self.clock())
        self.gateway.tick()
        self.finish()

    def finish(self) -> None:
        """Commit, then send. Whoever could not take all is watched for writing."""
        gateway = self.gateway
        gateway.commit()
        buf = gateway.out.buf
        ending = []  # and not dropped in the loop: a later run may hold its GOODBYE
        for link, start, stop in gateway.runs():
            fd = link.handle
            if fd < 0:
                continue
            if self.secure:
                self._send_secure(fd, link, bytes(buf[start:stop]))
            elif link.backlog:
                link.keep(bytes(buf[start:stop]))
            elif stop > start:
                sent = sockets.send(fd, buf, start, stop)
                if sent != stop - start:
                    self._sent_short(fd, link, bytes(buf[start:stop]), sent)
            if link.closed or link.closing:
                ending.append(link)
        for link in ending:
            if link.closed or not link.backlog:
                self.drop(link)
        gateway.sent()

    # -- connections

    def _accept(self) -> None:
        """Take new connections. Out of descriptors: stop for a tick, those who are here go on."""
        for _ in range(ACCEPTS_PER_ROUND):
            try:
                sock, address = self.listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                log.error("reactor.accept_failed", error=str(error))
                self.pause_accepting()
                return
            self._greet(sock, f"{address[0]}:{address[1]}")

    def _greet(self, sock: socket.socket, peer: str) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = self.gateway.connect(peer)
        fd = sock.fileno()
        if link is None:
            if self.tls is None:
                farewell = bytearray(self.gateway.farewell())
                sockets.send(fd, farewell, 0, len(farewell))
            sock.close()
            return
        link.handle = fd
        self.links[fd] = link
        self.owned[fd] = sock
        if self.tls is not None:
            self.secure[fd] = TlsLayer(self.tls)
        self.epoll.register(fd, _READ)

    def pause_accepting(self) -> None:
        """Let new connections wait in the kernel's queue."""
        if self.accepting:
            self.accepting = False
            self.epoll.unregister(self._listener_fd)

    def resume_accepting(self) -> None:
        """Take new connections again."""
        if not self.accepting and not self.gateway.stopping:
            self.accepting = True
            self.epoll.register(self._listener_fd, _READ)

    def drop(self, link: Link) -> None:
        """Close the link's socket."""
        fd = link.handle
        if fd < 0:
            return
        link.handle = -1
        link.closed = True
        self.gateway.forget(link)
        del self.links[fd]
        self.secure.pop(fd, None)
        self.epoll.unregister(fd)
        self.owned.pop(fd).close()

    def close(self) -> None:
        """Close everything at once."""
        for link in list(self.links.values()):
            self.drop(link)
        self.pause_accepting()
        self.listener.close()
        self.epoll.close()

    # -- the slower paths

    def _sent_short(self, fd: int, link: Link, run: bytes, sent: int) -> None:
        if sent < 0:
            link.close("broken")
            return
        link.keep(run[sent:])
        if not link.closed:
            self.epoll.modify(fd, _WRITE)

    def _flush(self, fd: int, link: Link) -> None:
        """Send what waited; when all of it went, read from the peer again."""
        data = bytearray(link.backlog)
        sent = sockets.send(fd, data, 0, len(data))
        if sent < 0:
            link.close("broken")
            return
        if sent:
            link.stalled_ms = self.gateway.now_ms
        link.backlog = link.backlog[sent:]
        if not link.backlog:
            self.epoll.modify(fd, _READ)
            self.gateway.own(link)

    def _receive(self, fd: int, link: Link, data: bytes) -> None:
        layer = self.secure.get(fd)
        if layer is None:
            link.receive(data)
            return
        try:
            plain, ended = layer.decrypt(data)
        except TlsError as error:
            log.info("reactor.tls_failed", peer=link.peer, error=str(error))
            self._send_secure(fd, link, b"")
            link.close("tls")
            return
        if plain:
            link.receive(plain)
        if ended:
            link.receive(b"")
        self.gateway.own(link)

    def _send_secure(self, fd: int, link: Link, run: bytes) -> None:
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
            self._sent_short(fd, link, run, sent)
