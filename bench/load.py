"""Drive the load generator at a server and read its result."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import msgspec

from liftgate.bench.build import program
from liftgate.bench.servers import Server


class LoadFailed(RuntimeError):
    """The load generator saw a wrong answer, or none; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Connections, and requests in flight on each."""

    connections: int
    in_flight: int

    def __str__(self) -> str:
        return f"{self.connections}x{self.in_flight}"


Load = subprocess.Popen[str]


class Result(msgspec.Struct, frozen=True):
    """What one run measured: answers a second, and the time to an answer in milliseconds.

    count is what was measured, answers has those of the warm-up and the settling at the end too;
    hash sums up what was answered, whatever the order; it repeats only for runs of a fixed number of scans.
    """

    rate: float
    count: int
    answers: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    hash: str


def run_load(server: Server, shape: Shape, **options: float) -> Result:
    """Run to the end. options: seconds, warm_up, scans, rate, idle, as bench/loadgen.c has them.

    Raises LoadFailed on any wrong answer.
    """
    with started_load(server, shape, **options) as load:
        return finish(load)


@contextmanager
def started_load(server: Server, shape: Shape, *flags: str, **options: float) -> Iterator[Load]:
    """The load generator, running; it does not outlive the block."""
    command = [str(program("loadgen")), "--port", str(server.port), *server.load_options, *flags]
    command += ["--connections", str(shape.connections), "--in-flight", str(shape.in_flight)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as load:
        try:
            yield load
        finally:
            load.kill()


def finish(load: Load) -> Result:
    """Wait for the end of the run; raises LoadFailed on any wrong answer."""
    # Not communicate(): it would miss what a readline() before has already taken from the pipe. Nothing can
    # block, as the load generator tells ten errors at most.
    stdout, stderr = _rest(load.stdout), _rest(load.stderr)
    if load.wait():
        raise LoadFailed(f"load generator ended with {load.returncode}: {stderr.strip()} {stdout.strip()}")
    return msgspec.json.decode(stdout, type=Result)


def wait_signed_on(load: Load) -> None:
    """Return once every connection has signed on (needs --announce); raises LoadFailed if the run ended."""
    line = load.stdout.readline() if load.stdout else ""
    if not line.startswith('{"signed_on"'):
        raise LoadFailed(f"the load generator did not sign on: {line}{_rest(load.stderr).strip()}")


def _rest(stream: IO[str] | None) -> str:
    return stream.read() if stream else ""
