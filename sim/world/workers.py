"""Seeds over processes: each has one at a time, so one that dies or hangs says which seed it was."""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType, TracebackType
from typing import Generic, TypeVar

Outcome = TypeVar("Outcome")

CPU_S_MAX = 120
"""CPU seconds of one seed. A thousand times what most take: what runs longer goes round in circles."""


GC_THRESHOLDS = (400_000, 10, 10)
"""A world makes much and keeps little, and is one cycle itself: looking for those once in some four worlds
takes a third less time than looking all the while, for a quarter of a gigabyte.
"""


class Stuck(Exception):
    """A seed took more than CPU_S_MAX; the traceback says where it went round."""


def stop_when_stuck(cpu_s: float = CPU_S_MAX) -> None:
    """From now on raise Stuck, in the main thread, once so much CPU time went by; 0 calls it off."""

    def stuck(_signal: int, _frame: FrameType | None) -> None:
        raise Stuck(f"no end within {cpu_s} s of CPU time")

    if cpu_s:
        signal.signal(signal.SIGVTALRM, stuck)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s)


class Workers(Generic[Outcome]):
    """`jobs` processes that play seeds.

    play: what to do with a seed, picklable; died: the outcome of a seed whose process ended (seed, code).
    Started by spawning: a progress display runs a thread, and what it locks must not be forked.
    """

    def __init__(
        self, play: Callable[[int], Outcome], died: Callable[[int, int], Outcome], jobs: int
    ) -> None:
        self._play = play
        self._died = died
        self._context = multiprocessing.get_context("spawn")
        self._crew: dict[Connection, BaseProcess] = {}
        self._jobs = jobs

    def __enter__(self) -> Workers[Outcome]:
        for _ in range(self._jobs):
            self._hire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End them at once: what they still play nobody waits for, and they hold nothing."""
        for pipe, process in self._crew.items():
            pipe.close()
            process.terminate()
            process.join()

    def _hire(self) -> Connection:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._play), daemon=True)
        process.start()
        theirs.close()  # so that the end of either process is seen by the other
        self._crew[ours] = process
        return ours

    def results(self, seeds: Iterator[int]) -> Iterator[Outcome]:
        """The outcomes, as they come. A seed is taken from `seeds` when a process has time for it."""
        idle, busy = list(self._crew), dict[Connection, int]()
        while True:
            while idle and (seed := next(seeds, None)) is not None:
                idle[-1].send(seed)
                busy[idle.pop()] = seed
            if not busy:
                return
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                outcome, free = self._receive(pipe, busy.pop(pipe))
                idle.append(free)
                yield outcome

    def _receive(self, pipe: Connection, seed: int) -> tuple[Outcome, Connection]:
        """What came, and whoever has time now: another process, if this one ended."""
        try:
            return pipe.recv(), pipe
        except EOFError:
            process = self._crew.pop(pipe)
            pipe.close()
            process.join()
            return self._died(seed, process.exitcode or 0), self._hire()


def _work(pipe: Connection, play: Callable[[int], Outcome]) -> None:
    """Play what comes until nobody sends any more. Ctrl-C is the parent's: it ends us by closing the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    while True:
        try:
            seed = pipe.recv()
        except EOFError:
            return
        pipe.send(play(seed))
