"""Start and stop what the benchmarks measure: Redis, the limit, the engine; each in a folder of its own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from liftgate.bench import resp
from liftgate.bench.build import SOURCES, program, work_folder

KEY_HEX = bytes(range(32)).hex()
SPOTS = 10_000
SEGMENT_BYTES = 64 << 20
"""The engine's own default."""
ENGINE_COMMAND = (sys.executable, "-m", "liftgate.cli", "engine")
RELAY_COMMAND = (sys.executable, "-m", "liftgate.cli", "relay")
READY_S_MAX = 120
"""A lot of a million spots and ten thousand readers is read within this, or something is wrong."""
STOP_S_MAX = 20


Process = subprocess.Popen[str]


class ServerFailed(RuntimeError):
    """A server is not installed, did not get ready, or ended badly; the text has its last words."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, its process, its folder, how the load generator talks to it.

    ready_s: from the start of the process until it listened, recovery of what was in its folder included.
    """

    kind: str
    port: int
    process: Process
    folder: Path
    load_options: tuple[str, ...]
    ready_s: float


def raise_open_files() -> int:
    """Let this process and its children open as many files as the system allows; returns how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


@contextmanager
def bench_folder() -> Iterator[Path]:
    """A new folder on a real disk, gone afterwards. Raises ServerFailed if only memory is behind it."""
    with tempfile.TemporaryDirectory(dir=work_folder(), prefix="run-") as name:
        if filesystem(Path(name)) in {"tmpfs", "ramfs"}:
            raise ServerFailed(f"{name} is in memory: a sync there costs nothing, so nothing can be compared")
        yield Path(name)


def filesystem(folder: Path) -> str:
    """Type of the file system that holds a folder, as the kernel names it."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [(point, kind) for point, kind in mounts if folder.is_relative_to(point)]
    return max(holding, key=lambda mount: len(mount[0]))[1]


@contextmanager
def redis_server(folder: Path, spots: int = SPOTS) -> Iterator[Server]:
    """Redis with every write synced (`appendfsync always`), the script loaded and that many free spots."""
    if shutil.which("redis-server") is None:
        raise ServerFailed("redis-server is not installed: apt-get install redis-server")
    port = free_port()
    command = ["redis-server", *resp.settings(folder, port)]
    begin = time.monotonic()
    with running(command, folder / "redis.log") as process:
        _wait_line(process, "Ready to accept connections", folder / "redis.log")
        ready_s = time.monotonic() - begin
        script = (SOURCES / "allocate.lua").read_bytes()
        with resp.Client(port) as client:
            resp.fill(client, script, spots)
        sha = hashlib.sha1(script).hexdigest()
        yield Server("redis", port, process, folder, ("--protocol", "redis", "--sha", sha), ready_s)


@contextmanager
def limit_server(folder: Path, *flags: str) -> Iterator[Server]:
    """The limit (bench/limit.c), compiled with further flags if any."""
    begin = time.monotonic()
    with running(
        [str(program("limit", *flags)), str(folder / "limit.log")], folder / "limit.said"
    ) as process:
        port = int(_line(process, folder / "limit.said"))
        yield Server("limit", port, process, folder, ("--no-sign-on",), time.monotonic() - begin)


@contextmanager
def engine_server(
    folder: Path,
    readers: int,
    spots: int = SPOTS,
    segment_bytes: int = SEGMENT_BYTES,
    rules: str = "",
    more: str = "",
) -> Iterator[Server]:
    """The engine with one lot, one gate and readers bench-00000…, its journal in the folder.

    A folder used before goes on with the journal that is in it. rules, more: as in `engine_config`.
    """
    config, ready, log = folder / "bench.toml", folder / "ready.json", folder / "engine.log"
    text = engine_config(readers, spots, segment_bytes, rules, more)
    config.write_text(text, encoding="utf-8")
    ready.unlink(missing_ok=True)
    command = [*ENGINE_COMMAND, "--config", str(config), "--ready-file", str(ready)]
    begin = time.monotonic()
    with running(command, log, talks=False) as process:
        port = _wait_ready(process, ready, log)
        yield Server("engine", port, process, folder, ("--key", KEY_HEX), time.monotonic() - begin)


@contextmanager
def relay_server(folder: Path) -> Iterator[Server]:
    """The relay of an engine_server's folder, whose `more` must say where to."""
    ready, log = folder / "relay.ready", folder / "relay.log"
    ready.unlink(missing_ok=True)
    command = [*RELAY_COMMAND, "--config", str(folder / "bench.toml"), "--ready-file", str(ready)]
    begin = time.monotonic()
    with running(command, log, talks=False) as process:
        wait_said(process, ready, log)
        yield Server("relay", 0, process, folder, (), time.monotonic() - begin)


def relay_config(sink: str, brokers: str = "") -> str:
    """`more` of an engine that has a relay to one sink; brokers: of Kafka, "host:port,…" for "stream".

    A topic of that stream is new each time, and stays: it is for who started that Kafka to throw it away.
    """
    more = f'[history]\nkey = "{KEY_HEX}"\n' if sink == "history" else ""
    if sink == "stream":
        topic, named = f"bench.{uuid4().hex[:8]}", msgspec.json.encode(brokers.split(",")).decode()
        more = f'[stream]\nkey = "{KEY_HEX}"\nbrokers = {named}\ntopic = "{topic}"\n'
    return more + (
        f'[[service]]\nid = "relay-{sink}"\nkey = "{KEY_HEX}"\nmay = ["subscribe", "query"]\n'
        f'[relay]\nsinks = ["{sink}"]\n'
    )


