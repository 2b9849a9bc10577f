"""Who works the reader under test: a person who is told, a command run for it, or its standard input."""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from liftgate.conform.port import Act
from liftgate.conform.report import Unseen

COMMAND_S = 20.0
"""How long a stimulus may take: it only has to begin what the kit waits for."""

STOP_S = 5.0

_TOLD = {
    Act.SCAN: "scan a card at lane {lane}, another one than before",
    Act.PASS: "let the car pass at lane {lane}",
    Act.RESTART: "switch the reader off and on again, as a power cut would",
}

Say = Callable[[str], None]


class Person:
    """Somebody who stands beside the reader and reads what the kit prints."""

    scripted = False

    def __init__(self, say: Say, lane: int) -> None:
        self.say = say
        self._lane = lane

    def check(self) -> None:
        """See the port: a person may always come back."""

    def do(self, act: Act) -> None:
        """See the port."""
        self.say(f">>> NOW: {_TOLD[act].format(lane=self._lane)}")


class Command:
    """A shell command, run once for each act, with LIFTGATE_ACT, LIFTGATE_LANE and LIFTGATE_CARD set."""

    scripted = True

    def __init__(self, command: str, say: Say, lane: int) -> None:
        self.say = say
        self._command = command
        self._lane = lane
        self._cards = _cards()

    def check(self) -> None:
        """See the port: each act is a command of its own."""

    def do(self, act: Act) -> None:
        """See the port."""
        told = {
            "LIFTGATE_ACT": act.value,
            "LIFTGATE_LANE": str(self._lane),
            "LIFTGATE_CARD": next(self._cards),
        }
        try:
            done = subprocess.run(
                self._command, shell=True, env={**os.environ, **told}, timeout=COMMAND_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Unseen(f"the stimulus for {act.value} took more than {COMMAND_S:g} s") from error
        if done.returncode:
            raise Unseen(f"the stimulus for {act.value} ended with {done.returncode}")


class Program:
    """The reader under test as a program that takes commands on its standard input, `card HEX` and `pass`.

    A power cut is kill -9; it is started again with the same arguments.
    """

    scripted = True

    def __init__(self, arguments: Sequence[str], say: Say) -> None:
        self.say = say
        self._arguments = list(arguments)
        self._cards = _cards()
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0)

    def check(self) -> None:
        """See the port."""
        code = self._process.poll()
        if code is not None:
            raise Unseen(f"{self._arguments[0]} has ended with {code}")

    def do(self, act: Act) -> None:
        """See the port."""
        if act is Act.RESTART:
            self.end()
            self._process = self._start()
            return
        self.check()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(
                b"card %b\n" % next(self._cards).encode() if act is Act.SCAN else b"pass\n"
            )
        except OSError as error:
            raise Unseen(f"{self._arguments[0]} has ended") from error

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait(STOP_S)
        assert self._process.stdin is not None
        self._process.stdin.close()


def program_arguments(command: str, **values: str) -> list[str]:
    """A command line as words, `{connect}` and so on filled in. Raises KeyError, ValueError."""
    return [word.format(**values) for word in shlex.split(command)]


def _cards() -> Iterator[str]:
    """UIDs in hex, none twice in a run."""
    return (f"04C0{number:010X}" for number in count(1))
