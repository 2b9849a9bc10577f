"""Signatures are checked in a process of their own (`gateways/prover_process.py`), over a socket.

Not in a thread: the library holds the interpreter for the 100 µs that one takes, so two threads check no more
than one, and whoever stands at a barrier would wait in between. It ends when the engine does, and the engine
starts another one when it ends.
"""

import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Protocol

import structlog
import trio
from msgspec import Struct

from liftgate.codecs.credentials.keys import is_signature
from liftgate.gateways.prover_process import ANSWER, HEAD

log = structlog.get_logger()

OUTSTANDING_MAX = 64
"""Jobs that the prover has at a time, 7 ms of work: what is asked next, of whoever, waits for no more."""

HANGS_S = 5.0
"""Without an answer to what it has: seven hundred times what its jobs take. Then it is ended."""

START_AGAIN_S = 1
"""After it ended: something that ends it at once must not have it started all the time."""


class Job(Struct, frozen=True):
    """Whether `seal` is the signature of `public` over these bytes."""

    public: bytes
    over: bytes
    seal: bytes


Answer = tuple[Job, bool | None]
"""None: it could not be found out."""


class Prover(Protocol):
    """Checks signatures, later."""

    def ask(self, job: Job) -> None:
        """Have one checked; at most OUTSTANDING_MAX unanswered ones."""

    def answers(self) -> list[Answer]:
        """What was found out since the last call."""


class PromptProver:
    """Checks them here, when it is asked what it found out: for simulations and tests."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def ask(self, job: Job) -> None:
        self.jobs.append(job)

    def answers(self) -> list[Answer]:
        jobs, self.jobs = self.jobs, []
        return [(job, is_signature(job.public, job.over, job.seal)) for job in jobs]


class ProcessProver:
    """Checks them in a process that is started with the first job, or warmed before.

    unanswered: jobs by number, in the order in which they were asked.
    """

    def __init__(self) -> None:
        self.unanswered: dict[int, Job] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._wanted = trio.Event()
        self._found: list[Answer] = []
        self._number = 0
        self._moved_s = 0.0
        self._rest = b""

    def ask(self, job: Job) -> None:
        self._number = self._number % 0xFFFFFFFF + 1
        if not self.unanswered:
            self._moved_s = trio.current_time()
        self.unanswered[self._number] = job
        self._wanted.set()
        if self._sock is not None:
            self._send(self._number, job)

    def answers(self) -> list[Answer]:
        found, self._found = self._found, []
        return found

    def warm(self) -> None:
        """Start the process without a job: the first ticket of the day need not wait for it."""
        self._wanted.set()

    async def run(self, proved: Callable[[], None]) -> None:
        """Keep a process for as long as there are jobs; proved: called when there are answers. Cancel it to
        end both.
        """
        while True:
            await self._wanted.wait()
            try:
                await self._serve(self._start(), proved)
            except OSError as error:  # no memory or no descriptor for a process
                log.error("prover.not_started", error=str(error))
            finally:
                self._end()
            self._give_up()
            proved()
            await trio.sleep(START_AGAIN_S)

    async def _serve(self, sock: socket.socket, proved: Callable[[], None]) -> None:
        """Take answers until the process ends, or hangs."""
        while True:
            with trio.move_on_after(HANGS_S):
                await trio.lowlevel.wait_readable(sock)
            before = len(self.unanswered)
            if not self._receive(sock):
                return
            if len(self.unanswered) < before:
                self._moved_s = trio.current_time()
                proved()
            elif before and trio.current_time() - self._moved_s >= HANGS_S:
                log.error("prover.hangs", unanswered=before)
                return

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self._sock, self._moved_s = ours, trio.current_time()
        with theirs:
            command = [sys.executable, "-m", "liftgate.gateways.prover_process"]
            self.process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL)
        ours.setblocking(False)
        log.info("prover.started", pid=self.process.pid)
        for number, job in self.unanswered.items():
            self._send(number, job)
        return ours

    def _send(self, number: int, job: Job) -> None:
        """OUTSTANDING_MAX jobs fit what a socket holds; one that takes no more is broken, and found to be."""
        data = HEAD.pack(number, len(job.over), job.public, job.seal) + job.over
        try:
            sent = self._sock.send(data) if self._sock is not None else 0
        except OSError as error:
            log.error("prover.broken", error=str(error))
            sent = 0
        if sent < len(data) and self.process is not None:
            self.process.kill()

    def _receive(self, sock: socket.socket) -> bool:
        """Take answers; False: the process has ended."""
        try:
            data = sock.recv(1 << 16)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._rest += data
        whole = len(self._rest) // ANSWER.size * ANSWER.size
        for number, right in ANSWER.iter_unpack(self._rest[:whole]):
            self._found.append((self.unanswered.pop(number), bool(right)))
        self._rest = self._rest[whole:]
        return bool(data)

    def _end(self) -> None:
        sock, process = self._sock, self.process
        self._sock = self.process = None
        if sock is not None:
            sock.close()
        if process is not None:
            process.kill()
            process.wait()

    def _give_up(self) -> None:
        """What it had is not asked again: it may be what ended it."""
        log.error("prover.ended", unanswered=len(self.unanswered))
        self._found += [(job, None) for job in self.unanswered.values()]
        self.unanswered.clear()
        self._rest = b""
        self._wanted = trio.Event()