def engine_config(
    readers: int, spots: int, segment_bytes: int = SEGMENT_BYTES, rules: str = "", more: str = ""
) -> str:
    """The benchmarks' configuration: blocks of at most 10,000 spots, filled in order; any card opens.

    rules: tables of the lot's rules; more: readers and services beside the benchmarks' own.
    """
    blocks = [(f"B{first // 10_000:02}", min(10_000, spots - first)) for first in range(0, spots, 10_000)]
    area = "".join(
        f'[[lot.area.spots]]\nlevel = "P1"\nprefix = "{prefix}"\nclass = "standard"\ncount = {count}\n'
        for prefix, count in blocks
    )
    nearest = ", ".join(f'"P1-{prefix}"' for prefix, _ in blocks)
    reader = (
        '[[reader]]\nid = "bench-{:05}"\nkey = "'
        + KEY_HEX
        + '"\nlot = "bench"\n[[reader.lane]]\nnumber = 0\n'
        'direction = "both"\narea = "bench"\ngate = "main"\nconfirm = false\ncards = "open"\n'
    )
    return (
        '[engine]\nname = "bench"\nlisten = "127.0.0.1:0"\njournal = "journal"\n'
        f"readers_max = {readers + 16}\nin_flight_max = 64\nsegment_bytes = {segment_bytes}\n"
        '[[lot]]\nid = "bench"\nname = "Bench"\ntimezone = "Europe/Berlin"\ncurrency = "EUR"\n'
        'assign = "spot"\n'
        f'[[lot.area]]\nid = "bench"\n{area}[[lot.gate]]\nid = "main"\nnearest = [{nearest}]\n'
        + rules
        + "".join(reader.format(number) for number in range(readers))
        + more
    )


def fold_journal(folder: Path) -> None:
    """Fold the journal's closed segments into a snapshot now, as the engine does from time to time.

    No engine may be running on the folder. Raises ServerFailed.
    """
    command = [sys.executable, "-m", "liftgate.engine.replay", str(folder / "journal")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ServerFailed(f"{command!r} ended with {done.returncode}: {done.stderr[-2000:]}")


def memory_bytes(server: Server) -> int:
    """Resident memory of the server's process now."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def cpu_s(server: Server) -> float:
    """Processor time that the server's process has used so far, in user and kernel mode, in seconds."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def apart(server: Server) -> Iterator[bool]:
    """The server on one processor, and who asks it, this process and what it starts, on the others: where
    they share them, half of what a client finds slow is its own waiting for a turn. False: there is one only.
    """
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        yield False
        return
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), processors[:1])
    os.sched_setaffinity(0, processors[1:])
    try:
        yield True
    finally:
        os.sched_setaffinity(0, processors)


def kill(server: Server) -> None:
    """End the server at once, as a crash would; its context accepts that."""
    server.process.kill()
    server.process.wait()


@contextmanager
def running(command: Sequence[str], log: Path, talks: bool = True) -> Iterator[Process]:
    """A server's process, ended with the block. Raises ServerFailed if it ends badly."""
    # What talks says on stdout that it is ready, and little more; stdout of the others goes to the log, as a
    # pipe that nobody reads would fill and stop them.
    with log.open("w") as stderr:
        stdout = subprocess.PIPE if talks else stderr
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, text=True, cwd=log.parent
        )
    with process:
        try:
            yield process
            _stop(process, log)
        except ServerFailed:
            raise
        except Exception as error:
            error.add_note(f"{command[0]} said last: {_last_words(log)}")
            raise
        finally:
            process.kill()


def wait_port(process: Process, port: int, log: Path) -> None:
    """Return once somebody listens there; between two looks the process's end is waited for."""
    until = time.monotonic() + READY_S_MAX
    while True:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
            raise ServerFailed(f"{process.args!r} ended with {process.returncode}: {_last_words(log)}")
        if time.monotonic() > until:
            raise ServerFailed(f"{process.args!r} did not listen within {READY_S_MAX} s: {_last_words(log)}")


def _stop(process: Process, log: Path) -> None:
    if process.poll() == -signal.SIGKILL:
        return
    if process.returncode is None and process.stdin is not None:
        process.stdin.close()
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S_MAX)
    if process.returncode not in (0, -signal.SIGTERM):
        raise ServerFailed(f"{process.args!r} ended with {process.returncode}: {_last_words(log)}")


def _line(process: Process, log: Path) -> str:
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        raise ServerFailed(f"{process.args!r} ended before it was ready: {_last_words(log)}")
    return line


def _wait_line(process: Process, wanted: str, log: Path) -> None:
    seen: list[str] = []
    while not seen or wanted not in seen[-1]:
        try:
            seen.append(_line(process, log))
        except ServerFailed as failure:
            raise ServerFailed(f"{failure} {''.join(seen[-3:])}") from None


def _wait_ready(process: Process, ready: Path, log: Path) -> int:
    """Port from the ready file, once it is there."""
    return int(wait_said(process, ready, log)["port"])


def wait_said(process: Process, ready: Path, log: Path) -> dict[str, Any]:
    """What is in the ready file, once it is there; between two looks the process's end is waited for."""
    until = time.monotonic() + READY_S_MAX
    while not ready.exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
            raise ServerFailed(f"{process.args!r} ended with {process.returncode}: {_last_words(log)}")
        if time.monotonic() > until:
            raise ServerFailed(f"{process.args!r} was not ready after {READY_S_MAX} s: {_last_words(log)}")
    said: dict[str, Any] = msgspec.json.decode(ready.read_bytes())
    return said


def _last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
