"""The prover's process: what it finds out, and what becomes of it."""

import socket
import threading

import pytest
import trio

from liftgate.codecs.credentials import ticket
from liftgate.gateways import prover
from liftgate.gateways.prover import Answer, Job, ProcessProver, PromptProver
from liftgate.gateways.prover_process import ANSWER, HEAD, serve
from tests.gateways.tickets import OTHER, PUBLIC, SECRET, signed


def job(number: int, secret: bytes = SECRET) -> Job:
    """A ticket's signature to check."""
    sealed = ticket.read(signed(number, secret))
    return Job(PUBLIC, sealed.over, sealed.seal)


JOBS = [job(number, OTHER if number % 3 == 0 else SECRET) for number in range(prover.OUTSTANDING_MAX)]
RIGHT = [number % 3 != 0 for number in range(prover.OUTSTANDING_MAX)]


class Desk:
    """Runs a prover and gathers what it says."""

    def __init__(self, process: ProcessProver, nursery: trio.Nursery) -> None:
        self.process = process
        self.found: list[Answer] = []
        self._news = trio.Event()
        nursery.start_soon(process.run, self._proved)

    def _proved(self) -> None:
        self.found += self.process.answers()
        self._news.set()

    async def wait_found(self, count: int) -> list[bool | None]:
        """What was found out, once that is so much."""
        with trio.fail_after(30):
            while len(self.found) < count:
                await self._news.wait()
                self._news = trio.Event()
        found, self.found = self.found, []
        return [right for _, right in found]


def test_the_prompt_prover_says_it_when_asked() -> None:
    """Once each, in order."""
    prompt = PromptProver()
    for each in JOBS:
        prompt.ask(each)
    assert [right for _, right in prompt.answers()] == RIGHT
    assert prompt.answers() == []


def test_the_process_takes_jobs_in_any_pieces() -> None:
    """Cut after every byte of two jobs, it answers each once."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=serve, args=(theirs,))
        thread.start()
        ours.settimeout(30)
        pair = b"".join(
            HEAD.pack(n, len(JOBS[n].over), JOBS[n].public, JOBS[n].seal) + JOBS[n].over for n in (3, 4)
        )
        for at in range(1, len(pair), 7):
            ours.sendall(pair[:at])
            ours.sendall(pair[at:])
            answers = b""
            while len(answers) < 2 * ANSWER.size:
                answers += ours.recv(64)
            assert list(ANSWER.iter_unpack(answers)) == [(3, 0), (4, 1)]
        ours.shutdown(socket.SHUT_RDWR)
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.long
async def test_a_process_checks_signatures() -> None:
    """As many as it may have at a time, each answered once; it starts with the first, ends with the task."""
    process = ProcessProver()
    async with trio.open_nursery() as nursery:
        desk = Desk(process, nursery)
        assert process.process is None
        for each in JOBS:
            process.ask(each)
        assert await desk.wait_found(len(JOBS)) == RIGHT
        child = process.process
        assert child is not None and child.poll() is None
        nursery.cancel_scope.cancel()
    assert child.poll() is not None and not process.unanswered


@pytest.mark.long
async def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had cannot be found out, and nobody waits for it for ever."""
    process = ProcessProver()
    async with trio.open_nursery() as nursery:
        desk = Desk(process, nursery)
        process.warm()
        process.ask(JOBS[1])
        assert await desk.wait_found(1) == [True]
        monkeypatch.setattr(prover, "HANGS_S", 0.3)
        hung = process.process
        assert hung is not None
        hung.send_signal(19)  # SIGSTOP
        process.ask(JOBS[2])
        assert await desk.wait_found(1) == [None]
        assert hung.poll() is not None
        nursery.cancel_scope.cancel()


@pytest.mark.long
async def test_a_process_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine goes on: a machine without memory for a process still opens barriers for cards."""
    process = ProcessProver()
    with monkeypatch.context() as without:
        without.setattr(prover.sys, "executable", "/nowhere/python")
        async with trio.open_nursery() as nursery:
            desk = Desk(process, nursery)
            process.ask(JOBS[1])
            assert await desk.wait_found(1) == [None]
            without.undo()
            process.ask(JOBS[1])
            assert await desk.wait_found(1) == [True]
            nursery.cancel_scope.cancel()


@pytest.mark.long
async def test_a_process_that_is_killed_is_started_again() -> None:
    """What it had cannot be found out; what is asked later is."""
    process = ProcessProver()
    async with trio.open_nursery() as nursery:
        desk = Desk(process, nursery)
        process.ask(JOBS[1])
        assert await desk.wait_found(1) == [True]
        first = process.process
        assert first is not None
        first.send_signal(19)  # SIGSTOP: so that it has not answered when it is killed
        process.ask(JOBS[2])
        first.kill()
        assert await desk.wait_found(1) == [None]
        process.ask(JOBS[1])
        assert await desk.wait_found(1) == [True]
        assert process.process is not None and process.process.pid != first.pid
        nursery.cancel_scope.cancel()
